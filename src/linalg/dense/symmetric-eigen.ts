import { EPS, hypot, type ShouldStop, throwIfStopped, valueError } from "../../base/index.ts";
import type { DenseStatus } from "../status.ts";
import { addScaled, dot, maxAbs, norm, normalFactor, powerOfTwoNear, scale } from "./vectors.ts";

/** Eigenvalues in ascending order; eigenvector i is vectors[i·n … (i+1)·n − 1], orthonormal. */
export interface SymmetricEigen {
  readonly values: Float64Array;
  readonly vectors: Float64Array;
  readonly status: DenseStatus;
}

/** Steps allowed per eigenvalue; about 1.7 are needed on average, EISPACK and LAPACK allow 30. */
const STEPS_PER_VALUE = 30;

/**
 * All eigenpairs of a dense real symmetric matrix, A = Σ λ_i v_i v_iᵀ.
 *
 * Householder tridiagonalisation, then implicit QL steps with Wilkinson's shift (Parlett, *The Symmetric
 * Eigenvalue Problem*, §7.4 and §8.9–8.13). The matrix is first scaled by a power of two, so the result is
 * backward stable for any finite input: ‖A V − V Λ‖ and ‖A‖·‖I − VᵀV‖ are small multiples of n·ε·‖A‖.
 *
 * @param a n×n row-major, read; the mean of A and Aᵀ is used
 * @param n order, 0 allowed
 * @param shouldStop looked at before each of about 3n parts of the work
 * @returns status "solved"; "not-finite" (values and vectors are NaN) if an element of A is not finite;
 *   "iteration-limit" if QL did not finish (never seen; the pairs are then approximate)
 * @throws InputValueError if a does not have n² elements; Stopped where `shouldStop` answers true
 * Cost: about 9n³ operations.
 */
export function symmetricEigen(a: Float64Array, n: number, shouldStop?: ShouldStop): SymmetricEigen {
  if (a.length !== n * n)
    throw valueError("symmetricEigen", `a matrix of ${n}×${n} elements`, `${a.length} elements`);
  const size = maxAbs(a);
  if (!Number.isFinite(size)) {
    const values = new Float64Array(n).fill(Number.NaN);
    return { values, vectors: new Float64Array(n * n).fill(Number.NaN), status: "not-finite" };
  }
  const unit = size > 0 ? powerOfTwoNear(size) : 1;
  const work = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) work[i * n + j] = 0.5 * (a[i * n + j] / unit) + 0.5 * (a[j * n + i] / unit);
  const diagonal = new Float64Array(n);
  const offDiagonal = new Float64Array(n);
  const look = (): void => throwIfStopped("symmetricEigen", shouldStop);
  tridiagonalise(work, n, diagonal, offDiagonal, look);
  const status = tridiagonalEigen(diagonal, offDiagonal, work, n, look);
  sortAscending(diagonal, work, n);
  scale(unit, diagonal, 0, n);
  return { values: diagonal, vectors: work, status };
}

/** `symmetricEigen` by numpy's name; eigenvectors are rows here, not columns. */
export const eigh = symmetricEigen;

/**
 * A = Q T Qᵀ with Q = H₀H₁…H₍ₙ₋₃₎, H_j = I − 2 v_j v_jᵀ, where the unit vector v_j is zero up to element j.
 * @param a n×n, symmetric; read, overwritten by Qᵀ (row i is column i of Q)
 * @param diagonal overwritten by T_ii
 * @param offDiagonal overwritten by T_{i,i+1} in element i (the last is 0)
 */
function tridiagonalise(
  a: Float64Array,
  n: number,
  diagonal: Float64Array,
  offDiagonal: Float64Array,
  look: () => void,
): void {
  const w = new Float64Array(n);
  for (let j = 0; j < n - 1; j++) {
    look();
    const row = j * n;
    const first = row + j + 1;
    const length = n - j - 1;
    diagonal[j] = a[row + j];
    offDiagonal[j] = reflector(a, first, length);
    if (length === 1) break;
    // w = A v − (vᵀA v) v, then A ← A − 2 (v wᵀ + w vᵀ) on the trailing block.
    for (let i = j + 1; i < n; i++) w[i] = dot(a, i * n + j + 1, a, first, length);
    addScaled(-dot(w, j + 1, a, first, length), a, first, w, j + 1, length);
    for (let i = j + 1; i < n; i++) {
      addScaled(-2 * a[row + i], w, j + 1, a, i * n + j + 1, length);
      addScaled(-2 * w[i], a, first, a, i * n + j + 1, length);
    }
  }
  if (n > 0) diagonal[n - 1] = a[n * n - 1];
  accumulate(a, n, look);
}

/**
 * Overwrites x (length elements of a, from `first`) by the unit vector v of the reflection that maps x to a
 * multiple of e₁, and returns that multiple. v = 0, the identity, if x is already one.
 */
function reflector(a: Float64Array, first: number, length: number): number {
  const x0 = a[first];
  const rest = norm(a, first + 1, length - 1);
  if (rest === 0) {
    a.fill(0, first, first + length);
    return x0;
  }
  const factor = normalFactor(Math.max(Math.abs(x0), rest));
  if (factor !== 1) {
    scale(factor, a, first, length);
    return reflector(a, first, length) / factor;
  }
  const image = x0 > 0 ? -hypot(x0, rest) : hypot(x0, rest);
  a[first] = x0 - image;
  const size = norm(a, first, length);
  for (let i = first; i < first + length; i++) a[i] /= size;
  return image;
}

/** Replaces the reflectors in the rows of a (v_j in row j, right of the diagonal) by Qᵀ = H₍ₙ₋₃₎…H₀. */
function accumulate(a: Float64Array, n: number, look: () => void): void {
  const v = new Float64Array(n);
  for (let j = n - 1; j >= 0; j--) {
    look();
    const length = n - j - 1;
    v.set(a.subarray(j * n + j + 1, (j + 1) * n), j + 1);
    a.fill(0, j * n + j, (j + 1) * n);
    a[j * n + j] = 1;
    // Rows and columns from j+1 on hold the product of the later reflectors; multiply by H_j on the right.
    for (let i = j + 1; i < n; i++) {
      a[i * n + j] = 0;
      const c = -2 * dot(a, i * n + j + 1, v, j + 1, length);
      if (c !== 0) addScaled(c, v, j + 1, a, i * n + j + 1, length);
    }
  }
}

/**
 * Diagonalises the tridiagonal T (elements of size ≤ a few units) by implicit QL steps.
 * @param d diagonal of T, overwritten by the eigenvalues in no particular order
 * @param e off-diagonal, e[i] = T_{i,i+1}, destroyed
 * @param rows n rows of length n, multiplied from the left by the rotations: Qᵀ becomes Vᵀ
 */
function tridiagonalEigen(
  d: Float64Array,
  e: Float64Array,
  rows: Float64Array,
  n: number,
  look: () => void,
): DenseStatus {
  let steps = STEPS_PER_VALUE * n;
  for (let low = 0; low < n; low++) {
    for (;;) {
      let high = low;
      while (high < n - 1 && !negligible(e[high], d[high], d[high + 1])) high++;
      if (high < n - 1) e[high] = 0;
      if (high === low) break;
      if (steps-- === 0) return "iteration-limit";
      look();
      qlStep(d, e, rows, n, low, high);
    }
  }
  return "solved";
}

/** An off-diagonal that changes no eigenvalue beyond ε of its neighbours, or ε² of the scaled matrix. */
function negligible(e: number, d0: number, d1: number): boolean {
  return Math.abs(e) <= EPS * (Math.abs(d0) + Math.abs(d1)) || Math.abs(e) <= EPS * EPS;
}

/** One implicit QL step on rows low … high of T: rotations chase the bulge of T − σI = QL upwards. */
function qlStep(
  d: Float64Array,
  e: Float64Array,
  rows: Float64Array,
  n: number,
  low: number,
  high: number,
): void {
  // Wilkinson's shift: the eigenvalue of the leading 2×2 block nearer to d[low].
  const half = (d[low + 1] - d[low]) / 2;
  const root = hypot(half, e[low]);
  const shift = d[low] - (e[low] / (half + (half < 0 ? -root : root))) * e[low];
  let x = d[high] - shift;
  let bulge = e[high - 1];
  for (let i = high - 1; i >= low; i--) {
    const factor = normalFactor(Math.max(Math.abs(x), Math.abs(bulge)));
    const length = hypot(factor * x, factor * bulge);
    const c = length === 0 ? 1 : (factor * x) / length;
    const s = length === 0 ? 0 : (factor * bulge) / length;
    const r = length / factor;
    if (i < high - 1) e[i + 1] = r;
    // Rotate rows and columns i, i+1 of T: [d_i e_i; e_i d_{i+1}].
    const p = d[i];
    const q = e[i];
    const t = d[i + 1];
    const cross = 2 * c * s * q;
    d[i + 1] = c * c * t + cross + s * s * p;
    d[i] = s * s * t - cross + c * c * p;
    e[i] = c * s * (p - t) + (c * c - s * s) * q;
    if (i > low) {
      bulge = s * e[i - 1];
      e[i - 1] *= c;
      x = e[i];
    }
    rotate(rows, i * n, (i + 1) * n, n, c, s);
  }
}

/** (x, y) ← (c·x − s·y, s·x + c·y) for the rows at xAt and yAt. */
function rotate(rows: Float64Array, xAt: number, yAt: number, n: number, c: number, s: number): void {
  for (let k = 0; k < n; k++) {
    const x = rows[xAt + k];
    const y = rows[yAt + k];
    rows[xAt + k] = c * x - s * y;
    rows[yAt + k] = s * x + c * y;
  }
}

/** Sorts the values ascending and the rows with them. */
function sortAscending(values: Float64Array, rows: Float64Array, n: number): void {
  const order = Array.from(values, (_, i) => i).sort((i, j) => values[i] - values[j]);
  const oldValues = values.slice();
  const oldRows = rows.slice();
  order.forEach((from, to) => {
    values[to] = oldValues[from];
    rows.set(oldRows.subarray(from * n, (from + 1) * n), to * n);
  });
}
