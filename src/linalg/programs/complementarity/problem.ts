import { EPS, type ShouldStop } from "../../../base/index.ts";
import { cholesky } from "../../dense/cholesky.ts";
import { multiplyVector, spectralSum, symmetrise } from "../../dense/matrix.ts";
import { smat, svec } from "../../dense/svec.ts";
import { symmetricEigen } from "../../dense/symmetric-eigen.ts";
import { dot, norm } from "../../dense/vectors.ts";

/** A semidefinite complementarity problem with symmetric A and symmetric positive semidefinite B. */
export interface SdcpProblem {
  readonly k: number;
  /** k×k */
  readonly a: Float64Array;
  /** m×m in `svec` coordinates, m = k(k+1)/2 */
  readonly b: Float64Array;
  /** looked at in every step */
  readonly shouldStop?: ShouldStop | undefined;
}

/** The recomputed violations of the three conditions; each is 0 for an exact solution. */
export interface SdcpViolations {
  /** −λ_min(X)/‖X‖, at least 0 */
  readonly semidefiniteX: number;
  /** −λ_min(A + B[X])/‖A‖, at least 0 */
  readonly semidefiniteY: number;
  /** |⟨X, A + B[X]⟩| / (‖X‖·‖A‖) */
  readonly complementarity: number;
}

/** Y = A + B[X]. */
export function slack(problem: SdcpProblem, x: Float64Array): Float64Array {
  const { k, a, b } = problem;
  const coordinates = svec(x, k);
  const y = smat(multiplyVector(b, coordinates, coordinates.length, coordinates.length), k);
  for (let i = 0; i < y.length; i++) y[i] += a[i];
  return y;
}

/** Measures X against the conditions; all norms are Frobenius norms. NaN or infinity in X gives infinity. */
export function violations(problem: SdcpProblem, x: Float64Array): SdcpViolations {
  const { k, a } = problem;
  const y = slack(problem, x);
  const sizeX = norm(x);
  const sizeA = norm(a);
  const inner = Math.abs(dot(x, 0, y, 0, k * k));
  const relative = (amount: number, size: number) => {
    const ratio = amount > 0 ? amount / size : 0;
    return Number.isFinite(amount) && Number.isFinite(ratio) ? ratio : Number.POSITIVE_INFINITY;
  };
  return {
    semidefiniteX: relative(-(symmetricEigen(x, k).values[0] ?? 0), sizeX),
    semidefiniteY: relative(-(symmetricEigen(y, k).values[0] ?? 0), sizeA),
    complementarity: Number.isFinite(inner)
      ? relative(inner / (sizeX || 1), sizeA)
      : Number.POSITIVE_INFINITY,
  };
}

/** The largest of the three. */
export function worst({ semidefiniteX, semidefiniteY, complementarity }: SdcpViolations): number {
  return Math.max(semidefiniteX, semidefiniteY, complementarity);
}

/** What `positivePart` did to B, relative to its Frobenius norm. */
export interface OperatorRepair {
  /** ‖B − Bᵀ‖/2 */
  readonly asymmetry: number;
  /** norm of the negative part that was clipped; 0 if B was positive semidefinite up to rounding */
  readonly clipped: number;
}

/**
 * The symmetric part of B with its negative eigenvalues set to zero, as the reference code does. Eigenvalues
 * above −m·ε·‖B‖ pass as rounding errors of zero, found by a Cholesky attempt in place of the m³-costly
 * eigen decomposition.
 */
export function positivePart(
  b: Float64Array,
  m: number,
  shouldStop?: ShouldStop,
): { b: Float64Array; repair: OperatorRepair } {
  const symmetric = symmetrise(b, m);
  const size = norm(symmetric);
  const asymmetry = size > 0 ? norm(b.map((entry, i) => entry - symmetric[i])) / size : 0;
  const shifted = symmetric.map(
    (entry, i) => (size > 0 ? entry / size : 0) + (i % (m + 1) === 0 ? m * EPS : 0),
  );
  if (cholesky(shifted, m, shouldStop).status === "solved")
    return { b: symmetric, repair: { asymmetry, clipped: 0 } };
  const { values, vectors } = symmetricEigen(symmetric, m, shouldStop);
  const clipped = norm(values.map((value) => Math.min(value, 0))) / size;
  const kept = values.map((value) => Math.max(value, 0));
  return { b: spectralSum(kept, vectors, m), repair: { asymmetry, clipped } };
}
