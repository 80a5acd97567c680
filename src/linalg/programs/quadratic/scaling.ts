import { exponentOf, timesPowerOfTwo } from "../../dense/exponents.ts";
import { maxAbs } from "../../dense/vectors.ts";
import type { QpData } from "./data.ts";

/** The scaled problem and the way back. */
export interface ScaledQp {
  readonly data: QpData;
  /** x of the given problem from that of the scaled one */
  readonly point: (x: Float64Array) => Float64Array;
  /** a direction likewise; it has no natural length: its largest element stays where it is */
  readonly direction: (v: Float64Array) => Float64Array;
  /** multipliers likewise; a Farkas ray (`ray`) has no natural length either */
  readonly multipliers: (u: Float64Array, ray: boolean) => Float64Array;
}

/** Rounds of equilibration: each takes the square root of the spread, so ten reduce 10¹⁶ to 1.04. */
const ROUNDS = 10;

/**
 * Ruiz's simultaneous scaling (RAL-TR-2001-034) of the symmetric matrix [Q Rᵀ; R 0] to rows of largest entry
 * about 1, by powers of two, which round nothing: Q' = γDQD, R' = SRD, c' = (γ/τ)Dc, bounds' = S·bounds/τ
 * and x = τDx', u = (τ/γ)Su'. γ makes Q' (or else c') about 1, τ the larger of bounds' and c'. Q and the rows of R
 * start at size 1, so that the units of the objective and of each constraint do not matter, and all factors are kept
 * as exponents, so that no product of them leaves the doubles.
 */
export function equilibrate(given: QpData): ScaledQp {
  const { n } = given;
  const count = given.bounds.length;
  const exponent = (size: number) => (size > 0 ? exponentOf(size) : 0);
  const half = exponent(maxAbs(given.Q)) >> 1;
  const d = new Array<number>(n).fill(-half);
  const s = Array.from(
    { length: count },
    (_, i) => half - exponent(maxAbs(given.rows.subarray(i * n, (i + 1) * n))),
  );
  for (let round = 0; round < ROUNDS; round++) {
    const column = new Float64Array(n);
    const row = new Float64Array(count);
    for (let j = 0; j < n; j++) {
      for (let i = 0; i < n; i++)
        column[j] = Math.max(column[j], timesPowerOfTwo(Math.abs(given.Q[i * n + j]), d[i] + d[j]));
      for (let i = 0; i < count; i++) {
        const entry = timesPowerOfTwo(Math.abs(given.rows[i * n + j]), s[i] + d[j]);
        column[j] = Math.max(column[j], entry);
        row[i] = Math.max(row[i], entry);
      }
    }
    for (let j = 0; j < n; j++) d[j] -= exponent(column[j]) >> 1;
    for (let i = 0; i < count; i++) s[i] -= exponent(row[i]) >> 1;
  }
  const times = (x: Float64Array, power: (at: number) => number) =>
    x.map((entry, at) => timesPowerOfTwo(entry, power(at)));
  const Q = times(given.Q, (at) => d[Math.floor(at / n)] + d[at % n]);
  const c = times(given.c, (j) => d[j]);
  const bounds = times(given.bounds, (i) => s[i]);
  const [sizeQ, sizeC, sizeBounds] = [maxAbs(Q), maxAbs(c), maxAbs(bounds)];
  const fromC = sizeQ > 0 && sizeC > 0 ? exponent(sizeC) - exponent(sizeQ) : Number.NEGATIVE_INFINITY;
  const fromBounds = sizeBounds > 0 ? exponent(sizeBounds) : Number.NEGATIVE_INFINITY;
  const larger = Math.max(fromC, fromBounds);
  const tau = Number.isFinite(larger) ? larger : 0;
  const gamma = sizeQ > 0 ? -exponent(sizeQ) : tau - exponent(sizeC);
  return {
    data: {
      ...given,
      Q: times(Q, () => gamma),
      c: times(c, () => gamma - tau),
      rows: times(given.rows, (at) => s[Math.floor(at / n)] + d[at % n]),
      bounds: times(bounds, () => -tau),
    },
    point: (x) => times(x, (j) => d[j] + tau),
    direction: (v) => times(v, relative(v, d)),
    multipliers: (u, ray) => times(u, ray ? relative(u, s) : (i) => s[i] + tau - gamma),
  };
}

/** The exponents less that of the place where the scaled vector is largest. */
function relative(x: Float64Array, exponents: readonly number[]): (at: number) => number {
  let top = 0;
  let largest = Number.NEGATIVE_INFINITY;
  x.forEach((entry, at) => {
    const size = entry === 0 ? Number.NEGATIVE_INFINITY : exponentOf(Math.abs(entry)) + exponents[at];
    if (size <= largest) return;
    largest = size;
    top = exponents[at];
  });
  return (at) => exponents[at] - top;
}
