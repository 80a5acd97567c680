import { type ShouldStop, throwIfStopped, valueError } from "../../base/index.ts";
import { addScaled, allFinite, dot } from "./vectors.ts";

/** A = L Lᵀ with L lower triangular, n×n row-major, zeros above the diagonal. */
export interface Cholesky {
  readonly factor: Float64Array;
  readonly status: "solved" | "not-positive-definite" | "not-finite";
}

/**
 * Cholesky factorisation of a symmetric positive definite matrix (row by row; Golub and Van Loan, §4.2).
 *
 * @param a n×n row-major, read; only the lower triangle counts
 * @param shouldStop looked at before each row
 * @returns the factor; "not-positive-definite" if a pivot is not > 0 (rows from there on are then zero)
 * @throws InputValueError if a does not have n² elements; Stopped where `shouldStop` answers true
 * Cost: n³/3 operations.
 */
export function cholesky(a: Float64Array, n: number, shouldStop?: ShouldStop): Cholesky {
  if (a.length !== n * n)
    throw valueError("cholesky", `a matrix of ${n}×${n} elements`, `${a.length} elements`);
  const factor = new Float64Array(n * n);
  if (!allFinite(a)) return { factor, status: "not-finite" };
  for (let i = 0; i < n; i++) {
    throwIfStopped("cholesky", shouldStop);
    for (let j = 0; j < i; j++)
      factor[i * n + j] = (a[i * n + j] - dot(factor, i * n, factor, j * n, j)) / factor[j * n + j];
    const pivot = a[i * n + i] - dot(factor, i * n, factor, i * n, i);
    if (!(pivot > 0 && pivot < Number.POSITIVE_INFINITY)) {
      factor.fill(0, i * n);
      return { factor, status: "not-positive-definite" };
    }
    factor[i * n + i] = Math.sqrt(pivot);
  }
  return { factor, status: "solved" };
}

/** x ← L⁻¹ x for a lower triangular L (n×n row-major, nonzero diagonal). */
export function solveLower(factor: Float64Array, n: number, x: Float64Array): void {
  for (let i = 0; i < n; i++) x[i] = (x[i] - dot(factor, i * n, x, 0, i)) / factor[i * n + i];
}

/** x ← L⁻ᵀ x for a lower triangular L (n×n row-major, nonzero diagonal). */
export function solveLowerTransposed(factor: Float64Array, n: number, x: Float64Array): void {
  for (let i = n - 1; i >= 0; i--) {
    x[i] /= factor[i * n + i];
    addScaled(-x[i], factor, i * n, x, 0, i);
  }
}

/** x ← (L Lᵀ)⁻¹ x. */
export function choleskySolve(factor: Float64Array, n: number, x: Float64Array): void {
  solveLower(factor, n, x);
  solveLowerTransposed(factor, n, x);
}
