import { EPS } from "../../base/index.ts";
import { addCombined, innerProducts, norm, scale } from "./vectors.ts";

/**
 * Projections per vector, each against all others at once (classical Gram–Schmidt): twice is enough (Parlett, §6.9; Giraud,
 * Langou, Rozložník, van den Eshof, Numer. Math. 101, 2005), and a third settles hard cases.
 */
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
  const overlaps = new Float64Array(index);
  let left = 1;
  for (let pass = 0; pass < PASSES; pass++) {
    innerProducts(basis, at, 1, basis, 0, index, n, overlaps);
    for (let i = 0; i < index; i++) overlaps[i] = -overlaps[i];
    addCombined(basis, index, n, overlaps, 1, basis, at);
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
