import { cos, pow, sin } from "../../base/index.ts";

/**
 * Positions of an h×w grid in `dim` numbers each, row by row: sin(xω), cos(xω), sin(yω), cos(yω), x the column and y
 * the row, ω_i = 10000^{−i/(dim/4 − 1)} for i < dim/4.
 */
export function planePositions(height: number, width: number, dim: number): Float64Array {
  const quarter = dim / 4;
  const table = new Float64Array(height * width * dim);
  for (let i = 0; i < quarter; i++) {
    const frequency = quarter === 1 ? 1 : 1 / pow(10000, i / (quarter - 1));
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        const row = (y * width + x) * dim + i;
        table[row] = sin(x * frequency);
        table[row + quarter] = cos(x * frequency);
        table[row + 2 * quarter] = sin(y * frequency);
        table[row + 3 * quarter] = cos(y * frequency);
      }
  }
  return table;
}

/** Positions 0, …, length − 1 in `dim` numbers each: sine and cosine, interleaved, of t·10000^{−2i/dim}. */
export function linePositions(length: number, dim: number): Float64Array {
  return Float64Array.from({ length: length * dim }, (_, at) => {
    const t = Math.floor(at / dim);
    const j = at % dim;
    const angle = t * pow(10000, -(j - (j % 2)) / dim);
    return j % 2 === 0 ? sin(angle) : cos(angle);
  });
}
