import { pairIndex } from "../../base/index.ts";

/**
 * For each of `count` vectors of length p a power of two that brings its norm into [1, 2): D[u], D[v] and D[u + v] are
 * then of one size, and scaling rounds nothing. 1 for a vector that is zero or has no finite norm.
 */
export function unitScales(vectors: Float64Array, count: number, p: number): Float64Array {
  return Float64Array.from({ length: count }, (_, i) => {
    let squares = 0;
    for (let l = i * p; l < (i + 1) * p; l++) squares += vectors[l] * vectors[l];
    const norm = Math.sqrt(squares);
    if (!(norm > 0 && norm < Number.POSITIVE_INFINITY)) return 1;
    let scale = 1;
    while (norm * scale < 1) scale *= 2;
    while (norm * scale >= 2) scale /= 2;
    return scale;
  });
}

/**
 * Rows D[v_i] and, for pairs, D[v_i + v_j] with v = scales·u and D[v] = D³L[v,v,·] become T_ij = D³L[u_i, u_j, ·]:
 * T_ij = ½(D[v_i + v_j] − D[v_i] − D[v_j])/(scales_i·scales_j). Identity: D[2v] = 4 D[v], so T_ii of a pair of equal
 * vectors is D[u_i] again.
 */
export function polarise(rows: Float64Array, count: number, p: number, scales: Float64Array): void {
  for (let i = 0; i < count; i++)
    for (let j = i + 1; j < count; j++) {
      const row = pairIndex(i, j, count) * p;
      const a = pairIndex(i, i, count) * p;
      const b = pairIndex(j, j, count) * p;
      const scale = 0.5 / scales[i] / scales[j];
      for (let l = 0; l < p; l++) rows[row + l] = scale * (rows[row + l] - rows[a + l] - rows[b + l]);
    }
  for (let i = 0; i < count; i++) {
    const row = pairIndex(i, i, count) * p;
    const scale = 1 / scales[i] / scales[i];
    for (let l = 0; l < p; l++) rows[row + l] *= scale;
  }
}
