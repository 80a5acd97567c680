import { pairIndex } from "../../base/index.ts";

/**
 * For each of `count` vectors of length p a power of two that brings its norm into [1, 2): D[u], D[v] and D[u + v] are
 * then of one size, and scaling rounds nothing. 1 for a vector that is zero or has no finite norm.
 */
export function unitScales(vectors: Float64Array, count: number, p: number): Float64Array {
  return Float64Array.from({ length: count }, (_, i) => {
    const norm = Math.sqrt(sumOfSquares(vectors, i * p, p));
    if (!(norm > 0 && norm < Number.POSITIVE_INFINITY)) return 1;
    let scale = 1;
    while (norm * scale < 1) scale *= 2;
    while (norm * scale >= 2) scale /= 2;
    return scale;
  });
}

function sumOfSquares(x: Float64Array, at: number, n: number): number {
  let squares = 0;
  for (let l = at; l < at + n; l++) squares += x[l] * x[l];
  return squares;
}

/**
 * A pair of which polarisation loses more than this factor in size loses 16 of 53 bits or more. Measured: in all
 * architectures, at the start and at the edge, between leading eigenvectors, the factor is 30 at most.
 */
const MOST_CANCELLATION = 2 ** 16;

/**
 * Rows D[v_i] and, for pairs, D[v_i + v_j] with v = scales·u and D[v] = D³L[v,v,·] become T_ij = D³L[u_i, u_j, ·]:
 * T_ij = ½(D[v_i + v_j] − D[v_i] − D[v_j])/(scales_i·scales_j). Identity: D[2v] = 4 D[v], so T_ii of a pair of equal
 * vectors is D[u_i] again. The error of a row is a few roundings of its largest term; in units of the row's size that is
 * the rounding unit times the cancellation, what the terms are larger than the row.
 * @returns the pairs whose cancellation is too large to trust their rows; largest entries are what sizes are measured by
 */
export function polarise(
  rows: Float64Array,
  count: number,
  p: number,
  scales: Float64Array,
): readonly (readonly [number, number])[] {
  const cancelled: [number, number][] = [];
  for (let i = 0; i < count; i++)
    for (let j = i + 1; j < count; j++) {
      const row = pairIndex(i, j, count) * p;
      const a = pairIndex(i, i, count) * p;
      const b = pairIndex(j, j, count) * p;
      const scale = 0.5 / scales[i] / scales[j];
      let terms = 0;
      let difference = 0;
      for (let l = 0; l < p; l++) {
        const sum = rows[row + l];
        const left = rows[a + l];
        const right = rows[b + l];
        const found = sum - left - right;
        terms = Math.max(terms, Math.abs(sum), Math.abs(left), Math.abs(right));
        difference = Math.max(difference, Math.abs(found));
        rows[row + l] = scale * found;
      }
      if (terms > 0 && terms >= MOST_CANCELLATION * difference) cancelled.push([i, j]);
    }
  for (let i = 0; i < count; i++) {
    const row = pairIndex(i, i, count) * p;
    const scale = 1 / scales[i] / scales[i];
    for (let l = 0; l < p; l++) rows[row + l] *= scale;
  }
  return cancelled;
}
