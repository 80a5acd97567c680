import { valueError } from "../../../base/index.ts";
import { multiplyVector, symmetrise } from "../../dense/matrix.ts";
import { smat, svec, svecLength } from "../../dense/svec.ts";
import { symmetricEigen } from "../../dense/symmetric-eigen.ts";
import { allFinite, dot, maxAbs, norm, powerOfTwoNear } from "../../dense/vectors.ts";
import type { SolverResult } from "../../result.ts";
import { type OperatorRepair, positivePart, slack } from "../complementarity/problem.ts";
import { sdcp } from "../complementarity/sdcp.ts";
import {
  followPath,
  type NoiseOutcome,
  type NoiseProblem,
  type NoiseViolations,
  newton,
  noiseViolations,
  type PathOutcome,
  worstNoise,
} from "./equation.ts";

/** How `noiseEquation` ended. */
export type NoiseStatus =
  | "solved"
  | "singular-noise"
  | "unstable"
  | "unsolvable"
  | "inaccurate"
  | "not-finite";

/** X and Y = A + B[X], both k×k. When "unsolvable", `direction` is D ⪰ 0 with B[D] ≈ 0 and ⟨A, D⟩ ≤ 0. */
export interface NoiseSolution {
  readonly X: Float64Array;
  readonly Y: Float64Array;
  readonly direction?: Float64Array;
}

/** What `noiseEquation` measured. */
export interface NoiseStats {
  /** Newton steps, those of the complementarity problem not counted */
  readonly iterations: number;
  readonly violations: NoiseViolations;
  /** the least and largest eigenvalue of Y; a stationary covariance asks for both inside (0, 2) */
  readonly spectrum: readonly [number, number];
  /** ‖N‖/(‖A‖·‖X‖) at the complementarity problem's X; below 1e-9 N counts as 0; infinite where X = 0 */
  readonly noise: number;
  /** μ of the μI that was added to a singular N; the violations refer to N without it */
  readonly regularisation: number;
  /** what symmetrising and clipping did to B */
  readonly repair: OperatorRepair;
  /** the part that produced the answer */
  readonly method: "complementarity" | "Newton" | "continuation";
}

/** The covariance, how the search ended and what was measured. */
export type NoiseResult = SolverResult<NoiseSolution, NoiseStatus, NoiseStats>;

/** Options of `noiseEquation`. */
export interface NoiseOptions {
  /** "lyapunov" (default): XY + YX = N; "full": XY + YX − YXY = N, on the branch that the first continues into */
  readonly form?: "lyapunov" | "full";
  /**
   * V, noise that is multiplied by the oscillation itself, in `svec` coordinates (symmetric, read): XY + YX − YXY − V[X] = N.
   * It must take every X ⪰ 0 to a V[X] ⪰ 0. Default 0. Then neither is X bounded by the noise nor uniqueness known
   */
  readonly multiplicative?: Float64Array;
  /** a guess of X, k×k, read: its symmetric part is tried by Newton's method first */
  readonly initial?: Float64Array;
  /** largest violation that counts as "solved"; default 1e-10 */
  readonly tolerance?: number;
}

/** N below this fraction of ‖A‖·‖X‖ counts as 0: its effect on X is that of a rounding error in Y. */
const NO_NOISE = 1e-9;
/** Negative eigenvalues of N above −this·‖N‖ are rounding errors. */
const NEGATIVE_NOISE = 1e-12;
/** μ added to a singular N, relative to its norm, largest first: each result starts the next by Newton. */
const REGULARISATIONS = [1e-6, 1e-8, 1e-10, 1e-11];
/** Steps of s from the Lyapunov to the full form, where Newton's method does not reach it at once. */
const FORM_STEPS = 16;
/** Where linearisation ends: a⁺ = (Y − I)a is stable for Y inside (0, 2). */
const EDGE = 2;
/** An X of 1/this natural sizes that B and A see to this much only shows that there is no solution. */
const DIVERGED = 1e-5;

/**
 * The stationary covariance X of an oscillation that noise drives and a complementarity problem holds: symmetric X ⪰ 0
 * with
 *
 *     XY + YX = N   or   XY + YX − YXY = N,   Y = A + B[X] ⪰ 0,
 *
 * N ⪰ 0 the covariance of the noise per step. The second is the equation of rest of a⁺ = (Y − I)a + ξ, the first its
 * leading part near the edge Y = 0. With N = 0 both are the conditions of `sdcp`, whose solution is the limit; with
 * B ⪰ 0 and N ≻ 0 the first has at most one solution. Derivation: docs/derivations.md.
 *
 * Newton's method from the solution of `sdcp`, then where it does not arrive at X, Y ⪰ 0 a continuation that keeps them
 * positive definite (`followPath`); the full form is reached from the other, by steps of the cubic term's weight if
 * need be, so that it is the branch of small Y.
 *
 * @param k order, 0 allowed
 * @param a k×k row-major, read; its symmetric part is used
 * @param b the operator B in `svec` coordinates, as in `sdcp`, read
 * @param noise N, k×k row-major, read; its symmetric part is used
 * @returns "solved"; "singular-noise" (N is singular and Newton's method failed: the limit of N + μI for the μ in
 *   stats.regularisation, all conditions held); "unstable" (a solution, but Y has an eigenvalue ≥ 2, or none of the full
 *   form on this branch); "unsolvable" (with a proof in `direction`); "inaccurate"; "not-finite" (X and Y are NaN)
 * @throws InputValueError for lengths that do not fit or an N with a negative eigenvalue
 * Cost: that of `sdcp`, and some 3 to 40 Newton steps of 4k³m + 4m³ operations, m = k(k+1)/2.
 */
export function noiseEquation(
  k: number,
  a: Float64Array,
  b: Float64Array,
  noise: Float64Array,
  options: NoiseOptions = {},
): NoiseResult {
  const m = svecLength(k);
  const { form = "lyapunov", tolerance = 1e-10, multiplicative } = options;
  const check = (name: string, given: Float64Array, size: number) => {
    if (given.length !== size ** 2)
      throw valueError("noiseEquation", `${name} of ${size}×${size} elements`, `${given.length}`);
  };
  check("A", a, k);
  check("B", b, m);
  check("N", noise, k);
  if (options.initial) check("an initial X", options.initial, k);
  if (multiplicative) check("V", multiplicative, m);
  if (!allFinite(a) || !allFinite(b) || !allFinite(noise) || !allFinite(multiplicative ?? a))
    return notFinite(k);
  const N = symmetrise(noise, k);
  const least = symmetricEigen(N, k).values[0] ?? 0;
  if (least < -NEGATIVE_NOISE * norm(N))
    throw valueError("noiseEquation", "a covariance N ⪰ 0", `an eigenvalue ${least}`);

  // With V[X] = ½(DX + XD), D = V[I], which for k = 1 it is, the equation is that of A − ½D without V.
  const shifted = multiplicative?.some((entry) => entry !== 0)
    ? noiseEquation(k, edgeShift(k, a, multiplicative), b, N).value.X
    : undefined;
  const initial = options.initial ?? shifted;
  const first = sdcp(k, a, b, initial ? { initial } : {});
  const { repair } = first.stats;
  const problem: NoiseProblem = {
    k,
    a: symmetrise(a, k),
    b: positivePart(b, m).b,
    noise: N,
    ...(multiplicative && { multiplicative }),
  };
  const relative = norm(N) === 0 ? 0 : norm(N) / (norm(problem.a) * norm(first.value.X));
  const s = form === "full" ? 1 : 0;
  const finish = (
    given: NoiseProblem,
    { x: X, iterations }: NoiseOutcome,
    method: NoiseStats["method"],
    failed: NoiseStatus = "inaccurate",
    regularisation = 0,
    direction?: Float64Array,
  ): NoiseResult => {
    const violations = noiseViolations(given, X, s);
    const Y = slack(given, X);
    const { values } = symmetricEigen(Y, k);
    const spectrum = [values[0] ?? 0, values[k - 1] ?? 0] as const;
    const good = worstNoise(violations) <= tolerance && allFinite(X);
    const ended = regularisation > 0 ? "singular-noise" : "solved";
    const status = !good ? failed : spectrum[1] >= EDGE ? "unstable" : ended;
    return {
      value: { X, Y, ...(status === "unsolvable" && direction ? { direction } : {}) },
      status,
      stats: { iterations, violations, spectrum, noise: relative, regularisation, repair, method },
    };
  };
  const still = { x: first.value.X, violation: 0, iterations: 0 };
  if (first.status === "unsolvable")
    return finish(problem, still, "complementarity", "unsolvable", 0, first.value.direction);
  if (k === 0 || (relative <= NO_NOISE && !multiplicative?.some((entry) => entry !== 0)))
    return finish(
      { k, a: problem.a, b: problem.b, noise: new Float64Array(k * k) },
      still,
      "complementarity",
    );

  const scaled = rescale(problem, first.value.X);
  const start = scaled.into(initial && allFinite(initial) ? symmetrise(initial, k) : first.value.X);
  let method: NoiseStats["method"] = "Newton";
  let regularisation = 0;
  let found = newton(scaled.problem, start, 0);
  let end = found.x;
  let steps = found.iterations;
  if (!(found.violation <= tolerance)) {
    method = "continuation";
    ({ end, ...found } = continued(scaled.problem));
    steps += found.iterations;
    if (!(found.violation <= tolerance) && least <= tolerance * norm(N)) {
      const singular = regularised(scaled.problem, tolerance);
      steps += singular.iterations;
      if (singular.violation < found.violation) {
        found = singular;
        regularisation = singular.regularisation * scaled.unitN;
      }
    }
  }
  if (!(found.violation <= tolerance)) {
    const direction = divergence(scaled.problem, end);
    const outcome = { ...found, x: scaled.back(found.x), iterations: steps };
    return finish(problem, outcome, method, direction ? "unsolvable" : "inaccurate", 0, direction);
  }
  if (s === 0)
    return finish(
      problem,
      { ...found, x: scaled.back(found.x), iterations: steps },
      method,
      "inaccurate",
      regularisation,
    );
  const full = completed(scaled.problem, found.x, scaled.unitY, tolerance);
  const outcome = { ...full, x: scaled.back(full.x), iterations: steps + full.iterations };
  return finish(problem, outcome, method, "unstable", regularisation);
}

/** A − ½V[I]. */
function edgeShift(k: number, a: Float64Array, multiplicative: Float64Array): Float64Array {
  const m = svecLength(k);
  const identity = new Float64Array(k * k);
  for (let i = 0; i < k; i++) identity[i * (k + 1)] = 1;
  const shift = smat(multiplyVector(multiplicative, svec(identity, k), m, m), k);
  return a.map((entry, at) => entry - shift[at] / 2);
}

/** Units of Y and X, powers of two, in which A, N and X are of size 1 or less. */
function rescale({ k, a, b, noise, multiplicative }: NoiseProblem, x: Float64Array) {
  const unitY = powerOfTwoNear(maxAbs(a) || Math.sqrt(maxAbs(b) * maxAbs(noise)) || 1);
  const unitX = powerOfTwoNear(Math.max(maxAbs(x), maxAbs(noise) / unitY) || 1);
  const unitN = unitX * unitY;
  return {
    unitY,
    unitN,
    problem: {
      k,
      a: a.map((entry) => entry / unitY),
      b: b.map((entry) => (entry / unitY) * unitX),
      noise: noise.map((entry) => entry / unitN),
      ...(multiplicative && { multiplicative: multiplicative.map((entry) => entry / unitY) }),
    },
    into: (given: Float64Array) => given.map((entry) => entry / unitX),
    back: (found: Float64Array) => found.map((entry) => entry * unitX),
  };
}

/** The continuation from X₀ = Y₀ = ρI, and Newton's method from its best point; `end` is where the path ended. */
function continued(problem: NoiseProblem): PathOutcome {
  const { k } = problem;
  const rho = 2 * Math.max(1, norm(problem.a));
  const start = new Float64Array(k * k);
  for (let i = 0; i < k; i++) start[i * (k + 1)] = rho;
  const path = followPath(problem, start, start.slice());
  const polished = newton(problem, path.x, 0);
  const iterations = path.iterations + polished.iterations;
  return { ...(polished.violation < path.violation ? polished : path), iterations, end: path.end };
}

/** A singular N by N + μI for falling μ: the first whose solution satisfies the equation with N itself. */
function regularised(problem: NoiseProblem, tolerance: number): NoiseOutcome & { regularisation: number } {
  const { k } = problem;
  const size = norm(problem.noise);
  let best: NoiseOutcome & { regularisation: number } = {
    x: new Float64Array(k * k),
    violation: Number.POSITIVE_INFINITY,
    iterations: 0,
    regularisation: 0,
  };
  let iterations = 0;
  for (const fraction of REGULARISATIONS) {
    const regularisation = fraction * size;
    const lifted = problem.noise.map((entry, at) => entry + (at % (k + 1) === 0 ? regularisation : 0));
    const { x, iterations: steps } = continued({ ...problem, noise: lifted });
    iterations += steps;
    const violation = worstNoise(noiseViolations(problem, x, 0));
    if (violation < best.violation) best = { x, violation, iterations, regularisation };
    if (violation <= tolerance) break;
  }
  return { ...best, iterations };
}

/**
 * The full form from the Lyapunov form's X: in scaled units the cubic term has the weight `edge`, the unit of Y.
 */
function completed(problem: NoiseProblem, x: Float64Array, edge: number, tolerance: number): NoiseOutcome {
  const direct = newton(problem, x, edge);
  const branch = (at: Float64Array) =>
    (symmetricEigen(slack(problem, at), problem.k).values[problem.k - 1] ?? 0) * edge;
  if (direct.violation <= tolerance && branch(direct.x) < 1) return direct;
  let current = { x, violation: Number.POSITIVE_INFINITY, iterations: direct.iterations };
  for (let step = 1; step <= FORM_STEPS; step++) {
    const next = newton(problem, current.x, (edge * step) / FORM_STEPS);
    current = { ...next, iterations: current.iterations + next.iterations };
    if (!(next.violation <= tolerance)) break;
  }
  return { ...current, violation: worstNoise(noiseViolations(problem, current.x, edge)) };
}

/** D = X/‖X‖ if it shows why there is no solution: B does not see it and A is not positive along it. */
function divergence(problem: NoiseProblem, x: Float64Array): Float64Array | undefined {
  const size = norm(x);
  if (!(size > 1 / DIVERGED)) return undefined;
  const direction = x.map((entry) => entry / size);
  const image = slack({ ...problem, a: new Float64Array(x.length) }, direction);
  const along = dot(problem.a, 0, direction, 0, x.length);
  const blind = norm(image) <= DIVERGED * Math.max(1, norm(problem.b)) && along <= DIVERGED;
  return blind ? direction : undefined;
}

function notFinite(k: number): NoiseResult {
  const nan = new Float64Array(k * k).fill(Number.NaN);
  const infinite = Number.POSITIVE_INFINITY;
  return {
    value: { X: nan, Y: nan.slice() },
    status: "not-finite",
    stats: {
      iterations: 0,
      violations: { equation: infinite, semidefiniteX: infinite, semidefiniteY: infinite },
      spectrum: [Number.NaN, Number.NaN],
      noise: Number.NaN,
      regularisation: 0,
      repair: { asymmetry: Number.NaN, clipped: Number.NaN },
      method: "complementarity",
    },
  };
}
