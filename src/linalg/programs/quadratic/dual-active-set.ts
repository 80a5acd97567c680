import { EPS, type ShouldStop, throwIfStopped } from "../../../base/index.ts";
import { applyQ, applyQTransposed, qr, solveUpper } from "../../dense/qr.ts";
import { addScaled, dot, norm } from "../../dense/vectors.ts";

/** The least distance problem min ½‖y − y₀‖² subject to N_i·y ≥ β_i (= β_i for the first `equalities`). */
export interface LeastDistanceProblem {
  /** dimension of y */
  readonly n: number;
  /** vectors N_i of length n, one after the other */
  readonly normals: Float64Array;
  readonly bounds: Float64Array;
  readonly equalities: number;
}

/** Multipliers u with y = y₀ + Σ u_i N_i; when "infeasible", a Farkas ray in their place. */
export interface LeastDistanceOutcome {
  readonly y: Float64Array;
  readonly multipliers: Float64Array;
  readonly active: readonly number[];
  readonly iterations: number;
  readonly status: "solved" | "infeasible" | "iteration-limit";
}

/** A normal of which less than this lies outside the span of the active ones is taken to lie inside. */
const DEPENDENT = 1e-11;
/** A violation below this, relative to the terms compared, may be the rounding errors of earlier steps… */
const DOUBTFUL = 1e-9;
/** …and so may one below this relative to the unconstrained minimum, which may be far away. */
const DOUBTFUL_START = 1e3 * EPS;

/**
 * The dual active set method of Goldfarb and Idnani (Math. Program. 27, 1983) for a least distance problem, to
 * which a strictly convex quadratic program reduces by the Cholesky factor of its Hessian.
 *
 * Starts at the unconstrained minimum and adds the most violated constraint, dropping active ones whose
 * multipliers would turn negative; the dual objective rises with each constraint added, so no active set
 * returns. The projection on the active normals is factored afresh (QR) in each step.
 *
 * Infeasibility is found with its proof: N_t = Σ r_i N_i over the active set with r ≤ 0 on the inequalities
 * and N_t·y < β_t, that is, u ≥ 0 with Σ u_i N_i = 0 and Σ u_i β_i > 0 (u returned as the multipliers). At a
 * degenerate vertex rounding errors can feign that: a violation, or a sum, too small to tell is passed over instead.
 */
export function leastDistance(
  problem: LeastDistanceProblem,
  start: Float64Array,
  limit: number,
  shouldStop?: ShouldStop,
): LeastDistanceOutcome {
  const { n, normals, bounds, equalities } = problem;
  const count = bounds.length;
  let y = start.slice();
  let multipliers = new Float64Array(count);
  const lengths = Float64Array.from({ length: count }, (_, i) => norm(normals, i * n, n));
  let active: number[] = [];
  const passedOver: number[] = [];
  for (let iterations = 0; ; ) {
    const entering = mostViolated(problem, y, lengths, [...active, ...passedOver]);
    if (entering === undefined) return { y, multipliers, active, iterations, status: "solved" };
    // An equality approached from above enters as its negative.
    const excess = dot(normals, entering * n, y, 0, n) - bounds[entering];
    const sign = excess > 0 ? -1 : 1;
    const before = { y: y.slice(), multipliers: multipliers.slice(), active };
    for (;;) {
      throwIfStopped("convexQuadraticProgram", shouldStop);
      if (iterations++ >= limit) return { y, multipliers, active, iterations, status: "iteration-limit" };
      const { step, r, outside } = project(problem, active, entering, sign);
      const independent = outside > DEPENDENT * lengths[entering];
      const { dropped, partial } = firstToVanish(active, equalities, multipliers, r);
      const gap = sign * (bounds[entering] - dot(normals, entering * n, y, 0, n));
      const full = independent ? Math.max(0, gap) / (outside * outside) : Number.POSITIVE_INFINITY;
      const length = Math.min(partial, full);
      const doubt =
        DOUBTFUL * (lengths[entering] * norm(before.y) + Math.abs(bounds[entering])) +
        DOUBTFUL_START * lengths[entering] * norm(start);
      if (length === Number.POSITIVE_INFINITY) {
        const ray = new Float64Array(count);
        ray[entering] = sign;
        active.forEach((i, place) => {
          ray[i] = -r[place];
        });
        if (Math.abs(excess) > doubt && contradicts(ray, bounds))
          return { y, multipliers: ray, active, iterations, status: "infeasible" };
        ({ y, multipliers, active } = before);
        passedOver.push(entering);
        break;
      }
      if (independent) addScaled(length, step, 0, y, 0, n);
      active.forEach((i, place) => {
        multipliers[i] -= length * r[place];
      });
      multipliers[entering] += sign * length;
      if (full <= partial) {
        active = [...active, entering];
        break;
      }
      multipliers[active[dropped]] = 0;
      active = active.filter((_, place) => place !== dropped);
    }
  }
}

/** Whether Σ u_i β_i is positive beyond the rounding errors of normals that depend on one another. */
function contradicts(ray: Float64Array, bounds: Float64Array): boolean {
  let sum = 0;
  let size = 0;
  ray.forEach((u, i) => {
    sum += u * bounds[i];
    size += Math.abs(u * bounds[i]);
  });
  return sum > DOUBTFUL * size;
}

/** The longest dual step `partial`, and the place of the active inequality whose multiplier ends it at zero. */
function firstToVanish(
  active: readonly number[],
  equalities: number,
  multipliers: Float64Array,
  r: Float64Array,
) {
  let dropped = -1;
  let partial = Number.POSITIVE_INFINITY;
  active.forEach((i, place) => {
    if (i < equalities || !(r[place] > 0)) return;
    const ratio = multipliers[i] / r[place];
    if (ratio < partial) {
      partial = ratio;
      dropped = place;
    }
  });
  return { dropped, partial };
}

/** The constraint with the largest violation in units of length, beyond rounding errors; equalities first. */
function mostViolated(
  problem: LeastDistanceProblem,
  y: Float64Array,
  lengths: Float64Array,
  active: readonly number[],
): number | undefined {
  const { n, normals, bounds, equalities } = problem;
  const size = norm(y);
  let best: number | undefined;
  let largest = 0;
  for (let i = 0; i < bounds.length; i++) {
    if (i === equalities && best !== undefined) return best;
    if (active.includes(i)) continue;
    const difference = bounds[i] - dot(normals, i * n, y, 0, n);
    const violation = i < equalities ? Math.abs(difference) : difference;
    if (!(violation > 4 * n * EPS * (lengths[i] * size + Math.abs(bounds[i])))) continue;
    const distance = violation / (lengths[i] || Math.abs(violation));
    if (distance > largest) {
      largest = distance;
      best = i;
    }
  }
  return best;
}

/**
 * Splits sign·N_t into its part outside the span of the active normals (`step`, of length `outside`) and the
 * combination Σ r_i N_i inside.
 */
function project(problem: LeastDistanceProblem, active: readonly number[], t: number, sign: number) {
  const { n, normals } = problem;
  const step = normals.slice(t * n, (t + 1) * n).map((entry) => sign * entry);
  const size = active.length;
  const chosen = new Float64Array(size * n);
  active.forEach((i, place) => {
    chosen.set(normals.subarray(i * n, (i + 1) * n), place * n);
  });
  const factored = qr(chosen, n, size);
  applyQTransposed(factored, step);
  const r = step.slice(0, size);
  solveUpper(factored, size, r);
  step.fill(0, 0, size);
  const outside = norm(step);
  applyQ(factored, step);
  return { step, r, outside };
}
