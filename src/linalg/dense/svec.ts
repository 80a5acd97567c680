import { pairIndex, valueError } from "../../base/index.ts";

/*
 * Symmetric k×k matrices as vectors of m = k(k+1)/2 coordinates in the orthonormal basis
 *   E_ii = e_i e_iᵀ,   E_ij = (e_i e_jᵀ + e_j e_iᵀ)/√2 for i < j,
 * in the order of the upper triangle by rows: (0,0), (0,1), …, (0,k−1), (1,1), …, (k−1,k−1). Coordinates are
 * X_ii and √2·X_ij, so that ⟨X, Y⟩ = tr(XY) is the dot product of the coordinates.
 */

/** The number of coordinates, k(k+1)/2. */
export function svecLength(k: number): number {
  return (k * (k + 1)) / 2;
}

/** The position of coordinate (i, j), i ≤ j, among the k(k+1)/2. */
export function svecIndex(k: number, i: number, j: number): number {
  return pairIndex(i, j, k);
}

/**
 * The coordinates of (M + Mᵀ)/2.
 * @param matrix k×k row-major, read
 * @param out k(k+1)/2 elements, overwritten and returned
 */
export function svec(
  matrix: Float64Array,
  k: number,
  out: Float64Array = new Float64Array(svecLength(k)),
): Float64Array {
  if (matrix.length !== k * k)
    throw valueError("svec", `a matrix of ${k}×${k} elements`, `${matrix.length} elements`);
  let at = 0;
  for (let i = 0; i < k; i++) {
    out[at++] = matrix[i * k + i];
    for (let j = i + 1; j < k; j++) out[at++] = (matrix[i * k + j] + matrix[j * k + i]) * Math.SQRT1_2;
  }
  return out;
}

/**
 * The symmetric matrix with the given coordinates.
 * @param coordinates k(k+1)/2 elements, read
 * @param out k×k row-major, overwritten and returned
 */
export function smat(
  coordinates: Float64Array,
  k: number,
  out: Float64Array = new Float64Array(k * k),
): Float64Array {
  if (coordinates.length !== svecLength(k))
    throw valueError("smat", `${svecLength(k)} coordinates`, `${coordinates.length}`);
  let at = 0;
  for (let i = 0; i < k; i++) {
    out[i * k + i] = coordinates[at++];
    for (let j = i + 1; j < k; j++) {
      const entry = coordinates[at++] * Math.SQRT1_2;
      out[i * k + j] = entry;
      out[j * k + i] = entry;
    }
  }
  return out;
}
