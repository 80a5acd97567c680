import { exp, log1p, type Random } from "../../base/index.ts";
import { type Estimate, estimate } from "../statistics/estimate.ts";

/** log cosh t, whose second derivative is 1 at most. */
export function logCosh(t: number): number {
  const size = Math.abs(t);
  return size + log1p(exp(-2 * size)) - log1p(1);
}

/**
 * By how much smoothing with N(0, ν²) raises f(x) = Σ log cosh x_i. By the trapezoidal rule with steps of 1/16 of a standard
 * deviation within ±9 of them; for ν ≤ 1 that is exact to rounding.
 */
export function smoothedExcess(x: readonly number[], nu: number): number {
  let sum = 0;
  for (const place of x)
    for (let i = -144; i <= 144; i++) {
      const z = i / 16;
      const density = exp(-0.5 * z * z) / (16 * Math.sqrt(2 * Math.PI));
      sum += density * (logCosh(place + nu * z) - logCosh(place));
    }
  return sum;
}

/**
 * E‖G‖² of the estimate G = (F(x + νu) − F(x))u/ν with u ~ N(0, I), for a quadratic F of gradient g and Hessian A at x:
 * (d + 2)‖g‖² + (ν²/4)(d + 4)((tr A)² + 2 tr A²). For G = (gᵀu + (ν/2)uᵀAu)u; odd moments vanish, and a form q of degree 2k
 * has E q(u)‖u‖² = (d + 2k)E q(u).
 *
 * @param a d×d, symmetric, read
 */
export function estimateSquare(g: Float64Array, a: Float64Array, nu: number): number {
  const d = g.length;
  let [square, trace, squares] = [0, 0, 0];
  for (let i = 0; i < d; i++) {
    square += g[i] * g[i];
    trace += a[i * (d + 1)];
    for (let j = 0; j < d; j++) squares += a[i * d + j] * a[j * d + i];
  }
  return (d + 2) * square + (nu * nu * (d + 4) * (trace * trace + 2 * squares)) / 4;
}

/** ‖G‖² for one direction u. */
export function squareAlong(u: Float64Array, g: Float64Array, a: Float64Array, nu: number): number {
  const d = g.length;
  let [slope, bend, square] = [0, 0, 0];
  for (let i = 0; i < d; i++) {
    slope += g[i] * u[i];
    square += u[i] * u[i];
    for (let j = 0; j < d; j++) bend += u[i] * a[i * d + j] * u[j];
  }
  return (slope + 0.5 * nu * bend) ** 2 * square;
}

/** E‖G‖² by simulation. */
export function simulatedSquare(
  g: Float64Array,
  a: Float64Array,
  nu: number,
  draws: number,
  random: Random,
): Estimate {
  const u = new Float64Array(g.length);
  return estimate(Float64Array.from({ length: draws }, () => squareAlong(random.fillNormal(u), g, a, nu)));
}

/** Γ = Σ‖x_i − mean‖² over the agents. @param x n×d, read */
export function disagreement(x: Float64Array, n: number, d: number): number {
  let sum = 0;
  for (let k = 0; k < d; k++) {
    let mean = 0;
    for (let i = 0; i < n; i++) mean += x[i * d + k] / n;
    for (let i = 0; i < n; i++) sum += (x[i * d + k] - mean) ** 2;
  }
  return sum;
}

/** The mean of Γ after one of all pairs, each as likely, has averaged. @param x n×d, read */
export function averagedDisagreement(x: Float64Array, n: number, d: number): number {
  let sum = 0;
  for (let i = 0; i < n; i++)
    for (let j = 0; j < i; j++) {
      const y = x.slice();
      for (let k = 0; k < d; k++) {
        const mean = 0.5 * (x[i * d + k] + x[j * d + k]);
        y[i * d + k] = mean;
        y[j * d + k] = mean;
      }
      sum += disagreement(y, n, d);
    }
  return sum / ((n * (n - 1)) / 2);
}
