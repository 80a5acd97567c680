/**
 * Arguments of sin and cos as whole quarter turns and a remainder: x = n·π/2 + y + y₂ with |y| ≤ π/4 (1 + 2⁻³⁰).
 *
 * |x| ≤ 2²⁰, after Cody and Waite ("Software Manual for the Elementary Functions", 1980): straight-line double
 * arithmetic without fused multiply-add, so that SIMD code with the same operations returns the same bits.
 *
 *     n = nearest(x·2/π), at most 20 bits
 *     π/2 = p₁ + p₂ + p₃ + p₄, the first three of 33 bits: n·p₁, n·p₂, n·p₃ are exact
 *     t = x − n·p₁                                    exact, by cancellation
 *     s + e = t − n·p₂,  s′ + e′ = s − n·p₃           Knuth's two-sum
 *     y + y₂ = s′ + (e + e′ − n·p₄)
 *
 * What is left out is below 2⁻¹³¹, and no double of this range is nearer than 2⁻⁶⁰ to a multiple of π/2.
 *
 * Larger x, after Payne and Hanek ("Radian reduction for trigonometric functions", SIGNUM Newsletter 18, 1983): the
 * fraction of x·2/π in integer arithmetic with 1216 bits of 2/π, which leaves 192 bits after the point for the
 * largest double. SIMD hands lanes of this kind, rare as they are, to this very code.
 */
import { nearest } from "./bits.ts";
import { HALF_PI_PARTS, QUARTERS_PER_RADIAN, TWO_OVER_PI_WORDS } from "./tables.ts";

const LARGEST_SHORT = 2 ** 20;
const [P1, P2, P3, P4] = HALF_PI_PARTS;

/** y and y₂ of the last reduction: written by each call, to be read before the next. */
export const remainder = new Float64Array(2);

/** n mod 4 of a finite x; its remainder is left in `remainder`. */
export function quarterTurns(x: number): number {
  if (!(Math.abs(x) <= LARGEST_SHORT)) return longQuarterTurns(x);
  const n = nearest(x * QUARTERS_PER_RADIAN);
  const t = x - n * P1;
  const b = n * P2;
  const s = t - b;
  const back = t - s;
  const e = t - (s + back) + (back - b);
  const b2 = n * P3;
  const s2 = s - b2;
  const back2 = s - s2;
  const e2 = s - (s2 + back2) + (back2 - b2);
  const low = e + e2 - n * P4;
  const y = s2 + low;
  remainder[0] = y;
  remainder[1] = s2 - y + low;
  return n & 3;
}

const WORDS_BITS = 32n * BigInt(TWO_OVER_PI_WORDS.length);
const TWO_OVER_PI = TWO_OVER_PI_WORDS.reduce((bits, word) => (bits << 32n) | BigInt(word), 0n);
/** Fraction bits that are kept of the quarter turns: twice a double and room for the deepest cancellation. */
const KEPT = 192n;
/** π/2 with as many. */
const HALF_PI = (1n << (2n * KEPT)) / (TWO_OVER_PI >> (WORDS_BITS - KEPT));

function longQuarterTurns(x: number): number {
  const size = Math.abs(x);
  // Above 2²⁰ the last bit of a double is worth at least 2⁻³²; above 2⁵³ it is a whole number.
  const extra = size < 2 ** 53 ? 32 : 0;
  const turns = (BigInt(size * 2 ** extra) * TWO_OVER_PI) >> (WORDS_BITS + BigInt(extra) - KEPT);
  const n = (turns + (1n << (KEPT - 1n))) >> KEPT;
  const radians = (turns - (n << KEPT)) * HALF_PI;
  const y = Number(radians);
  const unit = (x < 0 ? -1 : 1) * 2 ** -Number(2n * KEPT);
  remainder[0] = y * unit;
  remainder[1] = Number(radians - BigInt(y)) * unit;
  return Number(x < 0 ? -n & 3n : n & 3n);
}
