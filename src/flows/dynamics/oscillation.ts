import { symmetricEigen } from "../../linalg/index.ts";
import { addMultiple } from "./effective-hessian.ts";

/** Σ = UXUᵀ diagonalised: Σ = Σ_i variance_i·direction_i directionᵀ_i with DᵀPD = I. */
export interface Oscillation {
  /** Λ, descending, P-normalised. */
  readonly variances: Float64Array;
  /** The columns of UQ, one vector of length p per variance. */
  readonly directions: Float64Array;
  /** dᵀHd of each direction, where it is not c. */
  readonly curvatures?: Float64Array;
}

/** Σ = 0. */
export const NO_OSCILLATION: Oscillation = {
  variances: new Float64Array(0),
  directions: new Float64Array(0),
};

/**
 * X = QΛQᵀ, directions UQ.
 * @param X k×k, symmetric; @param vectors U, k vectors of length p
 * @param eigenvalues those of the vectors, where directions below the edge oscillate too
 */
export function oscillationOf(
  X: Float64Array,
  vectors: Float64Array,
  p: number,
  eigenvalues?: Float64Array,
): Oscillation {
  const k = vectors.length / p;
  const { values, vectors: turns } = symmetricEigen(X, k);
  const order = Array.from(values, (_, i) => i).sort((a, b) => values[b] - values[a]);
  const directions = new Float64Array(k * p);
  order.forEach((column, row) => {
    for (let i = 0; i < k; i++) addMultiple(turns[column * k + i], vectors, i, directions, row, p);
  });
  const variances = Float64Array.from(order, (i) => values[i]);
  if (!eigenvalues) return { variances, directions };
  const curvatures = Float64Array.from(order, (column) => {
    let total = 0;
    for (let i = 0; i < k; i++) total += turns[column * k + i] ** 2 * eigenvalues[i];
    return total;
  });
  return { variances, directions, curvatures };
}
