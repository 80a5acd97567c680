/**
 * exp and what is built on it: expm1, sigmoid, tanh and its derivative. Our own, because Math.exp differs between engines; the
 * definition below is straight-line double arithmetic without fused multiply-add, so SIMD code that performs
 * the same operations in the same order returns the same bits.
 *
 * Reduction, shared by all four (P. T. P. Tang, "Table-driven implementation of the exponential function",
 * ACM TOMS 15, 1989):
 *
 *     n = nearest(y·128/log 2)                        stepCount
 *     r = y − n·(log 2)/128, |r| < 0.0028             stepRemainder, the constant in two parts
 *     e^y = 2^(n ≫ 7) · (T + B)                       T = head(n): the double nearest to 2^((n mod 128)/128)
 *     B = (rest of that power) + T·(e^r − 1)          rest(n, r), Taylor to r⁶: relative error 8e-20
 *
 * |B/T| < 2⁻⁸, so the pair T + B knows e^y to about 2⁻⁶¹ and one addition rounds it.
 *
 * Clamps come first, keep n in range and let NaN through, like Math.max and f64x2.max.
 * Where y is NaN, n is any integer and r is NaN. The remaining sequences stand in the functions, whose
 * branches are selects between values that SIMD computes too.
 *
 * Largest errors measured against 164-bit integer arithmetic (3·10⁴ points each in
 * elementary-rounding.test.ts, 2·10⁵ once), and time per call when V8 inlines it into a loop over an array
 * (Node 20.20, one EPYC core; the engine's own function in brackets; a call that is not inlined costs some
 * 8 ns more, for its boxed result):
 *
 *     exp      0.51 ulp, 0.75 where the result is subnormal and rounded twice    8–10 ns (9)
 *     expm1    0.59 ulp                                                          9–10 ns (10)
 *     sechSquared  2.3 ulp                                                         10 ns
 *     tanh     1.00 ulp                                                            11 ns (14; up to 2.1 ulp)
 *     sigmoid  1.10 ulp                                                            13 ns (11, via Math.exp)
 */
import { nearest, powerOfTwo, scale } from "./bits.ts";
import { EXP_TABLE, STEP_HIGH, STEP_LOW, STEPS_PER_UNIT } from "./tables.ts";

/** n, the number of steps of (log 2)/128 in y. SIMD: the low bits of y·STEPS_PER_UNIT + 1.5·2⁵². */
export function stepCount(y: number): number {
  return nearest(y * STEPS_PER_UNIT) | 0;
}

/** r = y − n·(log 2)/128; the first difference is exact. */
export function stepRemainder(y: number, n: number): number {
  return y - n * STEP_HIGH - n * STEP_LOW;
}

/** T, the double nearest to 2^((n mod 128)/128). */
export function head(n: number): number {
  return EXP_TABLE[(n & 127) << 1];
}

/** B with T + B = 2^((n mod 128)/128)·e^r. */
export function rest(n: number, r: number): number {
  const j = (n & 127) << 1;
  const r2 = r * r;
  const p = r + r2 * (1 / 2 + r * (1 / 6) + r2 * (1 / 24 + r * (1 / 120) + r2 * (1 / 720)));
  return EXP_TABLE[j + 1] + EXP_TABLE[j] * p;
}

/** e^x. Overflows to ∞ above 709.78, is subnormal below −708.39 and 0 below −745.13. */
export function exp(x: number): number {
  const y = Math.min(Math.max(x, -746), 710);
  const n = stepCount(y);
  return scale(head(n) + rest(n, stepRemainder(y, n)), n >> 7);
}

/**
 * e^x − 1, accurate also where x is small.
 *
 * |x| < 1/16: the Taylor series x + x²·(1/2 + x/6 + … + x⁷/9!). Otherwise half of e^x, which cannot
 * overflow, as h + b = 2^(e−1) (T + B); d = h − ½ and its rounding error (Knuth's two-sum); then b; doubled.
 */
export function expm1(x: number): number {
  if (Math.abs(x) < 1 / 16) {
    const x2 = x * x;
    const low = 1 / 2 + x * (1 / 6) + x2 * (1 / 24 + x * (1 / 120));
    const high = 1 / 720 + x * (1 / 5040) + x2 * (1 / 40320 + x * (1 / 362880));
    return x === 0 ? x : x + x2 * (low + x2 * x2 * high);
  }
  const y = Math.min(Math.max(x, -100), 710);
  const n = stepCount(y);
  const factor = powerOfTwo((n >> 7) - 1);
  const h = head(n) * factor;
  const b = rest(n, stepRemainder(y, n)) * factor;
  const d = h - 0.5;
  const back = d - h;
  const error = h - (d - back) + (-0.5 - back);
  return 2 * (d + (error + b));
}

/**
 * 1/(1 + e^−x), to full relative accuracy for negative x too.
 *
 * With e^−|x| = 2^e (T + B) the result is (N + M)/(d + f): d + f = 1 + 2^e (T + B) with d = fl(1 + 2^e T),
 * and N + M = 1 + 0 for x ≥ 0, or T + B for x < 0, scaled by 2^e at the end. Then q = N/d and
 * q + (M − q·f)/(d + f). In the denominator e is clamped at −200, where it no longer matters.
 */
export function sigmoid(x: number): number {
  const y = Math.max(-Math.abs(x), -746);
  const n = stepCount(y);
  const top = head(n);
  const bottom = rest(n, stepRemainder(y, n));
  const e = n >> 7;
  const factor = powerOfTwo(Math.max(e, -200));
  const a = top * factor;
  const d = 1 + a;
  const f = a - (d - 1) + bottom * factor;
  const q = (x < 0 ? top : 1) / d;
  const result = q + ((x < 0 ? bottom : 0) - q * f) / (d + f);
  return scale(result, x < 0 ? e : 0);
}

/**
 * Hyperbolic tangent.
 *
 * |x| < 1/8: the Taylor series x + x·(x²·P(x²)) to x¹⁵ (remainder 3e-18). Otherwise, with
 * e^(−2|x|) = a + b, the sign of x times (1 − a − b)/(1 + a + b): numerator N + M with N = fl(1 − a),
 * denominator d + f with d = fl(1 + a), q = N/d and q + (M − q·f)/(d + f).
 */
export function tanh(x: number): number {
  if (Math.abs(x) < 1 / 8) {
    const u = x * x;
    const u2 = u * u;
    const low = -1 / 3 + u * (2 / 15) + u2 * (-17 / 315 + u * (62 / 2835));
    const high = -1382 / 155925 + u * (21844 / 6081075) + u2 * (-929569 / 638512875);
    return x === 0 ? x : x + x * (u * (low + u2 * u2 * high));
  }
  const y = Math.max(-2 * Math.abs(x), -100);
  const n = stepCount(y);
  const factor = powerOfTwo(n >> 7);
  const a = head(n) * factor;
  const b = rest(n, stepRemainder(y, n)) * factor;
  const N = 1 - a;
  const M = 1 - N - a - b;
  const d = 1 + a;
  const f = a - (d - 1) + b;
  const q = N / d;
  const size = q + (M - q * f) / (d + f);
  return x < 0 ? -size : size;
}

/**
 * 1/cosh² x, the derivative of tanh, to full relative accuracy in its tails, where 1 − tanh² x has none left.
 *
 * With e^(−2|x|) = a + b it is 4(a + b)/(d + f)², d + f = 1 + a + b with d = fl(1 + a).
 */
export function sechSquared(x: number): number {
  const y = Math.max(-2 * Math.abs(x), -746);
  const n = stepCount(y);
  const e = n >> 7;
  const factor = powerOfTwo(Math.max(e, -200));
  const top = head(n);
  const bottom = rest(n, stepRemainder(y, n));
  const a = top * factor;
  const d = 1 + a;
  const f = a - (d - 1) + bottom * factor;
  const square = d * d + f * (2 * d + f);
  return scale(top / square + bottom / square, e + 2);
}
