import { EPS, type ShouldStop, valueError } from "../../../base/index.ts";
import { symmetrise } from "../../dense/matrix.ts";
import { svecIndex, svecLength } from "../../dense/svec.ts";
import { symmetricEigen } from "../../dense/symmetric-eigen.ts";
import { allFinite, maxAbs, norm, powerOfTwoNear } from "../../dense/vectors.ts";
import type { SolverResult } from "../../result.ts";
import { interiorPoint, proves, refinedProof } from "./interior-point.ts";
import { balance, semismoothNewton } from "./newton.ts";
import {
  type OperatorRepair,
  positivePart,
  type SdcpProblem,
  type SdcpViolations,
  slack,
  violations,
  worst,
} from "./problem.ts";

/** How `sdcp` ended. */
export type SdcpStatus = "solved" | "inaccurate" | "unsolvable" | "not-finite";

/** X and Y = A + B[X], both k×k. When "unsolvable", `direction` is D ⪰ 0 with ⟨A, D⟩ < 0 and B[D] ≈ 0. */
export interface SdcpSolution {
  readonly X: Float64Array;
  readonly Y: Float64Array;
  readonly direction?: Float64Array;
}

/** What `sdcp` measured. */
export interface SdcpStats {
  /** interior point and Newton steps together */
  readonly iterations: number;
  readonly violations: SdcpViolations;
  /** ε·‖B‖·‖X‖/‖A‖: no X rounded to doubles can be expected to violate the conditions by much less */
  readonly roundoff: number;
  /** what symmetrising and clipping did to B */
  readonly repair: OperatorRepair;
  /** the part that produced the answer */
  readonly method: "closed form" | "Newton" | "interior point";
}

/** What `sdcp` returns. */
export type SdcpResult = SolverResult<SdcpSolution, SdcpStatus, SdcpStats>;

/** Options of `sdcp`. */
export interface SdcpOptions {
  /** a guess of X, k×k, read: tried by Newton's method first */
  readonly initial?: Float64Array;
  /** largest violation that counts as "solved"; default 1e-10 */
  readonly tolerance?: number;
  /** looked at in every step of either method and some hundred times within: true ends it with `Stopped` */
  readonly shouldStop?: ShouldStop | undefined;
}

/** Newton's method is trusted without an interior point run when its natural residual is this small. */
const TRUSTED = 1e-12;

/**
 * Semidefinite complementarity problem: symmetric X with X ⪰ 0, Y = A + B[X] ⪰ 0, ⟨X, Y⟩ = 0, the optimality
 * condition of min ½⟨X, B[X]⟩ + ⟨A, X⟩ over X ⪰ 0 when B is positive semidefinite.
 *
 * A and B are taken in units of powers of two, which round nothing, and scaled to unit norms and diagonal. Newton's
 * method is tried from the warm start or zero; where it does not settle, an interior point method finds the solution and
 * Newton polishes it. Where that is not enough, since a zero on the diagonal of B tells nothing of X_ii, it is repeated
 * in coordinates scaled by the X found, up to four times. The answer is the candidate with the least recomputed
 * violation. The solution need not be unique if B is singular.
 *
 * @param k order, 0 allowed
 * @param a k×k row-major, read; its symmetric part is used
 * @param b the operator B in `svec` coordinates, m×m row-major with m = k(k+1)/2, read: column c holds
 *   svec(B[E_c]). Its symmetric part is used, negative eigenvalues clipped to zero unless they are rounding
 *   errors (above −m·ε·‖B‖); Y and the violations refer to that operator, stats.repair says what changed
 * @returns "solved"; "inaccurate" (seen only where stats.roundoff exceeds the tolerance, or X leaves the doubles); "unsolvable" (a
 *   proof in `direction` that every solution has a norm above 10¹⁰·‖A‖/‖B‖ in the scaled problem);
 *   "not-finite" (A or B: X and Y are NaN)
 * @throws InputValueError for lengths that do not fit; Stopped where `shouldStop` answers true
 * Cost: about 5 to 40 steps of 8k³m + m³/3 operations, five times that at most.
 */
export function sdcp(k: number, a: Float64Array, b: Float64Array, options: SdcpOptions = {}): SdcpResult {
  const m = svecLength(k);
  const { initial, tolerance = 1e-10, shouldStop } = options;
  if (a.length !== k * k) throw valueError("sdcp", `A of ${k}×${k} elements`, `${a.length}`);
  if (b.length !== m * m) throw valueError("sdcp", `B of ${m}×${m} elements, m = k(k+1)/2`, `${b.length}`);
  if (initial && initial.length !== k * k)
    throw valueError("sdcp", `an initial X of ${k}×${k} elements`, `${initial.length}`);
  if (!allFinite(a) || !allFinite(b)) return notFinite(k);
  const unitA = powerOfTwoNear(maxAbs(a) || 1);
  const unitB = powerOfTwoNear(maxAbs(b) || 1);
  const unitX = unitA / unitB;
  const { b: positive, repair } = positivePart(
    b.map((entry) => entry / unitB),
    m,
    shouldStop,
  );
  const scaledA = a.map((entry) => entry / unitA);
  const problem: SdcpProblem = { k, a: symmetrise(scaledA, k), b: positive, shouldStop };
  const { values } = symmetricEigen(problem.a, k);
  const finish = (
    found: Float64Array,
    method: SdcpStats["method"],
    iterations: number,
    direction?: Float64Array,
  ) => {
    // Measured from X as it is returned: it may have left the doubles.
    const X = found.map((entry) => entry * unitX);
    const x = X.map((entry) => (entry === 0 ? 0 : entry / unitX));
    const measured = violations(problem, x);
    const good = worst(measured) <= tolerance && allFinite(X);
    const status = good ? "solved" : direction ? "unsolvable" : "inaccurate";
    const Y = slack(problem, x).map((entry) => entry * unitA);
    const value = { X, Y, ...(status === "unsolvable" ? { direction } : {}) };
    const roundoff = values[0] < 0 ? (EPS * norm(problem.b) * norm(x)) / norm(problem.a) : 0;
    return {
      value,
      status,
      stats: { iterations, violations: measured, roundoff, repair, method },
    } as const;
  };
  const zero = new Float64Array(k * k);
  if (k === 0 || values[0] >= 0) return finish(zero, "closed form", 0);
  if (k === 1) {
    const x = -problem.a[0] / problem.b[0];
    const solvable = problem.b[0] > 0 && Number.isFinite(x);
    return finish(
      solvable ? Float64Array.of(x) : zero,
      "closed form",
      0,
      solvable ? undefined : Float64Array.of(1),
    );
  }
  if (norm(problem.b) === 0) return finish(zero, "closed form", 0, leastEigenvector(problem.a, k));

  const given = initial?.map((entry) => entry / unitX);
  const from = given && allFinite(given) ? given : zero;
  let best = attempt(problem, byOperator(problem), from, tolerance);
  let steps = best.steps;
  let proof = best.direction;
  for (const scaling of [bySolution, plain, bySolution, bySolution]) {
    // A solution ends the search, and so does a proof in the coordinates given; one in others may only mean that a
    // solution is large in those.
    if (best.violation <= tolerance || (proof && proves(problem, proof))) break;
    const other = attempt(problem, scaling(problem, best.x), best.x, tolerance);
    steps += other.steps;
    proof = other.direction ?? proof;
    if (other.violation < best.violation) best = other;
  }
  return finish(best.x, best.method, steps, proof);
}

interface Attempt {
  readonly x: Float64Array;
  readonly method: SdcpStats["method"];
  readonly violation: number;
  readonly steps: number;
  readonly direction?: Float64Array;
}

/** Newton's method, then the interior point method and Newton again, in coordinates scaled by t. */
function attempt(problem: SdcpProblem, t: Float64Array, from: Float64Array, tolerance: number): Attempt {
  const scaled = rescale(problem, t);
  const guess = scaled.into(from);
  const direct = semismoothNewton(scaled.problem, guess, balance(scaled.problem, guess));
  const directX = scaled.back(direct.x);
  const directViolation = worst(violations(problem, directX));
  if (direct.residual <= TRUSTED && directViolation <= tolerance)
    return { x: directX, method: "Newton", violation: directViolation, steps: direct.iterations };
  const interior = interiorPoint(scaled.problem);
  const polished = semismoothNewton(scaled.problem, interior.x, balance(scaled.problem, interior.x));
  const steps = direct.iterations + interior.iterations + polished.iterations;
  // Zero is the answer where A is positive semidefinite up to rounding; elsewhere it loses.
  const candidates = [
    { x: scaled.back(polished.x), method: "Newton" },
    { x: scaled.back(interior.x), method: "interior point" },
    { x: new Float64Array(from.length), method: "closed form" },
  ] as const;
  const measured = candidates.map(({ x }) => worst(violations(problem, x)));
  const violation = Math.min(...measured);
  const proof =
    interior.direction ?? (violation <= tolerance ? undefined : refinedProof(scaled.problem, interior.x));
  const direction = proof && scaled.back(proof);
  const { x, method } = candidates[measured.indexOf(violation)];
  return { x, method, violation, steps, ...(direction ? { direction } : {}) };
}

function notFinite(k: number): SdcpResult {
  const nan = new Float64Array(k * k).fill(Number.NaN);
  const infinite = Number.POSITIVE_INFINITY;
  return {
    value: { X: nan, Y: nan.slice() },
    status: "not-finite",
    stats: {
      iterations: 0,
      violations: { semidefiniteX: infinite, semidefiniteY: infinite, complementarity: infinite },
      roundoff: Number.NaN,
      repair: { asymmetry: Number.NaN, clipped: Number.NaN },
      method: "closed form",
    },
  };
}

/** v vᵀ for an eigenvector of the least eigenvalue. */
function leastEigenvector(a: Float64Array, k: number): Float64Array {
  const { vectors } = symmetricEigen(a, k);
  const outer = new Float64Array(k * k);
  for (let i = 0; i < k; i++) for (let j = 0; j < k; j++) outer[i * k + j] = vectors[i] * vectors[j];
  return outer;
}

/** Scalings are kept within 10^±6, so that an empty diagonal entry of B is not blown up. */
const SCALE_RANGE = 1e6;

/** t that makes B_ii,ii = 1 relative to the largest element of B's diagonal. */
function byOperator({ k, b }: SdcpProblem): Float64Array {
  const m = svecLength(k);
  const largest = largestDiagonal(b, m);
  return Float64Array.from({ length: k }, (_, i) => {
    const at = svecIndex(k, i, i);
    return Math.min(SCALE_RANGE, Math.sqrt(Math.sqrt(largest / Math.max(b[at * m + at], largest * 1e-30))));
  });
}

/**
 * t that makes X_ii = 1, for a solution that is roughly known. Where B_ii,ii = 0 it is A_ii that bounds X_ii, by way of
 * X_ij, and no size of B's elements tells how large it will be.
 */
function bySolution({ k }: SdcpProblem, x: Float64Array): Float64Array {
  let largest = 0;
  for (let i = 0; i < k; i++) largest = Math.max(largest, x[i * (k + 1)]);
  if (!(largest > 0)) return new Float64Array(k).fill(1);
  return Float64Array.from({ length: k }, (_, i) =>
    Math.sqrt(Math.max(x[i * (k + 1)] / largest, 1 / (SCALE_RANGE * SCALE_RANGE))),
  );
}

/** The coordinates as they are. */
function plain({ k }: SdcpProblem): Float64Array {
  return new Float64Array(k).fill(1);
}

function largestDiagonal(b: Float64Array, m: number): number {
  let largest = 0;
  for (let i = 0; i < m; i++) largest = Math.max(largest, b[i * m + i]);
  return largest;
}

/**
 * The congruence T = diag(t) and the norms that turn the problem into one of unit norms: A' = TAT/α,
 * B' = T⊗T B T⊗T/β, and X = (α/β) T X' T.
 */
function rescale({ k, a, b, shouldStop }: SdcpProblem, t: Float64Array) {
  const m = svecLength(k);
  const largest = largestDiagonal(b, m);
  const pair = new Float64Array(m);
  for (let i = 0; i < k; i++) for (let j = i; j < k; j++) pair[svecIndex(k, i, j)] = t[i] * t[j];
  const congruent = (matrix: Float64Array, factor: number) =>
    matrix.map((entry, at) => entry * t[Math.floor(at / k)] * t[at % k] * factor);
  const scaledA = congruent(a, 1);
  const alpha = norm(scaledA);
  const scaledB = b.map((entry, at) => (entry / largest) * pair[Math.floor(at / m)] * pair[at % m]);
  const beta = norm(scaledB);
  const ratio = alpha / beta / largest;
  return {
    problem: {
      k,
      a: scaledA.map((entry) => entry / alpha),
      b: scaledB.map((entry) => entry / beta),
      shouldStop,
    },
    back: (x: Float64Array) => congruent(x, ratio),
    into: (x: Float64Array) => x.map((entry, at) => entry / (t[Math.floor(at / k)] * t[at % k]) / ratio),
  };
}
