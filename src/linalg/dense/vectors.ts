import { highWord, powerOfTwo, SMALLEST_NORMAL } from "../../base/index.ts";
import { VectorRoom } from "../../wasm/index.ts";

/*
 * Kernels on vectors and on blocks of vectors. A block of `count` vectors of length n is one array in which
 * vector i occupies elements i·n … (i+1)·n − 1. Offsets are in elements. Nothing is allocated unless a
 * docstring says so, nothing is checked: callers validate at the public boundary.
 */

/**
 * Arrays that are borrowed here lie where WebAssembly reaches them: block operations on them run as kernels of two doubles
 * per instruction, to the bits of the loops below. Measured at n = 3268, 24 vectors: 2 to 5 times as fast.
 */
const room = new VectorRoom();

/**
 * Lends `length` numbers, whatever they are, for as long as `work` runs; inside it, borrowing gives plain arrays.
 * @returns what `work` returns
 */
export function borrow<T>(length: number, work: (space: Float64Array) => T): T {
  return room.borrow(length, work);
}

/** Σ x_i y_i over n elements. Four partial sums: fewer dependent additions, and a smaller rounding error. */
export function dot(x: Float64Array, xAt: number, y: Float64Array, yAt: number, n: number): number {
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  const whole = n - (n % 4);
  for (let i = 0; i < whole; i += 4) {
    s0 += x[xAt + i] * y[yAt + i];
    s1 += x[xAt + i + 1] * y[yAt + i + 1];
    s2 += x[xAt + i + 2] * y[yAt + i + 2];
    s3 += x[xAt + i + 3] * y[yAt + i + 3];
  }
  for (let i = whole; i < n; i++) s0 += x[xAt + i] * y[yAt + i];
  return s0 + s1 + (s2 + s3);
}

/**
 * out[i·columns + j] ← ⟨x_i, y_j⟩, to the bits of `dot`, for two blocks of vectors of length n from elements xAt and yAt on.
 * Cost: 2·rows·columns·n operations.
 */
export function innerProducts(
  x: Float64Array,
  xAt: number,
  rows: number,
  y: Float64Array,
  yAt: number,
  columns: number,
  n: number,
  out: Float64Array,
): void {
  if (columns <= MOST_AT_ONCE && room.holds(x) && room.holds(y)) {
    room.inner(x, xAt, rows, y, yAt, columns, n, out);
    return;
  }
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) out[i * columns + j] = dot(x, xAt + i * n, y, yAt + j * n, n);
}

/**
 * ⟨x_i, y_j⟩ of two blocks of vectors of length n, `rows` and `columns` of them, row-major: an array of its own, to the bits
 * of `dot` (four partial sums, taken together in a fixed order).
 * @param x rows·n elements, read; @param y columns·n elements, read
 * @param look called before every few rows; it may throw
 * Cost: 2·rows·columns·n operations, and copies of both blocks.
 */
export function crossProducts(
  x: Float64Array,
  rows: number,
  y: Float64Array,
  columns: number,
  n: number,
  look?: () => void,
): Float64Array {
  const out = new Float64Array(rows * columns);
  const some = Math.max(1, Math.min(rows, Math.floor(LOOK_AFTER / (columns * n + 1))));
  const fill = (left: Float64Array, right: Float64Array): Float64Array => {
    for (let i = 0; i < rows; i += some) {
      look?.();
      const count = Math.min(some, rows - i);
      innerProducts(left, i * n, count, right, 0, columns, n, out.subarray(i * columns));
    }
    return out;
  };
  if ((rows + columns) * n > MOST_COPIED) return fill(x, y);
  return borrow((rows + columns) * n, (space) => {
    space.set(x.subarray(0, rows * n));
    space.set(y.subarray(0, columns * n), rows * n);
    return fill(space, space.subarray(rows * n));
  });
}

/** Larger blocks are not copied to where kernels reach them (64 MB). */
const MOST_COPIED = 2 ** 23;

/** Multiplications between two looks at whether to stop. */
const LOOK_AFTER = 1e7;

/** y ← y + a·x over n elements. */
export function addScaled(
  a: number,
  x: Float64Array,
  xAt: number,
  y: Float64Array,
  yAt: number,
  n: number,
): void {
  for (let i = 0; i < n; i++) y[yAt + i] += a * x[xAt + i];
}

/** x ← a·x over n elements. */
export function scale(a: number, x: Float64Array, at: number, n: number): void {
  for (let i = 0; i < n; i++) x[at + i] *= a;
}

/** max |x_i| over the whole array, NaN if any element is NaN, 0 if there is none. */
export function maxAbs(x: Float64Array): number {
  let largest = 0;
  for (let i = 0; i < x.length; i++) {
    const a = Math.abs(x[i]);
    if (a > largest) largest = a;
    else if (Number.isNaN(a)) return a;
  }
  return largest;
}

/** ‖x‖₂ over n elements; rescales by a power of two if the plain sum of squares leaves the safe range. */
export function norm(x: Float64Array, at = 0, n = x.length): number {
  const squares = squaresOf(x, at, n);
  if (squares > 1e-280 && squares < 1e280) return Math.sqrt(squares);
  const largest = maxAbs(x.subarray(at, at + n));
  if (!(largest > 0) || largest === Number.POSITIVE_INFINITY) return largest;
  const unit = powerOfTwoNear(largest);
  let sum = 0;
  for (let i = 0; i < n; i++) sum += (x[at + i] / unit) ** 2;
  return Math.sqrt(sum) * unit;
}

/** Vectors shorter than this are not worth a call of a kernel. */
const SHORTEST = 256;
const one = new Float64Array(1);

/** `dot` of a vector with itself, by the kernel where that reaches it. */
function squaresOf(x: Float64Array, at: number, n: number): number {
  if (n < SHORTEST || !room.holds(x)) return dot(x, at, x, at, n);
  room.inner(x, at, 1, x, at, 1, n, one);
  return one[0];
}

/** The power of two 2^e with 2^e ≤ a < 2^(e+1), for finite a > 0, kept normal and invertible. */
export function powerOfTwoNear(a: number): number {
  const clamped = Math.min(Math.max(a, 2 * SMALLEST_NORMAL), 2 ** 1020);
  return powerOfTwo((highWord(clamped) >> 20) - 1023);
}

/**
 * 1, but for vectors of extreme size the power of two that makes them ordinary. Below 2⁻¹⁰²²/ε² (rounded up) elements
 * that count are subnormal, known to a few bits only, and a reflection or rotation made of their quotients would not be
 * orthogonal; near the largest double a sum of two overflows.
 */
export function normalFactor(size: number): number {
  if (size < 2 ** -900) return 2 ** 600;
  return size > 2 ** 1000 ? 2 ** -600 : 1;
}

/** True if the entries are finite: their norm is, or there are entries whose squares overflow. */
export function finiteNorm(size: number, x: Float64Array, at: number, n: number): boolean {
  return Number.isFinite(size) || (!Number.isNaN(size) && allFinite(x, at, n));
}

/** True if every one of the elements at … at+n−1 is finite. */
export function allFinite(x: Float64Array, at = 0, n = x.length): boolean {
  for (let i = at; i < at + n; i++) if (!Number.isFinite(x[i])) return false;
  return true;
}

/**
 * y ← y + Σ_i c[cAt + i]·x_i over `length` elements for i < m, x_i starting at xAt + i·stride. Four vectors are added
 * per pass, so that y is read and written a quarter as often.
 */
function addSum(
  c: Float64Array,
  cAt: number,
  m: number,
  x: Float64Array,
  xAt: number,
  stride: number,
  y: Float64Array,
  yAt: number,
  length: number,
): void {
  const fours = m - (m % 4);
  for (let i = 0; i < fours; i += 4) {
    const c0 = c[cAt + i];
    const c1 = c[cAt + i + 1];
    const c2 = c[cAt + i + 2];
    const c3 = c[cAt + i + 3];
    const x0 = xAt + i * stride;
    const x1 = x0 + stride;
    const x2 = x1 + stride;
    const x3 = x2 + stride;
    for (let l = 0; l < length; l++)
      y[yAt + l] += c0 * x[x0 + l] + c1 * x[x1 + l] + (c2 * x[x2 + l] + c3 * x[x3 + l]);
  }
  for (let i = fours; i < m; i++) addScaled(c[cAt + i], x, xAt + i * stride, y, yAt, length);
}

/** Vectors are combined in pieces of this many elements, so that a piece of every vector stays in cache. */
export const PIECE = 1024;
/** More vectors than this are not combined by kernels: their coefficients have no room there. */
const MOST_AT_ONCE = 4096;

/**
 * out_j ← out_j + Σ_i coefficients[j·m + i]·basis_i for j < count: combinations of the m vectors of a block. Four
 * vectors are added at a time: the sum is read and written a quarter as often (measured: 2.9 GFLOP/s; one vector at a
 * time 1.2 to 1.9).
 * @param basis m vectors of length n from its start, read
 * @param coefficients count×m, row-major, read
 * @param out added to from element outAt on; that part must not overlap the m vectors
 * @param look called before every piece, of about 10⁷ operations at most; it may throw
 */
export function addCombined(
  basis: Float64Array,
  m: number,
  n: number,
  coefficients: Float64Array,
  count: number,
  out: Float64Array,
  outAt = 0,
  look?: () => void,
): void {
  for (let start = 0; start < n; start += PIECE) {
    look?.();
    const length = Math.min(PIECE, n - start);
    addPiece(coefficients, m, count, basis, start, n, out, outAt + start, n, length);
  }
}

/** One piece of a combination: out_j from outAt + j·outStride on, the m vectors from `start` + i·n on. */
function addPiece(
  coefficients: Float64Array,
  m: number,
  count: number,
  basis: Float64Array,
  start: number,
  n: number,
  out: Float64Array,
  outAt: number,
  outStride: number,
  length: number,
): void {
  if (m <= MOST_AT_ONCE && room.holds(basis) && room.holds(out)) {
    room.combine(coefficients, m, count, basis, start, n, out, outAt, outStride, length);
    return;
  }
  for (let j = 0; j < count; j++)
    addSum(coefficients, j * m, m, basis, start, n, out, outAt + j * outStride, length);
}

/**
 * The same combinations in place: the first `count` of the m vectors of the block are overwritten.
 * @param basis m vectors of length n, read; vectors 0 … count−1 overwritten (count ≤ m)
 * @param look called before every piece; where it throws the block is left half combined
 * @param piece overwritten: count·PIECE elements
 */
export function combineInPlace(
  basis: Float64Array,
  m: number,
  n: number,
  coefficients: Float64Array,
  count: number,
  look?: () => void,
  piece: Float64Array = new Float64Array(count * PIECE),
): void {
  for (let start = 0; start < n; start += PIECE) {
    look?.();
    const length = Math.min(PIECE, n - start);
    piece.fill(0);
    addPiece(coefficients, m, count, basis, start, n, piece, 0, PIECE, length);
    for (let j = 0; j < count; j++) basis.set(piece.subarray(j * PIECE, j * PIECE + length), j * n + start);
  }
}
