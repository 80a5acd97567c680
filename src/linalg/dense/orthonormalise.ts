import { EPS } from "../../base/index.ts";
import { addScaled, dot, norm, scale } from "./vectors.ts";

/** Projections per vector: twice is enough (Parlett, §6.9), and a third settles hard cases. */
const PASSES = 3;

/**
 * Makes vector `index` of a block orthonormal to the vectors 0 … index−1, which must be orthonormal already.
 *
 * @param basis the block, vectors of length n; vector `index` is read and overwritten
 * @param keep the least fraction of its length that must be left after projection
 * @returns false, with the vector in no useful state, if less is left, that is, if it depends on the others
 */
export function orthonormalise(basis: Float64Array, index: number, n: number, keep = 4 * EPS): boolean {
  const at = index * n;
  const original = norm(basis, at, n);
  if (!(original > 0) || !Number.isFinite(original)) return false;
  normalise(basis, at, n, original);
  let left = 1;
  for (let pass = 0; pass < PASSES; pass++) {
    for (let i = 0; i < index; i++) addScaled(-dot(basis, i * n, basis, at, n), basis, i * n, basis, at, n);
    const after = norm(basis, at, n);
    left *= after;
    if (!(left > keep)) return false;
    normalise(basis, at, n, after);
    if (after > 0.7) return true;
  }
  return false;
}

/** Divides a vector by its norm; in two steps if the reciprocal would overflow. */
function normalise(x: Float64Array, at: number, n: number, size: number): void {
  if (size > 1e-290) scale(1 / size, x, at, n);
  else for (let i = at; i < at + n; i++) x[i] /= size;
}
