import { EPS } from "./float.ts";

/** Above or below these the squares could overflow or lose digits as subnormals; both sizes are then scaled alike. */
const LARGE = 2 ** 500;
const SMALL = 2 ** -450;
const FACTOR = 2 ** 600;

/**
 * √(x² + y²) without overflow or underflow on the way. Our own, because Math.hypot differs between engines: two
 * squares, a sum and a root in double arithmetic, scaled by a power of two where they would leave the range. The
 * larger size where the other is below 2⁻⁵³ of it. ∞ if either is infinite, else NaN if either is NaN.
 *
 * Error at most 1.25 ulp: ½ ulp of each square and of their sum is halved by the root, which adds ½ ulp of its own.
 */
export function hypot(x: number, y: number): number {
  const a = Math.abs(x);
  const b = Math.abs(y);
  if (a === Infinity || b === Infinity) return Infinity;
  const high = Math.max(a, b);
  const low = Math.min(a, b);
  if (low <= (EPS / 2) * high) return high;
  const factor = high > LARGE ? 1 / FACTOR : high < SMALL ? FACTOR : 1;
  const h = high * factor;
  const l = low * factor;
  return Math.sqrt(h * h + l * l) / factor;
}
