import { EPS } from "../../../base/index.ts";
import { exponentOf, timesPowerOfTwo } from "../../dense/exponents.ts";
import { multiplyTransposed, multiplyVector } from "../../dense/matrix.ts";
import { dot, maxAbs, norm } from "../../dense/vectors.ts";
import type { QpData } from "./data.ts";

/** The recomputed violations of the optimality conditions, each relative to the terms that should cancel. */
export interface QpViolations {
  /** worst constraint: violation / (‖a_i‖·‖x‖ + |b_i|) */
  readonly primal: number;
  /** −min λ / max |λ|, at least 0 */
  readonly dual: number;
  /** ‖Qx + c − Aᵀλ − Eᵀν‖∞ / max(‖Qx‖∞, ‖c‖∞, ‖Aᵀλ + Eᵀν‖∞) */
  readonly stationarity: number;
  /** Σ λ_i |a_i x − b_i| / Σ λ_i (‖a_i‖·‖x‖ + |b_i|) */
  readonly complementarity: number;
  /**
   * 2(n + 1)ε·max_j (Σ_i |Q_ji x_i| + Σ_i |a_ij λ_i|), relative as `stationarity`: what rounding Q, x and λ to doubles does
   * to it. It exceeds ε by far where Qx or Aᵀλ is small by cancellation: a large singular Q against a small c.
   */
  readonly roundoff: number;
}

/** Measures x and the multipliers (equalities first); infinity where a measure is not a number. */
export function qpViolations(data: QpData, x: Float64Array, multipliers: Float64Array): QpViolations {
  const { n, q, Q, c, rows, bounds } = data;
  const count = bounds.length;
  const values = multiplyVector(rows, x, count, n);
  const size = norm(x);
  let primal = 0;
  let gap = 0;
  let gapScale = 0;
  let least = 0;
  for (let i = 0; i < count; i++) {
    const scale = norm(rows, i * n, n) * size + Math.abs(bounds[i]);
    const distance = values[i] - bounds[i];
    primal = Math.max(primal, ratio(i < q ? Math.abs(distance) : Math.max(0, -distance), scale));
    if (i < q) continue;
    least = Math.min(least, multipliers[i]);
    gap += Math.abs(multipliers[i] * distance);
    gapScale += Math.abs(multipliers[i]) * scale;
  }
  const curvature = multiplyVector(Q, x, n, n);
  const pull = multiplyTransposed(rows, multipliers, count, n);
  const difference = curvature.map((value, j) => value + c[j] - pull[j]);
  const terms = Math.max(maxAbs(curvature), maxAbs(c), maxAbs(pull));
  let summands = 0;
  for (let j = 0; j < n; j++) {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += Math.abs(Q[j * n + i] * x[i]);
    for (let i = 0; i < count; i++) sum += Math.abs(rows[i * n + j] * multipliers[i]);
    summands = Math.max(summands, sum);
  }
  return {
    primal,
    dual: ratio(-least, maxAbs(multipliers.subarray(q))),
    stationarity: ratio(maxAbs(difference), terms),
    complementarity: ratio(gap, gapScale),
    roundoff: ratio(2 * (n + 1) * EPS * summands, terms),
  };
}

/**
 * The program, x and multipliers in units in which the largest element of x, of each constraint and of the forces Qx,
 * c and a_iλ_i is about 1. The violations are the same, to the bit, but nothing over- or underflows in them.
 */
export function inUnits(data: QpData, x: Float64Array, multipliers: Float64Array) {
  const { n, Q, c, rows, bounds } = data;
  const exponent = (array: Float64Array) => {
    const size = maxAbs(array);
    return size > 0 && Number.isFinite(size) ? exponentOf(size) : Number.NEGATIVE_INFINITY;
  };
  const finite = (e: number) => (Number.isFinite(e) ? e : 0);
  const unitX = finite(exponent(x));
  const unitQ = finite(exponent(Q));
  const units = Array.from(bounds, (_, i) => finite(exponent(rows.subarray(i * n, (i + 1) * n))));
  const pulls = units.map((unit, i) => unit + exponent(multipliers.subarray(i, i + 1)));
  const force = finite(Math.max(exponent(Q) + unitX, exponent(c), ...pulls));
  const times = (array: Float64Array, power: (at: number) => number) =>
    array.map((entry, at) => timesPowerOfTwo(entry, power(at)));
  return {
    data: {
      ...data,
      Q: times(
        times(Q, () => -unitQ),
        () => unitQ + unitX - force,
      ),
      c: times(c, () => -force),
      rows: times(rows, (at) => -units[Math.floor(at / n)]),
      bounds: times(bounds, (i) => -units[i] - unitX),
    },
    x: times(x, () => -unitX),
    multipliers: times(multipliers, (i) => units[i] - force),
  };
}

/** amount/scale, 0 for 0/0, infinity for what is not a number. */
function ratio(amount: number, scale: number): number {
  const value = amount === 0 ? 0 : amount / scale;
  return Number.isNaN(value) || Number.isNaN(scale) ? Number.POSITIVE_INFINITY : value;
}

/**
 * Roundoff beyond this is not forgiven: c would hardly count beside the rounding errors of Qx, and a point with another
 * active set could pass.
 */
const MOST_ROUNDOFF = 1e-2;

/** The largest of the four; a stationarity below the roundoff counts as 0, it cannot be improved on. */
export function worstQp({ primal, dual, stationarity, complementarity, roundoff }: QpViolations): number {
  const excusable = roundoff <= MOST_ROUNDOFF && stationarity <= roundoff;
  return Math.max(primal, dual, excusable ? 0 : stationarity, complementarity);
}

/**
 * True if the multipliers u ≥ 0 (on inequalities) prove that no x of reasonable size is feasible: for such an
 * x, uᵀbounds ≤ (Σ u_i a_i)·x, hence ‖x‖ ≥ uᵀbounds/‖Σ u_i a_i‖. `accuracy` bounds the inverse of that,
 * relative to the terms in both sums.
 */
export function provesInfeasible(data: QpData, u: Float64Array, accuracy: number): boolean {
  const { n, q, rows, bounds } = data;
  const count = bounds.length;
  const pull = norm(multiplyTransposed(rows, u, count, n));
  let pullScale = 0;
  let sum = 0;
  let sumScale = 0;
  for (let i = 0; i < count; i++) {
    if (i >= q && u[i] < 0) return false;
    pullScale += Math.abs(u[i]) * norm(rows, i * n, n);
    sum += u[i] * bounds[i];
    sumScale += Math.abs(u[i] * bounds[i]);
  }
  return pull <= accuracy * pullScale && sum > accuracy * sumScale && sum > 0;
}

/**
 * True if, to the given relative accuracy, Qv = 0, Av ≥ 0, Ev = 0 and cᵀv < 0: the objective has no bound. The curvature
 * must also be too small to end the fall at a distance below 1/accuracy, the size of solutions being 1, unless it is
 * the rounding error of Qv.
 */
export function provesUnbounded(data: QpData, v: Float64Array, accuracy: number): boolean {
  const { n, q, Q, c, rows, bounds } = data;
  const size = norm(v);
  const fall = -dot(c, 0, v, 0, n);
  if (!(size > 0) || !(fall > accuracy * norm(c) * size)) return false;
  const curvature = norm(multiplyVector(Q, v, n, n));
  if (curvature > Math.min(accuracy * norm(Q) * size, accuracy * fall + 4 * n * EPS * norm(Q) * size))
    return false;
  const values = multiplyVector(rows, v, bounds.length, n);
  return values.every((value, i) => {
    const slackness = accuracy * norm(rows, i * n, n) * size;
    return i < q ? Math.abs(value) <= slackness : value >= -slackness;
  });
}
