import { innerProduct, type Process, type ProcessKind } from "../flows/index.ts";
import type { Quantity } from "./rows.ts";

/**
 * The plane turns every so many rows: short enough that the top eigenvector, which turns with the landscape, is still
 * the direction of the oscillation at the end, long enough for its swelling and dying down to show.
 */
const STRETCH = 50;

/** Whose eigenvectors span the plane, the first that has some. */
const LEADERS: readonly ProcessKind[] = ["central", "ablated", "discrete", "midpoint", "stable"];

/** A point of weight space and two orthonormal directions there. */
interface Frame {
  readonly origin: Float64Array;
  readonly slow: Float64Array;
  readonly fast: Float64Array;
}

/**
 * The paths of all processes seen in a plane of weight space, so that a picture can show the optimizer bouncing and the
 * flow running through the middle. One axis is the top eigenvector of the effective Hessian, in which the optimizer
 * bounces; the other the direction −P⁻¹∇L without its part along the tracked eigenvectors, in which training
 * moves on. Both are the central flow's in row 0 and again every 50 rows. Logged are `plane/PROCESS`, the two
 * coordinates [along the slow, along the fast direction] of w − origin, and `plane/row`, the row in which this plane was
 * chosen. Costs two dot products a process and row, and p numbers thrice in a checkpoint.
 */
export class Plane {
  /** Its prefix in a checkpoint. */
  readonly kind = "plane";
  private frame: Frame | undefined;
  private chosenAt = -1;

  /** What row `index` shows of prepared processes; nothing while none of them tracks eigenvectors. */
  observe(index: number, processes: readonly Process[]): Record<string, Quantity> {
    const seen = processes.filter(({ observation, status }) => observation && status.kind !== "failed");
    if (index % STRETCH === 0) {
      this.frame = frameOf(seen);
      this.chosenAt = index;
    }
    const { frame } = this;
    if (!frame) return {};
    const out: Record<string, Quantity> = {
      "plane/row": { shape: [], data: Float64Array.of(this.chosenAt), integer: true },
    };
    for (const { kind, observation } of seen)
      if (observation) {
        const data = Float64Array.of(
          coordinate(observation.weights, frame.origin, frame.slow),
          coordinate(observation.weights, frame.origin, frame.fast),
        );
        out[`plane/${kind}`] = { shape: [2], data };
      }
    return out;
  }

  snapshot(): Record<string, Float64Array> {
    return this.frame ? { ...this.frame, row: Float64Array.of(this.chosenAt) } : {};
  }

  /** @param arrays of a checkpoint; one without a plane leaves none until the next is chosen */
  restore(arrays: ReadonlyMap<string, Float64Array>): void {
    const [origin, slow, fast, row] = ["origin", "slow", "fast", "row"].map((name) =>
      arrays.get(`${this.kind}.${name}`),
    );
    this.frame = origin && slow && fast ? { origin, slow, fast } : undefined;
    this.chosenAt = row?.[0] ?? -1;
  }
}

/** Σ_l (w_l − o_l)·d_l. */
function coordinate(weights: Float64Array, origin: Float64Array, direction: Float64Array): number {
  let total = 0;
  for (let l = 0; l < weights.length; l++) total += (weights[l] - origin[l]) * direction[l];
  return total;
}

function frameOf(processes: readonly Process[]): Frame | undefined {
  const leader = LEADERS.map((kind) => processes.find((process) => process.kind === kind)).find(
    (process) => process?.observation?.pairs,
  );
  const observation = leader?.observation;
  if (!observation?.pairs) return undefined;
  const { weights, gradient, preconditioner, pairs } = observation;
  const p = weights.length;
  const fast = unit(pairs.vectors.slice(0, p));
  const slow = gradient.map((entry, l) => -entry / preconditioner[l]);
  // The eigenvectors are orthonormal in the inner product of P.
  for (let i = 0; i < pairs.count; i++) {
    let along = 0;
    for (let l = 0; l < p; l++) along += pairs.vectors[i * p + l] * preconditioner[l] * slow[l];
    for (let l = 0; l < p; l++) slow[l] -= along * pairs.vectors[i * p + l];
  }
  if (!fast) return undefined;
  const along = innerProduct(fast, 0, slow, 0, p);
  for (let l = 0; l < p; l++) slow[l] -= along * fast[l];
  const direction = unit(slow);
  return direction && { origin: weights.slice(), slow: direction, fast };
}

/** A vector of length 1, in place; undefined for one that has no direction. */
function unit(vector: Float64Array): Float64Array | undefined {
  const length = Math.sqrt(innerProduct(vector, 0, vector, 0, vector.length));
  if (!(length > 0 && length < Number.POSITIVE_INFINITY)) return undefined;
  for (let l = 0; l < vector.length; l++) vector[l] /= length;
  return vector;
}
