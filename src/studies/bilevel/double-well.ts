import { exp, log, type Random, type ShouldStop, throwIfStopped } from "../../base/index.ts";
import { batchMeans, type Estimate } from "../statistics/estimate.ts";
import { scoreDerivative } from "./ridge.ts";

/*
 * Inner loss L_T = ¼(θ² − 1)² + λθ with two minima, outer loss L_V = ½(θ − 1)². At temperature τ both wells belong to the
 * distribution of inner solutions; a solver that ends in one of them sees only that.
 */

export const innerLoss = (theta: number, lambda: number): number =>
  0.25 * (theta * theta - 1) ** 2 + lambda * theta;
export const innerGradient = (theta: number, lambda: number): number => theta * (theta * theta - 1) + lambda;
export const innerCurvature = (theta: number): number => 3 * theta * theta - 1;
export const outer = (theta: number): number => 0.5 * (theta - 1) ** 2;

/**
 * E L_V and its derivative −Cov(L_V, θ)/τ, by the trapezoidal rule on [−4, 4] with 16,000 steps: exact to rounding for
 * τ ≥ 0.01, where the integrand is smooth on this scale and its ends are below 1e-300.
 */
export function quadrature(
  lambda: number,
  tau: number,
): { readonly mean: number; readonly derivative: number } {
  let [mass, first, second, mixed] = [0, 0, 0, 0];
  const least = Math.min(innerLoss(-1, lambda), innerLoss(1, lambda));
  for (let i = -8000; i <= 8000; i++) {
    const theta = i / 2000;
    const weight = exp((least - innerLoss(theta, lambda)) / tau);
    mass += weight;
    first += weight * outer(theta);
    second += weight * theta;
    mixed += weight * outer(theta) * theta;
  }
  const mean = first / mass;
  return { mean, derivative: -(mixed / mass - (mean * second) / mass) / tau };
}

/** The minimum that Newton's method finds from a start, and the implicit derivative of L_V there: −L_V′/L_T″. */
export function implicitDerivative(
  lambda: number,
  start: number,
): { readonly theta: number; readonly derivative: number } {
  let theta = start;
  for (let iteration = 0; iteration < 50; iteration++)
    theta -= innerGradient(theta, lambda) / innerCurvature(theta);
  return { theta, derivative: -(theta - 1) / innerCurvature(theta) };
}

/**
 * The score's derivative from a Langevin chain whose steps are accepted or not (Metropolis), so that its distribution is the
 * one at temperature τ whatever the step.
 */
export function chainScore(
  lambda: number,
  tau: number,
  h: number,
  start: number,
  steps: number,
  random: Random,
  shouldStop: ShouldStop,
): Estimate {
  const [loss, slope] = [new Float64Array(steps), new Float64Array(steps)];
  let x = start;
  // log of the density of proposing `to` from `from`
  const proposal = (from: number, to: number): number =>
    -((to - from + (h / tau) * innerGradient(from, lambda)) ** 2) / (4 * h);
  for (let t = 0; t < steps; t++) {
    if (t % 4096 === 0) throwIfStopped("chainScore", shouldStop);
    const next = x - (h / tau) * innerGradient(x, lambda) + Math.sqrt(2 * h) * random.normal();
    const ratio =
      (innerLoss(x, lambda) - innerLoss(next, lambda)) / tau + proposal(next, x) - proposal(x, next);
    if (log(1 - random.uniform()) < ratio) x = next;
    loss[t] = outer(x);
    slope[t] = x;
  }
  return scoreDerivative(loss, slope, tau);
}

/** What the path of a plain Langevin chain says: the mean of L_V′J, and the largest |J| on the way. */
export function pathDerivative(
  lambda: number,
  tau: number,
  h: number,
  start: number,
  steps: number,
  random: Random,
  shouldStop: ShouldStop,
): Estimate & { readonly largest: number } {
  const along = new Float64Array(steps);
  let [x, J, largest] = [start, 0, 0];
  for (let t = 0; t < steps; t++) {
    if (t % 4096 === 0) throwIfStopped("pathDerivative", shouldStop);
    J -= (h / tau) * (innerCurvature(x) * J + 1);
    x -= (h / tau) * innerGradient(x, lambda) - Math.sqrt(2 * h) * random.normal();
    along[t] = (x - 1) * J;
    largest = Math.max(largest, Math.abs(J));
  }
  return { ...batchMeans(along), largest };
}
