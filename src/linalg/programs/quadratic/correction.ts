import { EPS, type ShouldStop } from "../../../base/index.ts";
import { multiplyTransposed, multiplyVector } from "../../dense/matrix.ts";
import { symmetricEigen } from "../../dense/symmetric-eigen.ts";
import { addScaled, dot } from "../../dense/vectors.ts";
import type { QpData } from "./data.ts";
import { qpViolations, worstQp } from "./violations.ts";

/** A point with its multipliers. */
export interface PrimalDual {
  readonly x: Float64Array;
  readonly multipliers: Float64Array;
}

/** Eigenvalues of the optimality system below this fraction of the largest count as zero. */
const NULL_EIGENVALUE = 1e-12;
/** The first pass corrects, the others refine what rounding left. */
const PASSES = 3;

/**
 * Newton's correction of a point and its multipliers for a given active set: the least solution of
 *
 *     [Q  −Nᵀ] [dx]   [Nᵀu − Qx − c]
 *     [−N  0 ] [du] = [N x − bounds]
 *
 * over the active constraints N, by the pseudo-inverse, so that neither a singular Q nor dependent or
 * degenerate constraints matter. Multipliers of inequalities that turn negative become zero. The data are
 * expected to be of size 1.
 *
 * @param shouldStop looked at by the eigensolve
 * @returns the best of the point given and the corrected ones, by worst violation
 * Cost: 9(n + w)³ operations for w active constraints.
 */
export function correct(
  data: QpData,
  start: PrimalDual,
  active: readonly number[],
  shouldStop?: ShouldStop,
): PrimalDual {
  const { n, q, Q, c, rows, bounds } = data;
  const size = n + active.length;
  const system = new Float64Array(size * size);
  for (let i = 0; i < n; i++) system.set(Q.subarray(i * n, (i + 1) * n), i * size);
  active.forEach((constraint, place) => {
    for (let j = 0; j < n; j++) {
      system[(n + place) * size + j] = -rows[constraint * n + j];
      system[j * size + n + place] = -rows[constraint * n + j];
    }
  });
  const { values, vectors } = symmetricEigen(system, size, shouldStop);
  const floor = NULL_EIGENVALUE * Math.max(Math.abs(values[0] ?? 0), Math.abs(values[size - 1] ?? 0));
  let best = start;
  let least = worstQp(qpViolations(data, start.x, start.multipliers));
  let { x, multipliers } = start;
  for (let pass = 0; pass < PASSES; pass++) {
    const right = new Float64Array(size);
    const curvature = multiplyVector(Q, x, n, n);
    const pull = multiplyTransposed(rows, multipliers, bounds.length, n);
    for (let j = 0; j < n; j++) right[j] = pull[j] - curvature[j] - c[j];
    active.forEach((constraint, place) => {
      right[n + place] = dot(rows, constraint * n, x, 0, n) - bounds[constraint];
    });
    const move = new Float64Array(size);
    for (let e = 0; e < size; e++)
      if (Math.abs(values[e]) > floor)
        addScaled(dot(vectors, e * size, right, 0, size) / values[e], vectors, e * size, move, 0, size);
    x = x.map((entry, j) => entry + move[j]);
    multipliers = multipliers.slice();
    active.forEach((constraint, place) => {
      const moved = multipliers[constraint] + move[n + place];
      multipliers[constraint] = constraint < q ? moved : Math.max(0, moved);
    });
    // Where the exact solution is zero, only an exact zero has a small relative error.
    const snapped = x.map((entry) => (Math.abs(entry) <= size * EPS ? 0 : entry));
    for (const point of [x, snapped]) {
      const violation = worstQp(qpViolations(data, point, multipliers));
      if (!(violation < least)) continue;
      least = violation;
      best = { x: point, multipliers };
    }
  }
  return best;
}
