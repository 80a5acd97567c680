import { valueError } from "../../base/index.ts";
import type { SolverResult } from "../result.ts";
import { convexQuadraticProgram, type QpStats, type QpStatus } from "./quadratic/quadratic-program.ts";

/** A separator of largest margin. */
export interface Margin {
  /** w/‖w‖₂ for the least w; NaN where the points cannot be separated. */
  readonly direction: Float64Array;
  /** The margin min_k x_kᵀw over √(Σ w_i²/h_i) of that direction; NaN where the points cannot be separated. */
  readonly margin: number;
  /** One per point, ≥ 0: w = Σ_k λ_k h⊙x_k, and λ_k > 0 only where x_k lies on the margin. */
  readonly multipliers: Float64Array;
}

/** What `largestMargin` returns; "infeasible" with multipliers that prove that no w separates the points. */
export type MarginResult = SolverResult<Margin, QpStatus, QpStats>;

/**
 * The separator of largest margin through the origin, min ½ Σ_i w_i²/h_i subject to x_kᵀw ≥ 1: the direction in which
 * gradient flow (h = 1) and AdaGrad's flow (h the limit of its 1/√(ε + s)) on separable points end. Points are given with
 * their label's sign, y_k x_k. By `convexQuadraticProgram` in the coordinates √h⁻¹w, so that the certificate is that one's.
 *
 * @param points count × n, row-major; read
 * @param count of points, at least 1
 * @param h one entry above 0 per coordinate; by default all 1, the Euclidean margin
 * @throws InputValueError for lengths that do not fit or an h that is not above 0
 */
export function largestMargin(points: Float64Array, count: number, h?: Float64Array): MarginResult {
  const n = points.length / count;
  if (!(Number.isSafeInteger(count) && count >= 1 && Number.isSafeInteger(n) && n >= 1))
    throw valueError(
      "largestMargin",
      "points of one length, at least one",
      `${points.length} numbers for ${count}`,
    );
  if (h && (h.length !== n || !h.every((entry) => entry > 0)))
    throw valueError("largestMargin", `h of ${n} numbers above 0`, `${h.length}: ${h.join(", ")}`);
  const root = h ? h.map(Math.sqrt) : new Float64Array(n).fill(1);
  const Q = new Float64Array(n * n);
  for (let i = 0; i < n; i++) Q[i * n + i] = 1;
  const A = points.map((entry, at) => entry * root[at % n]);
  const b = new Float64Array(count).fill(1);
  const { value, status, stats } = convexQuadraticProgram({ Q, c: new Float64Array(n), A, b });
  if (status !== "solved" && status !== "inaccurate") {
    const none = { direction: new Float64Array(n).fill(Number.NaN), margin: Number.NaN };
    return { value: { ...none, multipliers: value.inequality }, status, stats };
  }
  const w = value.x.map((entry, i) => entry * root[i]);
  const length = (v: Float64Array): number => Math.sqrt(v.reduce((total, entry) => total + entry * entry, 0));
  const size = length(w);
  return {
    value: {
      direction: w.map((entry) => entry / size),
      margin: 1 / length(value.x),
      multipliers: value.inequality,
    },
    status,
    stats,
  };
}
