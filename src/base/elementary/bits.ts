/**
 * The few operations on the bits of a double that the elementary functions need. Each has a direct SIMD
 * counterpart with the same result.
 */

const doubles = new Float64Array(1);
const words = new Int32Array(doubles.buffer);
doubles[0] = -1;
const HIGH = words[1] === 0 ? 0 : 1;

/** Bits 63 … 32 of x, as a signed integer, on either byte order. SIMD: i64x2.shr_s by 32. */
export function highWord(x: number): number {
  doubles[0] = x;
  return words[HIGH];
}

const SMALLEST_EXPONENT = -1024;
const powers = new Float64Array(2048);
for (let e = -1022, p = 2 ** -1022; e <= 1023; e++, p *= 2) powers[e - SMALLEST_EXPONENT] = p;
powers[0] = 2 ** -1024;
powers[1] = 2 ** -1023;

/**
 * 2^e for an integer e in −1024 … 1023. A table here, because a double put together from two words stalls
 * the load that follows; SIMD: (e + 1023) shifted left by 52 for e ≥ −1022, and callers that go below it
 * (log of numbers above 2^1023) subtract from the exponent bits instead, with the same result.
 */
export function powerOfTwo(e: number): number {
  return powers[e - SMALLEST_EXPONENT];
}

/**
 * y·2^e for e in −1080 … 1030, rounded once, also where the result overflows or is subnormal: the first
 * factor is too near 1 to lose a bit of a y in [2⁻⁶⁴, 2⁶⁴].
 */
export function scale(y: number, e: number): number {
  const half = e >> 1;
  return y * powerOfTwo(half) * powerOfTwo(e - half);
}

const ROUNDER = 1.5 * 2 ** 52;

/** The integer nearest to x, ties to even, for |x| < 2⁵¹. SIMD: f64x2.nearest, or this very sum. */
export function nearest(x: number): number {
  return x + ROUNDER - ROUNDER;
}
