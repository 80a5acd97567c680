import { EPS, type ShouldStop, throwIfStopped } from "../../../base/index.ts";
import { multiplyTransposed, multiplyVector } from "../../dense/matrix.ts";
import { type SymmetricEigen, symmetricEigen } from "../../dense/symmetric-eigen.ts";
import { allFinite, maxAbs } from "../../dense/vectors.ts";
import type { SolverResult } from "../../result.ts";
import { correct, type PrimalDual } from "./correction.ts";
import { type QpData, type QuadraticProgram, qpData } from "./data.ts";
import { leastDistance } from "./dual-active-set.ts";
import { equilibrate } from "./scaling.ts";
import {
  inUnits,
  provesInfeasible,
  provesUnbounded,
  type QpViolations,
  qpViolations,
  worstQp,
} from "./violations.ts";

/** How `convexQuadraticProgram` ends; `advice` has a sentence on each. */
export type QpStatus =
  | "solved"
  | "non-convex"
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
  /**
   * for "unbounded": v with Qv = 0, cᵀv < 0, Av ≥ 0, Ev = 0, all up to rounding; for "non-convex": v with vᵀQv < 0
   */
  readonly direction?: Float64Array;
}

/** What `convexQuadraticProgram` measured. */
export interface QpStats {
  /** active set changes in all */
  readonly iterations: number;
  /** least eigenvalue of Q, equilibrated by itself, relative to its largest in size; 0 up to rounding where convex */
  readonly curvature: number;
  readonly violations: QpViolations;
}

/** What `convexQuadraticProgram` returns. */
export type QpResult = SolverResult<QpSolution, QpStatus, QpStats>;

/** Weight of the proximal term in the scaled problem, whose entries are about 1. */
const PROXIMAL = 1e-4;
/** Steps with that weight. Then it falls by DECAY a step: where c is small against Q, steps of c/PROXIMAL lead nowhere. */
const FIRST_STEPS = 3;
const DECAY = 0.1;
const LEAST_PROXIMAL = 1e-14;
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
/** Eigenvalues of Q above −ROUNDING·n·ε, relative to the largest, are rounding errors of zero. */
const ROUNDING = 30;
/**
 * A convex quadratic program, the linear program included.
 *
 * The data are equilibrated by powers of two, and the proximal point method x ← argmin f(x) + (δ/2)‖x − x_k‖²
 * (Rockafellar, SIAM J. Control Optim. 14, 1976) makes each subproblem strictly convex, for the dual active set method of
 * Goldfarb and Idnani (1983). δ falls from step to step, so that a solution far off along the null space of Q is reached
 * however small c is. After each subproblem the optimality system of its active set, singular or not, is solved by
 * pseudo-inverse for a correction of x and the multipliers: once the active set is right that ends the run, so the
 * proximal steps need not converge. Definite problems take one step with δ = 0.
 *
 * @returns "solved" if all recomputed violations are at most 1e-10, the stationarity possibly only at the roundoff that
 *   stats give beside it (up to 1e-2); "non-convex" with a direction of negative curvature (x and multipliers are NaN; Q
 *   counts as semidefinite if its least eigenvalue, in equilibrated units, is a rounding error); "infeasible" and
 *   "unbounded" with their proofs; "inaccurate" and "iteration-limit" with the best point; "not-finite" (x and multipliers
 *   are NaN)
 * @param shouldStop looked at in every active set change, every correction and the eigensolves
 * @throws InputValueError for lengths that do not fit; Stopped where `shouldStop` answers true
 * Cost: 20n³ operations, and each active set change about 2·n·w² for w active constraints; each correction 9(n + w)³.
 */
export function convexQuadraticProgram(
  program: QuadraticProgram,
  maxIterations?: number,
  shouldStop?: ShouldStop,
): QpResult {
  const data = qpData("convexQuadraticProgram", program);
  const { n, p, q } = data;
  const limit = maxIterations ?? 50 * (n + p + q) + 1000;
  if (![data.Q, data.c, data.rows, data.bounds].every((array) => allFinite(array)))
    return pack(
      data,
      { x: nan(n), multipliers: nan(p + q), status: "not-finite", iterations: 0 },
      Number.NaN,
    );
  const { Q, curvature, direction: bent } = judgeConvexity(data, shouldStop);
  if (bent) {
    const none = { x: nan(n), multipliers: nan(p + q), iterations: 0, direction: bent };
    return pack(data, { ...none, status: "non-convex" }, curvature);
  }
  const scaled = equilibrate({ ...data, Q });
  const spectrum = symmetricEigen(scaled.data.Q, n, shouldStop);
  const inGivenUnits = (point: PrimalDual): number => {
    const measured = inUnits(data, scaled.point(point.x), scaled.multipliers(point.multipliers, false));
    return worstQp(qpViolations(measured.data, measured.x, measured.multipliers));
  };
  const { x, multipliers, direction, ...outcome } = proximalPoint(
    scaled.data,
    spectrum,
    inGivenUnits,
    limit,
    shouldStop,
  );
  const back = {
    x: scaled.point(x),
    multipliers: scaled.multipliers(multipliers, outcome.status === "infeasible"),
    ...(direction ? { direction: scaled.direction(direction) } : {}),
  };
  return pack(data, { ...outcome, ...back }, curvature);
}

/**
 * Whether Q is positive semidefinite up to rounding. Rounding may mean errors relative to each element (a Gram matrix) or
 * to the largest (a product of matrices), so Q passes in either sense: if its least eigenvalue is at roundoff level after
 * Q alone is equilibrated, since a negative curvature in one variable's units may be orders smaller than the curvature in
 * another's; or if that holds for Q + 2nε·max|Q_ij|·I. A row that is nothing but such errors, with Q_jj < 0, is set to
 * zero.
 *
 * @returns Q without such rows, and a direction of negative curvature if it does not pass
 */
function judgeConvexity(
  data: QpData,
  shouldStop: ShouldStop | undefined,
): { Q: Float64Array; curvature: number; direction?: Float64Array } {
  const { n } = data;
  const Q = data.Q.slice();
  const rounding = ROUNDING * n * EPS;
  const largest = maxAbs(data.Q);
  for (let j = 0; j < n; j++) {
    const row = data.Q.subarray(j * n, (j + 1) * n);
    if (!(row[j] < 0) || maxAbs(row) > rounding * largest) continue;
    for (let i = 0; i < n; i++) Q[i * n + j] = Q[j * n + i] = 0;
  }
  const { curvature, direction } = leastCurvature(Q, n, shouldStop);
  if (curvature >= -rounding) return { Q, curvature };
  const lifted = Q.map((entry, at) => entry + (at % (n + 1) === 0 ? 2 * n * EPS * largest : 0));
  const convex = n > 1 && leastCurvature(lifted, n, shouldStop).curvature >= -rounding;
  return { Q, curvature, ...(convex ? {} : { direction }) };
}

/** The least eigenvalue of the equilibrated Q, relative to the largest in size, and its eigenvector as a direction. */
function leastCurvature(
  Q: Float64Array,
  n: number,
  shouldStop: ShouldStop | undefined,
): { curvature: number; direction: Float64Array } {
  const none = new Float64Array(0);
  const scaled = equilibrate({ n, p: 0, q: 0, Q, c: new Float64Array(n), rows: none, bounds: none });
  const { values, vectors } = symmetricEigen(scaled.data.Q, n, shouldStop);
  const [least, most] = n > 0 ? [values[0], values[n - 1]] : [0, 0];
  return {
    curvature: least / (Math.max(-least, most) || 1),
    direction: scaled.direction(vectors.slice(0, n)),
  };
}

function nan(n: number): Float64Array {
  return new Float64Array(n).fill(Number.NaN);
}

function pack(data: QpData, { x, multipliers, direction, ...ended }: Outcome, curvature: number): QpResult {
  const measured = inUnits(data, x, multipliers);
  const violations = qpViolations(measured.data, measured.x, measured.multipliers);
  const value = {
    x,
    inequality: multipliers.slice(data.q),
    equality: multipliers.slice(0, data.q),
    ...(direction ? { direction } : {}),
  };
  // What counts are the violations in the units given, for better or worse than in those solved in.
  const judged = ended.status === "solved" || ended.status === "inaccurate";
  const good = allFinite(x) && worstQp(violations) <= TOLERANCE;
  return {
    value,
    status: judged ? (good ? "solved" : "inaccurate") : ended.status,
    stats: { iterations: ended.iterations, curvature, violations },
  };
}

interface Outcome extends PrimalDual {
  readonly status: QpStatus;
  readonly iterations: number;
  readonly direction?: Float64Array;
}

/**
 * @param inGivenUnits the worst violation of a point in the units of the caller: what is good in the equilibrated ones
 *   may weigh the elements of the optimality system otherwise, and must be good in both to end the search
 */
function proximalPoint(
  data: QpData,
  spectrum: SymmetricEigen,
  inGivenUnits: (point: PrimalDual) => number,
  limit: number,
  shouldStop: ShouldStop | undefined,
): Outcome {
  const { n, c, bounds } = data;
  const definite = n === 0 || spectrum.values[0] >= DEFINITE;
  let x: Float64Array = new Float64Array(n);
  let best: PrimalDual = { x, multipliers: new Float64Array(bounds.length) };
  let lowest = Number.POSITIVE_INFINITY;
  let stale = 0;
  let iterations = 0;
  let delta = definite ? 0 : PROXIMAL;
  for (let round = 0; round < MAX_PROXIMAL_STEPS && iterations <= limit; round++) {
    if (!definite && round >= FIRST_STEPS) delta = Math.max(DECAY * delta, LEAST_PROXIMAL);
    throwIfStopped("convexQuadraticProgram", shouldStop);
    const metric = squareRoot(spectrum, n, delta);
    // The gradient at x_k is that of Q itself, so that errors of the decomposition do not enter the fixed point.
    const slope = multiplyVector(data.Q, x, n, n);
    const bent = metric.product(x);
    const start = metric.toDistance(slope.map((entry, i) => bent[i] - entry - c[i]));
    const problem = { n, normals: metric.normals(data), bounds, equalities: data.q };
    const { y, multipliers, active, ...ended } = leastDistance(
      problem,
      start,
      limit - iterations,
      shouldStop,
    );
    iterations += ended.iterations;
    if (ended.status === "infeasible") {
      if (provesInfeasible(data, multipliers, PROOF))
        return { x, multipliers, status: "infeasible", iterations };
      break;
    }
    const nearest = metric.fromDistance(y);
    const candidate = correct(data, { x: nearest, multipliers }, active, shouldStop);
    let violation = worstQp(qpViolations(data, candidate.x, candidate.multipliers));
    if (violation <= TOLERANCE) {
      const given = inGivenUnits(candidate);
      if (given > TOLERANCE) violation = given;
    }
    stale = violation < lowest / 2 ? 0 : stale + 1;
    if (violation < lowest) {
      lowest = violation;
      best = candidate;
    }
    if (lowest <= GOOD || (lowest <= TOLERANCE && (definite || stale >= PATIENCE)))
      return { ...best, status: "solved", iterations };
    if (ended.status === "iteration-limit") return { ...best, status: "iteration-limit", iterations };
    const direction = nearest.map((entry, i) => entry - x[i]);
    if (provesUnbounded(data, direction, PROOF))
      return { x: nearest, multipliers, status: "unbounded", iterations, direction };
    x = nearest;
    if (definite) break;
  }
  return { ...best, status: "inaccurate", iterations };
}

/**
 * With Q + δI = VMVᵀ, y = M^{1/2}Vᵀx turns ½xᵀ(Q + δI)x − gᵀx into ½‖y − y₀‖² with y₀ = M^{-1/2}Vᵀg, and the normals of
 * constraints into M^{-1/2}Vᵀa. In the eigenbasis the null space of Q keeps its digits for any δ. Negative eigenvalues
 * are rounding errors and count as zero.
 */
function squareRoot({ values, vectors }: SymmetricEigen, n: number, delta: number) {
  const roots = values.map((value) => Math.sqrt(Math.max(value, 0) + delta));
  const toDistance = (g: Float64Array) =>
    multiplyVector(vectors, g, n, n).map((entry, e) => entry / roots[e]);
  return {
    toDistance,
    /** (Q + δI)x */
    product: (x: Float64Array) => {
      const turned = multiplyVector(vectors, x, n, n).map((entry, e) => entry * roots[e] ** 2);
      return multiplyTransposed(vectors, turned, n, n);
    },
    fromDistance: (y: Float64Array) =>
      multiplyTransposed(
        vectors,
        y.map((entry, e) => entry / roots[e]),
        n,
        n,
      ),
    normals: ({ rows, bounds }: QpData) => {
      const normals = new Float64Array(rows.length);
      for (let i = 0; i < bounds.length; i++)
        normals.set(toDistance(rows.subarray(i * n, (i + 1) * n)), i * n);
      return normals;
    },
  };
}
