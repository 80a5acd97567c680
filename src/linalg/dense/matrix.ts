import { dot } from "./vectors.ts";

/*
 * Small dense matrices, row-major. Everything here allocates its result; the inner loops of solvers on
 * matrices of a few hundred rows can afford it.
 */

/** C = A B for A p×q and B q×r. Every element is summed in the order of its q terms. */
export function multiply(a: Float64Array, b: Float64Array, p: number, q: number, r: number): Float64Array {
  const c = new Float64Array(p * r);
  multiplyInto(c, a, b, p, q, r);
  return c;
}

/**
 * C ← A B for A p×q and B q×r, to the bits of `multiply`, without allocating. Sums of 2×4 elements are kept in registers:
 * `operatorCongruence` of order 32 takes 36 ms with it, and took 132 ms row by row (AMD EPYC, Node 20).
 *
 * @param c p×r, overwritten; neither A nor B
 */
export function multiplyInto(
  c: Float64Array,
  a: Float64Array,
  b: Float64Array,
  p: number,
  q: number,
  r: number,
): void {
  const rows = p - (p % 2);
  const columns = r - (r % 4);
  for (let i = 0; i < rows; i += 2)
    for (let j = 0; j < columns; j += 4) {
      let s0 = 0;
      let s1 = 0;
      let s2 = 0;
      let s3 = 0;
      let t0 = 0;
      let t1 = 0;
      let t2 = 0;
      let t3 = 0;
      for (let k = 0, at = j; k < q; k++, at += r) {
        const x = a[i * q + k];
        const y = a[i * q + q + k];
        const b0 = b[at];
        const b1 = b[at + 1];
        const b2 = b[at + 2];
        const b3 = b[at + 3];
        s0 += x * b0;
        s1 += x * b1;
        s2 += x * b2;
        s3 += x * b3;
        t0 += y * b0;
        t1 += y * b1;
        t2 += y * b2;
        t3 += y * b3;
      }
      const at = i * r + j;
      c[at] = s0;
      c[at + 1] = s1;
      c[at + 2] = s2;
      c[at + 3] = s3;
      c[at + r] = t0;
      c[at + r + 1] = t1;
      c[at + r + 2] = t2;
      c[at + r + 3] = t3;
    }
  for (let i = 0; i < p; i++)
    for (let j = i < rows ? columns : 0; j < r; j++) {
      let sum = 0;
      for (let k = 0; k < q; k++) sum += a[i * q + k] * b[k * r + j];
      c[i * r + j] = sum;
    }
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
