import { dot } from "./vectors.ts";

/*
 * Small dense matrices, row-major. Everything here allocates its result; the inner loops of solvers on
 * matrices of a few hundred rows can afford it.
 */

/** C = A B for A p×q and B q×r. */
export function multiply(a: Float64Array, b: Float64Array, p: number, q: number, r: number): Float64Array {
  const c = new Float64Array(p * r);
  for (let i = 0; i < p; i++)
    for (let k = 0; k < q; k++) {
      const factor = a[i * q + k];
      for (let j = 0; j < r; j++) c[i * r + j] += factor * b[k * r + j];
    }
  return c;
}

/** Aᵀ for A p×q. */
export function transpose(a: Float64Array, p: number, q: number): Float64Array {
  const t = new Float64Array(p * q);
  for (let i = 0; i < p; i++) for (let j = 0; j < q; j++) t[j * p + i] = a[i * q + j];
  return t;
}

/** A x for A p×q. */
export function multiplyVector(a: Float64Array, x: Float64Array, p: number, q: number): Float64Array {
  const y = new Float64Array(p);
  for (let i = 0; i < p; i++) y[i] = dot(a, i * q, x, 0, q);
  return y;
}

/** Aᵀ y for A p×q. */
export function multiplyTransposed(a: Float64Array, y: Float64Array, p: number, q: number): Float64Array {
  const x = new Float64Array(q);
  for (let i = 0; i < p; i++) if (y[i] !== 0) for (let j = 0; j < q; j++) x[j] += y[i] * a[i * q + j];
  return x;
}

/** (A + Aᵀ)/2 for A n×n. */
export function symmetrise(a: Float64Array, n: number): Float64Array {
  const s = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) s[i * n + j] = 0.5 * a[i * n + j] + 0.5 * a[j * n + i];
  return s;
}

/** Gᵀ S G for S and G k×k. */
export function congruence(g: Float64Array, s: Float64Array, k: number): Float64Array {
  return multiply(transpose(g, k, k), multiply(s, g, k, k, k), k, k, k);
}

/** Σ f(λ_i) v_i v_iᵀ for eigenvalues and a block of eigenvectors of order k. */
export function spectralSum(weights: ArrayLike<number>, vectors: Float64Array, k: number): Float64Array {
  const sum = new Float64Array(k * k);
  for (let e = 0; e < k; e++) {
    if (weights[e] === 0) continue;
    for (let i = 0; i < k; i++) {
      const factor = weights[e] * vectors[e * k + i];
      for (let j = 0; j < k; j++) sum[i * k + j] += factor * vectors[e * k + j];
    }
  }
  return sum;
}
