import { EPS, valueError } from "../../../base/index.ts";
import { symmetrise } from "../../dense/matrix.ts";
import { svecIndex, svecLength } from "../../dense/svec.ts";
import { symmetricEigen } from "../../dense/symmetric-eigen.ts";
import { allFinite, norm } from "../../dense/vectors.ts";
import type { SolverResult } from "../../result.ts";
import { interiorPoint } from "./interior-point.ts";
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

export type SdcpResult = SolverResult<SdcpSolution, SdcpStatus, SdcpStats>;

/** Options of `sdcp`. */
export interface SdcpOptions {
  /** a guess of X, k×k, read: tried by Newton's method first */
  readonly initial?: Float64Array;
  /** largest violation that counts as "solved"; default 1e-10 */
  readonly tolerance?: number;
}

/** Newton's method is trusted without an interior point run when its natural residual is this small. */
const TRUSTED = 1e-12;

/**
 * Semidefinite complementarity problem: symmetric X with X ⪰ 0, Y = A + B[X] ⪰ 0, ⟨X, Y⟩ = 0, the optimality
 * condition of min ½⟨X, B[X]⟩ + ⟨A, X⟩ over X ⪰ 0 when B is positive semidefinite.
 *
 * The problem is scaled to unit norms and diagonal, then Newton's method is tried from the warm start or
 * zero; where it does not settle, an interior point method finds the solution and Newton polishes it. The
 * answer is the candidate with the least recomputed violation. The solution need not be unique if B is
 * singular.
 *
 * @param k order, 0 allowed
 * @param a k×k row-major, read; its symmetric part is used
 * @param b the operator B in `svec` coordinates, m×m row-major with m = k(k+1)/2, read: column c holds
 *   svec(B[E_c]). Its symmetric part is used, negative eigenvalues clipped to zero unless they are rounding
 *   errors (above −m·ε·‖B‖); Y and the violations refer to that operator, stats.repair says what changed
 * @returns "solved"; "inaccurate" (seen only where stats.roundoff exceeds the tolerance); "unsolvable" (a
 *   proof in `direction` that every solution has a norm above 10¹⁰·‖A‖/‖B‖ in the scaled problem);
 *   "not-finite" (A or B: X and Y are NaN)
 * @throws InputValueError for lengths that do not fit
 * Cost: about 5 to 40 steps of 4k³m + m³/3 operations.
 */
export function sdcp(k: number, a: Float64Array, b: Float64Array, options: SdcpOptions = {}): SdcpResult {
  const m = svecLength(k);
  const { initial, tolerance = 1e-10 } = options;
  if (a.length !== k * k) throw valueError("sdcp", `A of ${k}×${k} elements`, `${a.length}`);
  if (b.length !== m * m) throw valueError("sdcp", `B of ${m}×${m} elements, m = k(k+1)/2`, `${b.length}`);
  if (initial && initial.length !== k * k)
    throw valueError("sdcp", `an initial X of ${k}×${k} elements`, `${initial.length}`);
  if (!allFinite(a) || !allFinite(b)) return notFinite(k);
  const { b: positive, repair } = positivePart(b, m);
  const problem: SdcpProblem = { k, a: symmetrise(a, k), b: positive };
  const { values } = symmetricEigen(problem.a, k);
  const finish = (
    X: Float64Array,
    method: SdcpStats["method"],
    iterations: number,
    direction?: Float64Array,
  ) => {
    const found = violations(problem, X);
    const status = worst(found) <= tolerance ? "solved" : direction ? "unsolvable" : "inaccurate";
    const value = { X, Y: slack(problem, X), ...(status === "unsolvable" ? { direction } : {}) };
    const roundoff = values[0] < 0 ? (EPS * norm(problem.b) * norm(X)) / norm(problem.a) : 0;
    return { value, status, stats: { iterations, violations: found, roundoff, repair, method } } as const;
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

  const scaled = rescale(problem);
  const guess = initial && allFinite(initial) ? scaled.into(initial) : zero;
  const direct = semismoothNewton(scaled.problem, guess, balance(scaled.problem, guess));
  const directX = scaled.back(direct.x);
  if (direct.residual <= TRUSTED && worst(violations(problem, directX)) <= tolerance)
    return finish(directX, "Newton", direct.iterations);
  const interior = interiorPoint(scaled.problem);
  const polished = semismoothNewton(scaled.problem, interior.x, balance(scaled.problem, interior.x));
  const steps = direct.iterations + interior.iterations + polished.iterations;
  const direction = interior.direction && scaled.back(interior.direction);
  // Zero is the answer where A is positive semidefinite up to rounding; elsewhere it loses.
  const candidates = [
    { x: scaled.back(polished.x), method: "Newton" },
    { x: scaled.back(interior.x), method: "interior point" },
    { x: zero, method: "closed form" },
  ] as const;
  const measured = candidates.map(({ x }) => worst(violations(problem, x)));
  const { x, method } = candidates[measured.indexOf(Math.min(...measured))];
  return finish(x, method, steps, direction);
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

/**
 * The congruence T = diag(t) and the norms that turn the problem into one with B_ii,ii = 1 and unit norms:
 * A' = TAT/α, B' = T⊗T B T⊗T/β, and X = (α/β) T X' T.
 */
function rescale({ k, a, b }: SdcpProblem) {
  const m = svecLength(k);
  let largest = 0;
  for (let i = 0; i < m; i++) largest = Math.max(largest, b[i * m + i]);
  const t = Float64Array.from({ length: k }, (_, i) => {
    const at = svecIndex(k, i, i);
    return Math.min(SCALE_RANGE, (largest / Math.max(b[at * m + at], largest * 1e-30)) ** 0.25);
  });
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
    problem: { k, a: scaledA.map((entry) => entry / alpha), b: scaledB.map((entry) => entry / beta) },
    back: (x: Float64Array) => congruent(x, ratio),
    into: (x: Float64Array) => x.map((entry, at) => entry / (t[Math.floor(at / k)] * t[at % k]) / ratio),
  };
}
