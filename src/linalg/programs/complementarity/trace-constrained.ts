import { type ShouldStop, throwIfStopped, valueError } from "../../../base/index.ts";
import { multiplyVector } from "../../dense/matrix.ts";
import { smat, svec, svecIndex, svecLength } from "../../dense/svec.ts";
import { symmetricEigen } from "../../dense/symmetric-eigen.ts";
import { dot, norm } from "../../dense/vectors.ts";
import type { SolverResult } from "../../result.ts";
import { type SdcpStatus, sdcp } from "./sdcp.ts";

export interface TraceSdcpSolution {
  /** k×k, X ⪰ 0, tr X = trace. */
  readonly X: Float64Array;
  /** μ, the multiplier of the trace: the largest eigenvalue of M − B[X]. */
  readonly level: number;
}

export interface TraceSdcpStats {
  /** Problems without the constraint that were solved. */
  readonly iterations: number;
  /** ⟨X, μI − M + B[X]⟩ relative to trace·(‖M − μI‖ + ‖B[X]‖), with this μ the only condition left; 0 if exact. */
  readonly violation: number;
}

/** What `traceConstrainedSdcp` returns. */
export type TraceSdcpResult = SolverResult<TraceSdcpSolution, SdcpStatus, TraceSdcpStats>;

const MAX_ITERATIONS = 60;
/** The trace may miss its value by this fraction before X is scaled to it. */
const TRACE_TOLERANCE = 1e-13;
/** The penalty against the problem's own stiffness: each round divides the trace's error by about 1 + this. */
const PENALTY = 30;

/**
 * X ⪰ 0 with tr X = trace, Y = μI − M + B[X] ⪰ 0, ⟨X, Y⟩ = 0 for some number μ: the optimality condition of
 * min ½⟨X, B[X]⟩ − ⟨M, X⟩ over X ⪰ 0 with that trace. Equivalently X is spread over the top eigenspace of M − B[X], and
 * μ is its eigenvalue. There always is a solution. Limits: k = 1, X = trace; B = 0, the top eigenspace of M.
 *
 * The method of multipliers (Bertsekas, *Constrained Optimization and Lagrange Multiplier Methods*, §2): the penalty
 * ½ρ(tr X − trace)² makes it a problem for `sdcp`, after which μ moves by ρ(tr X − trace).
 *
 * @param m k×k row-major, read
 * @param b the operator in `svec` coordinates, as in `sdcp`, read
 * @param trace ≥ 0
 * @param shouldStop looked at in every iteration of `sdcp` and of the eigensolves
 * @returns "solved", or how `sdcp` ended; the violation is recomputed from X
 * @throws InputValueError for a negative trace or lengths that do not fit; Stopped where `shouldStop` answers true
 * Cost: a few calls of `sdcp`.
 */
export function traceConstrainedSdcp(
  k: number,
  m: Float64Array,
  b: Float64Array,
  trace: number,
  tolerance = 1e-9,
  shouldStop?: ShouldStop,
): TraceSdcpResult {
  if (!(trace >= 0)) throw valueError("traceConstrainedSdcp", "a trace ≥ 0", String(trace));
  const coordinates = svecLength(k);
  const finish = (X: Float64Array, status: SdcpStatus, iterations: number): TraceSdcpResult => {
    const found = X.reduce((total, entry, at) => total + (at % (k + 1) === 0 ? entry : 0), 0);
    const scaled = found > 0 ? X.map((entry) => (entry * trace) / found) : X;
    const image = smat(multiplyVector(b, svec(scaled, k), coordinates, coordinates), k);
    const rest = m.map((entry, at) => entry - image[at]);
    const level = symmetricEigen(rest, k, shouldStop).values[k - 1] ?? 0;
    const shifted = (matrix: Float64Array) =>
      matrix.map((entry, at) => (at % (k + 1) === 0 ? level : 0) - entry);
    const size = trace * (norm(shifted(m)) + norm(image));
    const violation = size > 0 ? Math.abs(dot(scaled, 0, shifted(rest), 0, k * k)) / size : 0;
    const ended = status === "solved" && !(violation <= tolerance) ? "inaccurate" : status;
    return { value: { X: scaled, level }, status: ended, stats: { iterations, violation } };
  };
  if (k === 0 || trace === 0) return finish(new Float64Array(k * k), "solved", 0);
  if (k === 1) return finish(Float64Array.of(trace), "solved", 0);
  const top = symmetricEigen(m, k, shouldStop);
  let level = top.values[k - 1];
  const spread = level - top.values[0];
  const penalty = PENALTY * (norm(b) + spread / trace) || 1;
  const stiffened = b.slice();
  for (let i = 0; i < k; i++)
    for (let j = 0; j < k; j++) stiffened[svecIndex(k, i, i) * coordinates + svecIndex(k, j, j)] += penalty;
  for (let iterations = 1; ; iterations++) {
    throwIfStopped("traceConstrainedSdcp", shouldStop);
    const a = m.map((entry, at) => (at % (k + 1) === 0 ? level - penalty * trace : 0) - entry);
    const { value, status } = sdcp(k, a, stiffened, { shouldStop });
    let found = 0;
    for (let i = 0; i < k; i++) found += value.X[i * (k + 1)];
    const miss = found - trace;
    const ended = !(Math.abs(miss) > TRACE_TOLERANCE * trace) || iterations === MAX_ITERATIONS;
    if (ended || status === "unsolvable" || status === "not-finite")
      return finish(value.X, status, iterations);
    level += penalty * miss;
  }
}
