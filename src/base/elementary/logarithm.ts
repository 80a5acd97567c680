/**
 * log and what is built on it: log1p, softplus, and the double-double logarithm that pow needs. Straight-line
 * double arithmetic without fused multiply-add: SIMD code that performs the same operations in the same order
 * returns the same bits.
 *
 * logHead(u, c, shift) is log(u + c) + shift·log 2 for a positive normal u and a much smaller c, as an
 * unevaluated sum (P. T. P. Tang, "Table-driven implementation of the logarithm function", ACM TOMS 16, 1990,
 * with the reduced argument kept exactly by splitting z instead of the table entry):
 *
 *     k, i from the high word of u: z = u·2^−k in [0.689, 1.379), i its interval of 128
 *     ρ ≈ 1/z from the table, 12 bits; 1 where z is within 2⁻⁸ of 1
 *     z = z₁ + z₂, z₁ a multiple of 2⁻³¹, so that z₁ρ − 1 and z₂ρ are exact
 *     r + r₂ = (z₁ρ − 1) + (z₂ + c·2^−k)ρ, |r| < 2⁻⁷·⁸
 *     w = k·log 2 − log ρ, head exact, tail w₂
 *     log = w + r − ½r² + r³·P(r) + tails, P = 1/3 − r/4 + … − r⁵/8
 *
 * w + r and its sum with −½r₁² are formed without error (r₁: r to a multiple of 2⁻³⁴), so that head and tail
 * together are good to about 2⁻⁶⁷, relative, also next to 1 where log vanishes.
 *
 * Largest errors and times, measured as in exponential.ts:
 *
 *     log       0.501 ulp                                     14–19 ns (8)
 *     log1p     0.501 ulp                                     15–19 ns (9)
 *     softplus  0.51 ulp; 1.20 for −40 < x < −35, where       29–37 ns (20, via Math.log1p and Math.exp)
 *               log(1 + v) rounds v and v − v²/2 in turn
 */
import { EPS, SMALLEST_NORMAL } from "../float.ts";
import { highWord, powerOfTwo } from "./bits.ts";
import { exp, head, rest, stepCount, stepRemainder } from "./exponential.ts";
import { LN2_HIGH, LN2_LOW, LOG_TABLE } from "./tables.ts";

const OFFSET = 0x3fe61000;
const SPLIT_Z = 1.5 * 2 ** 21;
const SPLIT_R = 1.5 * 2 ** 18;

/** The second result of logHead: written by each call, to be read before the next. */
const tail = new Float64Array(1);

/** log(u + c) + shift·log 2 for normal u > 0 and |c| ≤ 2⁻⁵³·u: the head is returned, the tail left in `tail`. */
export function logHead(u: number, c: number, shift: number): number {
  const distance = highWord(u) - OFFSET;
  const e = distance >> 20;
  const i = 3 * ((distance >> 13) & 127);
  const down = powerOfTwo(-e);
  const z = u * down;
  const k = e + shift;

  const reciprocal = LOG_TABLE[i];
  const z1 = z + SPLIT_Z - SPLIT_Z;
  const rHigh = z1 * reciprocal - 1;
  const rLow = (z - z1 + c * down) * reciprocal;
  const r = rHigh + rLow;
  const r2 = rLow - (r - rHigh);

  const w = k * LN2_HIGH + LOG_TABLE[i + 1];
  const w2 = k * LN2_LOW + LOG_TABLE[i + 2];
  const s = w + r;
  const sError = r - (s - w);

  const r1 = r + SPLIT_R - SPLIT_R;
  const square = 0.5 * r1 * r1;
  const squareLow = 0.5 * (r - r1) * (r + r1);
  const h = s - square;
  const hError = s - h - square;

  const rr = r * r;
  const p = 1 / 3 - r * (1 / 4) + rr * (1 / 5 - r * (1 / 6) + rr * (1 / 7 - r * (1 / 8)));
  tail[0] = hError + sError + (r2 + w2 + (r * rr * p - squareLow));
  return h;
}

/** What the last logHead left over. */
export function logTail(): number {
  return tail[0];
}

/** Natural logarithm. −∞ at ±0, NaN below. Subnormal x are scaled by 2⁵⁴ first. */
export function log(x: number): number {
  if (!(x > 0 && x < Infinity)) return x === 0 ? -Infinity : x > 0 ? x : NaN;
  const tiny = x < SMALLEST_NORMAL;
  const h = logHead(tiny ? x * 2 ** 54 : x, 0, tiny ? -54 : 0);
  return h + tail[0];
}

/** log(1 + x), accurate also where x is small: 1 + x = u + c by Knuth's two-sum, then log(u + c). */
export function log1p(x: number): number {
  if (!(x > -1 && x < Infinity)) return x === -1 ? -Infinity : x > 0 ? x : NaN;
  const u = 1 + x;
  const back = u - 1;
  const h = logHead(u, 1 - (u - back) + (x - back), 0);
  const result = h + tail[0];
  return Math.abs(x) < EPS / 4 ? x : result;
}

/**
 * log(1 + e^x) = max(x, 0) + log(1 + e^−|x|). Above 40 that rounds to x, below −40 to e^x.
 *
 * With e^−|x| = a + b as in exponential.ts: v = fl(a + b), u = fl(1 + v), c the two rounding errors,
 * log(u + c) = h + t, then max(x, 0) + h without error (fast two-sum, the larger one first) and the tails.
 */
export function softplus(x: number): number {
  const y = -Math.abs(x);
  if (!(y >= -40)) return x > 40 ? x : exp(x);
  const n = stepCount(y);
  const factor = powerOfTwo(n >> 7);
  const a = head(n) * factor;
  const b = rest(n, stepRemainder(y, n)) * factor;
  const v = a + b;
  const u = 1 + v;
  const h = logHead(u, v - (u - 1) + (b - (v - a)), 0);
  const ramp = Math.max(x, 0);
  const big = Math.max(ramp, h);
  const small = Math.min(ramp, h);
  const sum = big + small;
  return sum + (small - (sum - big) + tail[0]);
}
