import { highWord, powerOfTwo, SMALLEST_NORMAL } from "../../base/index.ts";

/*
 * Kernels on vectors and on blocks of vectors. A block of `count` vectors of length n is one array in which
 * vector i occupies elements i·n … (i+1)·n − 1. Offsets are in elements. Nothing is allocated unless a
 * docstring says so, nothing is checked: callers validate at the public boundary.
 */

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
  const squares = dot(x, at, x, at, n);
  if (squares > 1e-280 && squares < 1e280) return Math.sqrt(squares);
  const largest = maxAbs(x.subarray(at, at + n));
  if (!(largest > 0) || largest === Number.POSITIVE_INFINITY) return largest;
  const unit = powerOfTwoNear(largest);
  let sum = 0;
  for (let i = 0; i < n; i++) sum += (x[at + i] / unit) ** 2;
  return Math.sqrt(sum) * unit;
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
const PIECE = 1024;

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
    for (let j = 0; j < count; j++)
      addSum(coefficients, j * m, m, basis, start, n, out, outAt + j * n + start, length);
  }
}

/**
 * The same combinations in place: the first `count` of the m vectors of the block are overwritten.
 * @param basis m vectors of length n, read; vectors 0 … count−1 overwritten (count ≤ m)
 * @param look called before every piece; where it throws the block is left half combined
 */
export function combineInPlace(
  basis: Float64Array,
  m: number,
  n: number,
  coefficients: Float64Array,
  count: number,
  look?: () => void,
): void {
  const piece = new Float64Array(count * PIECE);
  for (let start = 0; start < n; start += PIECE) {
    look?.();
    const length = Math.min(PIECE, n - start);
    piece.fill(0);
    for (let j = 0; j < count; j++) addSum(coefficients, j * m, m, basis, start, n, piece, j * PIECE, length);
    for (let j = 0; j < count; j++) basis.set(piece.subarray(j * PIECE, j * PIECE + length), j * n + start);
  }
}
