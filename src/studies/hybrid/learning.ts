import { exp, type Random, type ShouldStop, softplus, throwIfStopped } from "../../base/index.ts";
import { cholesky, choleskySolve } from "../../linalg/index.ts";

/** A logistic regression: the mean over examples of log(1 + exp(−y aᵀw)) + (ρ/2)‖w‖², ρ = RIDGE. */
export interface Regression {
  readonly d: number;
  readonly count: number;
  /** count × d: y·a */
  readonly signed: Float64Array;
  /** the least loss */
  readonly least: number;
}

const RIDGE = 0.01;
/** Newton's method from 0 converges for this loss; it stops where the gradient is rounding. */
const NEWTON_STEPS = 20;

/** Examples of a logistic model with a random w of length about 2. */
export function drawRegression(d: number, count: number, random: Random): Regression {
  const truth = random.fillNormal(new Float64Array(d)).map((entry) => (2 * entry) / Math.sqrt(d));
  const signed = new Float64Array(count * d);
  for (let i = 0; i < count; i++) {
    const a = random.fillNormal(signed.subarray(i * d, (i + 1) * d));
    const margin = a.reduce((sum, entry, k) => sum + entry * truth[k], 0);
    if (random.uniform() > 1 / (1 + exp(-margin))) for (let k = 0; k < d; k++) a[k] = -a[k];
  }
  const problem = { d, count, signed, least: 0 };
  return { ...problem, least: meanLoss(problem, minimiser(problem)) };
}

function minimiser({ d, count, signed }: Regression): Float64Array {
  const w = new Float64Array(d);
  for (let iteration = 0; iteration < NEWTON_STEPS; iteration++) {
    const gradient = w.map((entry) => RIDGE * entry);
    const hessian = new Float64Array(d * d);
    for (let k = 0; k < d; k++) hessian[k * (d + 1)] = RIDGE;
    for (let i = 0; i < count; i++) {
      const weight = 1 / (1 + exp(marginOf(signed, i * d, w)));
      for (let k = 0; k < d; k++) {
        gradient[k] -= (weight * signed[i * d + k]) / count;
        for (let l = 0; l < d; l++)
          hessian[k * d + l] += (weight * (1 - weight) * signed[i * d + k] * signed[i * d + l]) / count;
      }
    }
    choleskySolve(cholesky(hessian, d).factor, d, gradient);
    for (let k = 0; k < d; k++) w[k] -= gradient[k];
  }
  return w;
}

function marginOf(signed: Float64Array, at: number, w: Float64Array, from = 0): number {
  let sum = 0;
  for (let k = 0; at + k < signed.length && from + k < w.length; k++) sum += signed[at + k] * w[from + k];
  return sum;
}

function meanLoss({ d, count, signed }: Regression, w: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += softplus(-marginOf(signed, i * d, w)) / count;
  return sum + 0.5 * RIDGE * w.reduce((square, entry) => square + entry * entry, 0);
}

/** Who learns: agents that see gradients, and agents that see values along one random direction a step. */
export interface Team {
  readonly first: number;
  readonly zeroth: number;
}

/** The distance of the two points between which the loss is compared. */
const NU = 1e-4;

/**
 * The population of arXiv 2210.07703: two random agents take a step each, on one random example, and then both take the mean
 * of their weights. All begin at 0.
 *
 * @param rounds steps of each agent, on average
 * @param reports how many values are returned, evenly spaced
 * @returns the loss at the mean of all weights less the least loss
 */
export function learn(
  problem: Regression,
  { first, zeroth }: Team,
  rate: number,
  rounds: number,
  reports: number,
  random: Random,
  shouldStop: ShouldStop,
): number[] {
  const { d, count, signed } = problem;
  const n = first + zeroth;
  const w = new Float64Array(n * d);
  const [u, gradient, mean] = [new Float64Array(d), new Float64Array(d), new Float64Array(d)];
  const stepOf = (agent: number): void => {
    const own = w.subarray(agent * d, (agent + 1) * d);
    const at = random.integer(count) * d;
    const margin = marginOf(signed.subarray(at, at + d), 0, own);
    if (agent < first) {
      const weight = 1 / (1 + exp(margin));
      for (let k = 0; k < d; k++) gradient[k] = RIDGE * own[k] - weight * signed[at + k];
    } else {
      random.fillNormal(u);
      let [turn, along, square] = [0, 0, 0];
      for (let k = 0; k < d; k++) {
        turn += signed[at + k] * u[k];
        along += own[k] * u[k];
        square += u[k] * u[k];
      }
      const change =
        softplus(-(margin + NU * turn)) - softplus(-margin) + RIDGE * (NU * along + 0.5 * NU * NU * square);
      for (let k = 0; k < d; k++) gradient[k] = (change / NU) * u[k];
    }
    for (let k = 0; k < d; k++) own[k] -= rate * gradient[k];
  };
  const excess: number[] = [];
  for (let report = 0; report < reports; report++) {
    throwIfStopped("learn", shouldStop);
    const meetings =
      Math.round((n * rounds * (report + 1)) / (2 * reports)) -
      Math.round((n * rounds * report) / (2 * reports));
    for (let meeting = 0; meeting < meetings; meeting++) {
      const one = random.integer(n);
      const other = (one + 1 + random.integer(n - 1)) % n;
      stepOf(one);
      stepOf(other);
      for (let k = 0; k < d; k++) {
        const middle = 0.5 * (w[one * d + k] + w[other * d + k]);
        w[one * d + k] = middle;
        w[other * d + k] = middle;
      }
    }
    mean.fill(0);
    for (let agent = 0; agent < n; agent++) for (let k = 0; k < d; k++) mean[k] += w[agent * d + k] / n;
    excess.push(meanLoss(problem, mean) - problem.least);
  }
  return excess;
}
