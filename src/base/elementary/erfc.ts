/**
 * The complementary error function with full relative accuracy in its tail, by straight-line double arithmetic without
 * fused multiply-add: SIMD code that performs the same operations in the same order returns the same bits.
 *
 *     a = min(|x|, 27.3), beyond which erfc rounds to 0
 *     row 0 for a < ½, else 16 rows to each binade; twelve numbers per row: centre, high, low, q₀ … q₈
 *     row 0:       e = a + (low + a·Q(a²)) = erf(a),                       result 1 ∓ e
 *     other rows:  t = a − centre, exact,  G = high + (low + t·Q(t)) = e^{a²} erfc(a)
 *                  −a² = y + y₂, y = −s² with s the upper 26 bits of a, y₂ = −(a − s)(a + s)
 *                  E = 2^e (T + B)·G as in exponential.ts,                  result E for x > 0, 2 − E below
 *
 * Q meets the exact quotient at nine Chebyshev points (tools/elementary-coefficients.py); at 16 rows a binade the
 * interpolation is off by less than 1e-17 of G.
 *
 * Measured as in exponential.ts: 1.70 ulp for x > ½, 1.19 for |x| < ½, 0.80 below.
 */
import { highWord, scale } from "./bits.ts";
import { ERFC_TABLE } from "./erfc-table.ts";
import { head, rest, stepCount, stepRemainder } from "./exponential.ts";

const LARGEST = 27.3;
/** The high word of ½. */
const HALF = 0x3fe00000;
const LAST_ROW = 16 * 6;
const SPLITTER = 2 ** 27 + 1;

/** erfc(x) = 1 − erf(x) = 2/√π ∫ₓ^∞ exp(−t²) dt: 2 at −∞, 1 at 0, subnormal above 26.54, 0 from 27.23. */
export function erfc(x: number): number {
  const a = Math.min(Math.abs(x), LARGEST);
  const row = 12 * Math.min(Math.max(((highWord(a) - HALF) >> 16) + 1, 0), LAST_ROW);
  const near = row === 0;
  const T = ERFC_TABLE;
  const m = near ? a : a - T[row];
  const v = near ? a * a : m;
  const v2 = v * v;
  const v4 = v2 * v2;
  const low = T[row + 3] + v * T[row + 4] + v2 * (T[row + 5] + v * T[row + 6]);
  const middle = T[row + 7] + v * T[row + 8] + v2 * (T[row + 9] + v * T[row + 10]);
  const q = low + v4 * (middle + v4 * T[row + 11]);
  const g = (near ? a : T[row + 1]) + (T[row + 2] + m * q);

  const c = a * SPLITTER;
  const s = c - (c - a);
  const y = -(s * s);
  const n = stepCount(y);
  const r = stepRemainder(y, n) - (a - s) * (a + s);
  const tail = scale(head(n) * g + rest(n, r) * g, n >> 7);
  return near ? 1 - (x < 0 ? -g : g) : x < 0 ? 2 - tail : tail;
}
