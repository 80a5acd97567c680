import type { Random } from "../../base/index.ts";
import { applied, type Belief, corrected, dot, form, improvingStep, predicted } from "./filter.ts";

/** f = E ½(θ − ξ)ᵀH(θ − ξ) with ξ ~ N(0, diag of variances) and batches of so many ξ. */
export interface NoisyParabola {
  /** H, n×n, symmetric positive definite */
  readonly hessian: Float64Array;
  readonly variances: Float64Array;
  readonly batch: number;
}

/** The covariance of a batch's gradient, H Cov(ξ) H / batch. */
export function gradientCovariance({ hessian, variances, batch }: NoisyParabola): Float64Array {
  const n = variances.length;
  return hessian.map((_, at) => {
    const [i, j] = [Math.floor(at / n), at % n];
    let sum = 0;
    for (let k = 0; k < n; k++) sum += hessian[i * n + k] * variances[k] * hessian[k * n + j];
    return sum / batch;
  });
}

/** ½tr(H Cov ξ)/batch: what T·E[f − f*] tends to, as if T batches had been averaged and minimised at once. */
export function limitingExcess({ hessian, variances, batch }: NoisyParabola): number {
  let trace = 0;
  for (let i = 0; i < variances.length; i++) trace += hessian[i * (variances.length + 1)] * variances[i];
  return (0.5 * trace) / batch;
}

/** What a run on the parabola showed. */
export interface ParabolaRun {
  /** the largest relative difference of m_t from H(θ_t − mean of all ξ so far) */
  readonly meanDifference: number;
  /** the largest relative difference of P_t from Σ/(t + 1) */
  readonly covarianceDifference: number;
  /** f − f* at the end */
  readonly excess: number;
}

/**
 * The filter with the exact B = H and Q = 0, and the most probable improvement along −m. The variance of the loss is that of
 * the batch at hand.
 */
export function runParabola(problem: NoisyParabola, steps: number, random: Random): ParabolaRun {
  const { hessian, variances, batch } = problem;
  const n = variances.length;
  const noise = gradientCovariance(problem);
  let theta = random.fillNormal(new Float64Array(n)).map((entry) => 3 * entry);
  const total = new Float64Array(n);
  let [meanDifference, covarianceDifference] = [0, 0];
  let belief: Belief | undefined;
  let moved = new Float64Array(n);
  for (let t = 0; t < steps; t++) {
    const mean = new Float64Array(n);
    let [sum, squares] = [0, 0];
    for (let example = 0; example < batch; example++) {
      const away = theta.map((entry, i) => {
        const xi = Math.sqrt(variances[i]) * random.normal();
        mean[i] += xi / batch;
        return entry - xi;
      });
      const loss = 0.5 * form(away, hessian, away);
      sum += loss;
      squares += loss * loss;
    }
    const g = applied(
      hessian,
      theta.map((entry, i) => entry - mean[i]),
    );
    belief = belief ? corrected(predicted(belief, moved), g, noise) : { mean: g, covariance: noise };
    if (!belief) return { meanDifference: Number.NaN, covarianceDifference: Number.NaN, excess: Number.NaN };
    mean.forEach((entry, i) => {
      total[i] += entry;
    });
    const exact = applied(
      hessian,
      theta.map((entry, i) => entry - total[i] / (t + 1)),
    );
    meanDifference = Math.max(meanDifference, distance(belief.mean, exact) / (length(exact) + length(g)));
    const expected = noise.map((entry) => entry / (t + 1));
    covarianceDifference = Math.max(
      covarianceDifference,
      distance(belief.covariance, expected) / length(expected),
    );
    const { mean: m, covariance } = belief;
    const direction = m.map((entry) => -entry);
    const outlook = {
      a: -dot(direction, m),
      b: form(direction, hessian, direction),
      c0: (2 * (squares - (sum * sum) / batch)) / ((batch - 1) * batch),
      c1: form(direction, covariance, direction),
      c2: 0,
    };
    const alpha = improvingStep(outlook, 1e3);
    theta = theta.map((entry, i) => entry + alpha * direction[i]);
    moved = applied(hessian, direction).map((entry) => alpha * entry) as Float64Array<ArrayBuffer>;
  }
  return { meanDifference, covarianceDifference, excess: 0.5 * form(theta, hessian, theta) };
}

const length = (x: Float64Array): number => Math.sqrt(dot(x, x));
const distance = (x: Float64Array, y: Float64Array): number => length(x.map((entry, i) => entry - y[i]));
