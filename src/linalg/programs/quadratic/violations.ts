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
  return {
    primal,
    dual: ratio(-least, maxAbs(multipliers.subarray(q))),
    stationarity: ratio(maxAbs(difference), terms),
    complementarity: ratio(gap, gapScale),
  };
}

/** amount/scale, 0 for 0/0, infinity for what is not a number. */
function ratio(amount: number, scale: number): number {
  const value = amount === 0 ? 0 : amount / scale;
  return Number.isNaN(value) || Number.isNaN(scale) ? Number.POSITIVE_INFINITY : value;
}

/** The largest of the four. */
export function worstQp({ primal, dual, stationarity, complementarity }: QpViolations): number {
  return Math.max(primal, dual, stationarity, complementarity);
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

/** True if, to the given relative accuracy, Qv = 0, Av ≥ 0, Ev = 0 and cᵀv < 0: the objective has no bound. */
export function provesUnbounded(data: QpData, v: Float64Array, accuracy: number): boolean {
  const { n, q, Q, c, rows, bounds } = data;
  const size = norm(v);
  if (!(size > 0) || !(dot(c, 0, v, 0, n) < -accuracy * norm(c) * size)) return false;
  if (norm(multiplyVector(Q, v, n, n)) > accuracy * norm(Q) * size) return false;
  const values = multiplyVector(rows, v, bounds.length, n);
  return values.every((value, i) => {
    const slackness = accuracy * norm(rows, i * n, n) * size;
    return i < q ? Math.abs(value) <= slackness : value >= -slackness;
  });
}
