/** Which sums can be fused with the chain before them. */
import { type Shape, sizeOf } from "../graph/shape.ts";

/** The axes of a shape around those that a sum goes over: outer axes, reduced ones, inner ones. */
export interface ReductionSplit {
  readonly outer: Shape;
  readonly reduced: Shape;
  readonly inner: Shape;
}

/** Shorter runs are not worth a loop of their own. */
const SHORTEST_RUN = 16;
/** Inner entries at most: four partial sums of each are kept in the room for packed panels. */
const MOST_INNER = 4096;

/**
 * How a sum over neighbouring axes splits its operand's shape where it can be fused: taken while the operand is being
 * computed in row-major order; undefined where not.
 */
export function reductionSplit(shape: Shape, axes: readonly number[]): ReductionSplit | undefined {
  const [first] = axes;
  if (axes.some((axis, i) => axis !== first + i)) return undefined;
  const end = first + axes.length;
  const split = { outer: shape.slice(0, first), reduced: shape.slice(first, end), inner: shape.slice(end) };
  const inner = sizeOf(split.inner);
  const run = inner > 1 ? inner : sizeOf(split.reduced);
  return run >= SHORTEST_RUN && inner <= MOST_INNER ? split : undefined;
}
