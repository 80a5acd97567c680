import { valueError } from "../../../base/index.ts";
import { cholesky, solveLower, solveLowerTransposed } from "../../dense/cholesky.ts";
import { symmetrise } from "../../dense/matrix.ts";
import { symmetricEigen } from "../../dense/symmetric-eigen.ts";
import { allFinite } from "../../dense/vectors.ts";
import type { SolverResult } from "../../result.ts";
import { correct, type PrimalDual } from "./correction.ts";
import type { QpData } from "./data.ts";
import { leastDistance } from "./dual-active-set.ts";
import { equilibrate } from "./scaling.ts";
import { provesInfeasible, provesUnbounded, type QpViolations, qpViolations, worstQp } from "./violations.ts";

/** min ½xᵀQx + cᵀx subject to A x ≥ b and E x = f, Q symmetric positive semidefinite, possibly singular. */
export interface QuadraticProgram {
  /** n×n row-major; its symmetric part is used */
  readonly Q: Float64Array;
  readonly c: Float64Array;
  /** p×n row-major; default none */
  readonly A?: Float64Array;
  readonly b?: Float64Array;
  /** q×n row-major; default none */
  readonly E?: Float64Array;
  readonly f?: Float64Array;
}

export type QpStatus =
  | "solved"
  | "infeasible"
  | "unbounded"
  | "inaccurate"
  | "iteration-limit"
  | "not-finite";

/** The point and its multipliers: Qx + c = Aᵀλ + Eᵀν with λ ≥ 0. */
export interface QpSolution {
  readonly x: Float64Array;
  /** λ, length p; for "infeasible" λ ≥ 0 and ν are a Farkas proof: Aᵀλ + Eᵀν = 0, bᵀλ + fᵀν > 0 */
  readonly inequality: Float64Array;
  /** ν, length q */
  readonly equality: Float64Array;
  /** for "unbounded": v with Qv = 0, cᵀv < 0, Av ≥ 0, Ev = 0, all up to rounding */
  readonly direction?: Float64Array;
}

/** What `convexQuadraticProgram` measured. */
export interface QpStats {
  /** active set changes in all */
  readonly iterations: number;
  readonly violations: QpViolations;
}

export type QpResult = SolverResult<QpSolution, QpStatus, QpStats>;

/** Weight of the proximal term in the scaled problem, whose entries are about 1. */
const PROXIMAL = 1e-4;
/** A Hessian with this least eigenvalue in the scaled problem needs no proximal term. */
const DEFINITE = 1e-4;
const MAX_PROXIMAL_STEPS = 200;
/** Largest violation that counts as solved. */
const TOLERANCE = 1e-10;
/** Below this violation, or below TOLERANCE without progress for PATIENCE proximal steps, the search ends. */
const GOOD = 1e-13;
const PATIENCE = 3;
/** Proofs of infeasibility and unboundedness must hold to this relative accuracy. */
const PROOF = 1e-9;
/**
 * A convex quadratic program, the linear program included.
 *
 * The data are equilibrated, and the proximal point method x ← argmin f(x) + (δ/2)‖x − x_k‖² (Rockafellar,
 * SIAM J. Control Optim. 14, 1976) makes each subproblem strictly convex, for the dual active set method of
 * Goldfarb and Idnani (1983). After each subproblem the optimality system of its active set, singular or not,
 * is solved by pseudo-inverse for a correction of x and the multipliers: once the active set is right that
 * ends the run, so the proximal steps need not converge. Definite problems take one step with δ = 0.
 *
 * @returns "solved" if all recomputed violations are at most 1e-10; "infeasible" and "unbounded" with their
 *   proofs; "inaccurate" and "iteration-limit" with the best point; "not-finite" (x and multipliers are NaN)
 * @throws InputValueError for lengths that do not fit
 * Cost: each active set change about 2·n·w² operations for w active constraints; each correction 9(n + w)³.
 */
export function convexQuadraticProgram(program: QuadraticProgram, maxIterations?: number): QpResult {
  const data = validate(program);
  const { n, p, q } = data;
  const limit = maxIterations ?? 50 * (n + p + q) + 1000;
  if (![data.Q, data.c, data.rows, data.bounds].every((array) => allFinite(array)))
    return pack(data, nan(n), nan(p + q), "not-finite", 0);
  const scaled = equilibrate(data);
  const outcome = proximalPoint(scaled.data, limit);
  const x = scaled.point(outcome.x);
  const multipliers = scaled.multipliers(outcome.multipliers, outcome.status === "infeasible");
  const direction = outcome.direction && scaled.point(outcome.direction);
  return pack(data, x, multipliers, outcome.status, outcome.iterations, direction);
}

function validate({ Q, c, A, b, E, f }: QuadraticProgram): QpData {
  const n = c.length;
  const p = b?.length ?? 0;
  const q = f?.length ?? 0;
  const check = (name: string, length: number, rows: number, cols: number) => {
    if (length !== rows * cols)
      throw valueError("convexQuadraticProgram", `${name} of ${rows}×${cols} elements`, `${length}`);
  };
  check("Q", Q.length, n, n);
  check("A", A?.length ?? 0, p, n);
  check("E", E?.length ?? 0, q, n);
  const rows = new Float64Array((p + q) * n);
  if (E) rows.set(E);
  if (A) rows.set(A, q * n);
  const bounds = new Float64Array(p + q);
  if (f) bounds.set(f);
  if (b) bounds.set(b, q);
  return { n, p, q, Q: symmetrise(Q, n), c, rows, bounds };
}

function nan(n: number): Float64Array {
  return new Float64Array(n).fill(Number.NaN);
}

function pack(
  data: QpData,
  x: Float64Array,
  multipliers: Float64Array,
  status: QpStatus,
  iterations: number,
  direction?: Float64Array,
): QpResult {
  const violations = qpViolations(data, x, multipliers);
  const value = {
    x,
    inequality: multipliers.slice(data.q),
    equality: multipliers.slice(0, data.q),
    ...(direction ? { direction } : {}),
  };
  const missed = status === "solved" && !(worstQp(violations) <= TOLERANCE);
  return { value, status: missed ? "inaccurate" : status, stats: { iterations, violations } };
}

interface Outcome extends PrimalDual {
  readonly status: QpStatus;
  readonly iterations: number;
  readonly direction?: Float64Array;
}

function proximalPoint(data: QpData, limit: number): Outcome {
  const { n, q, Q, c, rows, bounds } = data;
  const least = n > 0 ? symmetricEigen(Q, n).values[0] : 1;
  const delta = least >= DEFINITE ? 0 : PROXIMAL + Math.max(0, -least);
  const shifted = Q.map((entry, at) => entry + (at % (n + 1) === 0 ? delta : 0));
  const { factor } = cholesky(shifted, n);
  const normals = rows.slice();
  for (let i = 0; i < bounds.length; i++) solveLower(factor, n, normals.subarray(i * n, (i + 1) * n));
  const problem = { n, normals, bounds, equalities: q };
  let x: Float64Array = new Float64Array(n);
  let best: PrimalDual = { x, multipliers: new Float64Array(bounds.length) };
  let lowest = Number.POSITIVE_INFINITY;
  let stale = 0;
  let iterations = 0;
  for (let round = 0; round < MAX_PROXIMAL_STEPS && iterations <= limit; round++) {
    const start = x.map((entry, i) => delta * entry - c[i]);
    solveLower(factor, n, start);
    const { y, multipliers, active, ...ended } = leastDistance(problem, start, limit - iterations);
    iterations += ended.iterations;
    if (ended.status === "infeasible") {
      if (provesInfeasible(data, multipliers, PROOF))
        return { x, multipliers, status: "infeasible", iterations };
      break;
    }
    solveLowerTransposed(factor, n, y);
    const candidate = correct(data, { x: y, multipliers }, active);
    const violation = worstQp(qpViolations(data, candidate.x, candidate.multipliers));
    stale = violation < lowest / 2 ? 0 : stale + 1;
    if (violation < lowest) {
      lowest = violation;
      best = candidate;
    }
    if (lowest <= GOOD || (lowest <= TOLERANCE && (delta === 0 || stale >= PATIENCE)))
      return { ...best, status: "solved", iterations };
    if (ended.status === "iteration-limit") return { ...best, status: "iteration-limit", iterations };
    const direction = y.map((entry, i) => entry - x[i]);
    if (provesUnbounded(data, direction, PROOF))
      return { x: y, multipliers, status: "unbounded", iterations, direction };
    x = y;
    if (delta === 0) break;
  }
  return { ...best, status: "inaccurate", iterations };
}
