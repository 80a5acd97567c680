import { type Shape, sizeOf } from "../../autodiff/index.ts";

/** `count` blocks of `size` weights each, one after the other from weight `from` on. */
export interface BlockRun {
  readonly from: number;
  readonly size: number;
  readonly count: number;
}

/**
 * The orthogonal projection Π that takes from each of some blocks of weights its mean, and leaves the others: symmetric,
 * Π² = Π, so that with one P for all weights a rule that steps along Πg is the same rule on L(w₀ + Πz).
 */
export interface Projection {
  /** What is projected: the gradient, before the rule sees it, or q, which P divides. */
  readonly of: "gradient" | "direction";
  /** Apart from one another. */
  readonly blocks: readonly BlockRun[];
}

/**
 * Gradient centralization (Yong et al., arXiv 2004.01461): the mean over all axes but the outputs', which are the first,
 * of every parameter of two axes or more; and moment centralization (Sadu et al., arXiv 2207.09066): over all entries of
 * such a parameter, of what is stepped along.
 *
 * @param parameters names and shapes in the order of the weights
 */
export function centralization(
  parameters: Readonly<Record<string, Shape>>,
  what: "gradient" | "moment",
): Projection {
  let from = 0;
  const blocks = Object.values(parameters).flatMap((shape): BlockRun[] => {
    const start = from;
    from += sizeOf(shape);
    if (shape.length < 2 || sizeOf(shape) === 0) return [];
    const count = what === "gradient" ? shape[0] : 1;
    return [{ from: start, size: sizeOf(shape) / count, count }];
  });
  return { of: what === "gradient" ? "gradient" : "direction", blocks };
}

/** Π applied, in place, to `count` vectors of `dimension` entries one after the other. */
export function project(
  { blocks }: Projection,
  vectors: Float64Array,
  count: number,
  dimension: number,
): void {
  for (let v = 0; v < count; v++)
    for (const { from, size, count: times } of blocks)
      for (let b = 0; b < times; b++) {
        const first = v * dimension + from + b * size;
        let sum = 0;
        for (let l = first; l < first + size; l++) sum += vectors[l];
        for (let l = first; l < first + size; l++) vectors[l] -= sum / size;
      }
}
