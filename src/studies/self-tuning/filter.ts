import { cholesky, choleskySolve } from "../../linalg/index.ts";

/** What is believed of the gradient at the current weights: N(m, P). */
export interface Belief {
  readonly mean: Float64Array;
  /** P, n×n, symmetric */
  readonly covariance: Float64Array;
}

/** A x for symmetric A. */
export function applied(a: Float64Array, x: Float64Array): Float64Array {
  const n = x.length;
  const y = new Float64Array(n);
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) y[i] += a[i * n + j] * x[j];
  return y;
}

/** xᵀA y. */
export function form(x: Float64Array, a: Float64Array, y: Float64Array): number {
  return dot(x, applied(a, y));
}

/** xᵀy. */
export function dot(x: Float64Array, y: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i] * y[i];
  return sum;
}

/**
 * After a step δ the gradient has moved by Bδ, and the doubt has grown by Q: m⁻ = m + Bδ, P⁻ = P + Q.
 *
 * @param moved Bδ
 * @param doubt Q, n×n, or nothing
 */
export function predicted({ mean, covariance }: Belief, moved: Float64Array, doubt?: Float64Array): Belief {
  return {
    mean: mean.map((entry, i) => entry + moved[i]),
    covariance: doubt ? covariance.map((entry, at) => entry + doubt[at]) : covariance,
  };
}

/**
 * The Kalman update by a measured gradient g with noise Σ: K = P⁻(P⁻ + Σ)⁻¹, m = (I − K)m⁻ + Kg and, in Joseph's form, which
 * rounding leaves symmetric and positive, P = (I − K)P⁻(I − K)ᵀ + KΣKᵀ.
 *
 * @returns undefined where P⁻ + Σ is singular
 */
export function corrected(
  { mean, covariance }: Belief,
  g: Float64Array,
  noise: Float64Array,
): Belief | undefined {
  const n = mean.length;
  const { factor, status } = cholesky(
    covariance.map((entry, at) => entry + noise[at]),
    n,
  );
  if (status !== "solved") return undefined;
  // Row i of K solves (P⁻ + Σ)k = (row i of P⁻): both are symmetric.
  const gain = covariance.slice();
  for (let i = 0; i < n; i++) choleskySolve(factor, n, gain.subarray(i * n, (i + 1) * n));
  const rest = gain.map((entry, at) => (at % (n + 1) === 0 ? 1 : 0) - entry);
  const away = g.map((entry, i) => entry - mean[i]);
  const kept = product(product(rest, covariance, n), rest, n, true);
  const added = product(product(gain, noise, n), gain, n, true);
  return {
    mean: mean.map((entry, i) => entry + dot(gain.subarray(i * n, (i + 1) * n), away)),
    covariance: kept.map((entry, at) => entry + added[at]),
  };
}

/** A B, or A Bᵀ. */
function product(a: Float64Array, b: Float64Array, n: number, transposed = false): Float64Array {
  const c = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) {
      if (transposed) {
        c[i * n + j] = dot(a.subarray(i * n, (i + 1) * n), b.subarray(j * n, (j + 1) * n));
        continue;
      }
      const factor = a[i * n + j];
      for (let k = 0; k < n; k++) c[i * n + k] += factor * b[j * n + k];
    }
  return c;
}

/** What decides a step α along δ: a = −δᵀm, b = δᵀBδ, c₀ = 2s, c₁ = δᵀPδ, c₂ = ¼δᵀQδ. */
export interface Outlook {
  readonly a: number;
  readonly b: number;
  readonly c0: number;
  readonly c1: number;
  readonly c2: number;
}

/** The mean of the change of the loss over its standard deviation: (−aα + ½bα²)/√(c₀ + c₁α² + c₂α⁴). */
export function standardised({ a, b, c0, c1, c2 }: Outlook, alpha: number): number {
  const square = alpha * alpha;
  return (-a * alpha + 0.5 * b * square) / Math.sqrt(c0 + c1 * square + c2 * square * square);
}

/**
 * The step that makes an improvement most probable: the minimum of `standardised`, the one positive root of
 *
 *     a c₂α⁴ + ½b c₁α³ + b c₀α − a c₀ = 0
 *
 * (the derivative of the quotient, times the root; the terms in α² and α⁵ cancel). For b ≥ 0 its coefficients change sign once.
 * For b < 0 and c₂ > 0 too; otherwise every longer step looks better, and `most` is taken.
 *
 * @param outlook a > 0, c₀ > 0, the others ≥ 0 but for b
 * @param most the longest step
 */
export function improvingStep({ a, b, c0, c1, c2 }: Outlook, most: number): number {
  const value = (alpha: number): number =>
    ((a * c2 * alpha + 0.5 * b * c1) * alpha * alpha + b * c0) * alpha - a * c0;
  if (!(value(most) > 0)) return most;
  let [low, high] = [0, most];
  for (;;) {
    const middle = low + (high - low) / 2;
    if (!(middle > low && middle < high)) return middle;
    if (value(middle) > 0) high = middle;
    else low = middle;
  }
}
