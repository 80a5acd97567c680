import { EPS, hypot, valueError } from "../../base/index.ts";
import { addScaled, dot, norm, normalFactor } from "./vectors.ts";

/**
 * A factorisation A Π = Q R of a rows×cols matrix given by columns. Column j of Π is column order[j] of A; Q
 * is the product H₀H₁… of reflections H_j = I − 2 v_j v_jᵀ.
 */
export interface Qr {
  readonly rows: number;
  readonly cols: number;
  /** min(rows, cols) unit vectors v_j (or 0 for the identity), each of length rows */
  readonly reflectors: Float64Array;
  /** cols columns of length rows, upper triangular: R_ij is element j·rows + i */
  readonly r: Float64Array;
  readonly order: readonly number[];
  /** the leading diagonal entries of R above the rank tolerance, relative to the largest */
  readonly rank: number;
}

/**
 * QR factorisation by Householder reflections (Golub and Van Loan, §5.2 and §5.4), with column pivoting on
 * request, which makes the rank reliable for all but contrived matrices.
 *
 * @param columns cols vectors of length rows, one after the other, read
 * @param pivot take the column with the largest remainder next; default false
 * @returns rank counts the leading |R_jj| > max(rows, cols)·ε·max|R_ii|
 * @throws InputValueError if the length does not fit
 * Cost: 2·rows·cols² operations for rows ≥ cols.
 */
export function qr(columns: Float64Array, rows: number, cols: number, pivot = false): Qr {
  if (columns.length !== rows * cols)
    throw valueError("qr", `${cols} columns of length ${rows}`, `${columns.length} elements`);
  const r = columns.slice();
  const steps = Math.min(rows, cols);
  const reflectors = new Float64Array(steps * rows);
  const order = Array.from({ length: cols }, (_, j) => j);
  for (let j = 0; j < steps; j++) {
    if (pivot) swapColumns(r, rows, order, j, longestRemainder(r, rows, cols, j));
    const v = reflectors.subarray(j * rows, (j + 1) * rows);
    if (!reflector(r, j * rows + j, rows - j, v, j)) continue;
    for (let c = j; c < cols; c++)
      addScaled(-2 * dot(v, j, r, c * rows + j, rows - j), v, j, r, c * rows + j, rows - j);
    r.fill(0, j * rows + j + 1, (j + 1) * rows);
  }
  const diagonal = Array.from({ length: steps }, (_, j) => Math.abs(r[j * rows + j]));
  const bound = Math.max(rows, cols) * EPS * Math.max(0, ...diagonal);
  const small = diagonal.findIndex((entry) => !(entry > bound));
  return { rows, cols, reflectors, r, order, rank: small < 0 ? steps : small };
}

function longestRemainder(r: Float64Array, rows: number, cols: number, from: number): number {
  let best = from;
  let longest = -1;
  for (let c = from; c < cols; c++) {
    const length = norm(r, c * rows + from, rows - from);
    if (length > longest) {
      longest = length;
      best = c;
    }
  }
  return best;
}

function swapColumns(r: Float64Array, rows: number, order: number[], i: number, j: number): void {
  if (i === j) return;
  const kept = r.slice(i * rows, (i + 1) * rows);
  r.copyWithin(i * rows, j * rows, (j + 1) * rows);
  r.set(kept, j * rows);
  [order[i], order[j]] = [order[j], order[i]];
}

/** Writes the unit vector of the reflection of x = r[at …] to a multiple of e₁; false if x is one already. */
function reflector(r: Float64Array, at: number, length: number, v: Float64Array, vAt: number): boolean {
  const rest = norm(r, at + 1, length - 1);
  if (!(rest > 0)) return false;
  const factor = normalFactor(Math.max(Math.abs(r[at]), rest));
  const first = r[at] * factor;
  const size = hypot(first, rest * factor);
  for (let i = 0; i < length; i++) v[vAt + i] = r[at + i] * factor;
  v[vAt] = first > 0 ? first + size : first - size;
  const scale = norm(v, vAt, length);
  for (let i = vAt; i < vAt + length; i++) v[i] /= scale;
  return true;
}

/** x ← Qᵀ x, x of length rows. */
export function applyQTransposed({ rows, reflectors }: Qr, x: Float64Array): void {
  for (let at = 0; at < reflectors.length; at += rows)
    addScaled(-2 * dot(reflectors, at, x, 0, rows), reflectors, at, x, 0, rows);
}

/** x ← Q x, x of length rows. */
export function applyQ({ rows, reflectors }: Qr, x: Float64Array): void {
  for (let at = reflectors.length - rows; at >= 0; at -= rows)
    addScaled(-2 * dot(reflectors, at, x, 0, rows), reflectors, at, x, 0, rows);
}

/** x ← R⁻¹ x for the leading `size` rows and columns of R, with nonzero diagonal, and elements of x. */
export function solveUpper({ rows, r }: Qr, size: number, x: Float64Array): void {
  for (let j = size - 1; j >= 0; j--) {
    x[j] /= r[j * rows + j];
    addScaled(-x[j], r, j * rows, x, 0, j);
  }
}
