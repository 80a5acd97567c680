import { log, type Random, type ShouldStop, throwIfStopped } from "../../base/index.ts";
import { batchMeans, type Estimate, estimate } from "../statistics/estimate.ts";
import { bisected, powersFall } from "./edge.ts";

/** A population on a quadratic loss with a diagonal Hessian, averaged after every step. */
export interface Population {
  readonly eigenvalues: readonly number[];
  readonly agents: number;
  /** agents that see values only */
  readonly blind: number;
  /** Gaussian directions of each of those at each step */
  readonly directions: number;
}

/** The mean over the agents of what each takes for the gradient. @param u workspace, @param into overwritten */
function meanGradient(
  { agents, blind, directions }: Population,
  gradient: Float64Array,
  u: Float64Array,
  into: Float64Array,
  random: Random,
): void {
  for (let i = 0; i < into.length; i++) into[i] = (1 - blind / agents) * gradient[i];
  for (let draw = 0; draw < blind * directions; draw++) {
    random.fillNormal(u);
    let slope = 0;
    for (let i = 0; i < u.length; i++) slope += u[i] * gradient[i];
    for (let i = 0; i < into.length; i++) into[i] += (slope / (agents * directions)) * u[i];
  }
}

/** Independent parts of a simulation, whose spread is its error. */
const PARTS = 20;

/**
 * The rate at which the simulated mean square ceases to fall. Steps are simulated from each eigenvector of the Hessian with
 * its own directions: the means of x_j² after them, as they depend on the rate, are a matrix whose powers carry the mean
 * square from step to step, since steps are linear in x. (Plain runs do not show it: their mean square is carried by ever
 * fewer of them.)
 *
 * @param draws steps simulated from each eigenvector
 */
export function simulatedRate(
  population: Population,
  draws: number,
  random: Random,
  shouldStop: ShouldStop,
): Estimate {
  const { eigenvalues } = population;
  const d = eigenvalues.length;
  const [gradient, u, g] = [new Float64Array(d), new Float64Array(d), new Float64Array(d)];
  const count = Math.ceil(draws / PARTS);
  const rates = Array.from({ length: PARTS }, () => {
    const means = new Float64Array(d);
    const squares = new Float64Array(d * d);
    for (let from = 0; from < d; from++) {
      throwIfStopped("simulatedRate", shouldStop);
      gradient.fill(0);
      gradient[from] = eigenvalues[from];
      for (let draw = 0; draw < count; draw++) {
        meanGradient(population, gradient, u, g, random);
        means[from] += g[from] / count;
        for (let to = 0; to < d; to++) squares[to * d + from] += (g[to] * g[to]) / count;
      }
    }
    return bisected(0, 4 / Math.max(...eigenvalues), (rate) => {
      const map = squares.map((square) => rate * rate * square);
      for (let i = 0; i < d; i++) map[i * (d + 1)] += 1 - 2 * rate * means[i];
      return rate === 0 || powersFall(map, d);
    });
  });
  return estimate(rates);
}

/** The mean growth of log ‖x‖ in a step of one long run: positive where almost every run grows. */
export function logarithmicGrowth(
  population: Population,
  rate: number,
  steps: number,
  random: Random,
  shouldStop: ShouldStop,
): Estimate {
  const { eigenvalues } = population;
  const d = eigenvalues.length;
  const [gradient, u, g] = [new Float64Array(d), new Float64Array(d), new Float64Array(d)];
  const x = random.fillNormal(new Float64Array(d));
  const logarithms = new Float64Array(steps);
  for (let t = -1; t < steps; t++) {
    if (t % 1024 === 0) throwIfStopped("logarithmicGrowth", shouldStop);
    let square = 0;
    if (t >= 0) {
      for (let i = 0; i < d; i++) gradient[i] = eigenvalues[i] * x[i];
      meanGradient(population, gradient, u, g, random);
      for (let i = 0; i < d; i++) x[i] -= rate * g[i];
    }
    for (let i = 0; i < d; i++) square += x[i] * x[i];
    if (t >= 0) logarithms[t] = 0.5 * log(square);
    const length = Math.sqrt(square);
    for (let i = 0; i < d; i++) x[i] /= length;
  }
  return batchMeans(logarithms);
}
