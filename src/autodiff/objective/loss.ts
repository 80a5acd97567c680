import { valueError } from "../../base/index.ts";
import { formatShape, type Shape, sizeOf } from "../graph/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { LossResult } from "./stages.ts";

/** One array with a row per example. */
export interface ExampleArray {
  /** [examples, …shape], row-major. */
  readonly data: Float64Array;
  /** The shape of one example. */
  readonly shape: Shape;
  /**
   * What fills the last chunk when it is short: the first example again, or zeros. An array of example weights
   * must take zeros, which makes the filling contribute exactly nothing.
   */
  readonly padding: "repeat" | "zero";
}

/** A loss: a sum over examples, or (without examples) any scalar function of the parameters. */
export interface LossDefinition {
  /** Name → shape; the flat weight vector holds them in this order, each row-major. */
  readonly parameters: Readonly<Record<string, Shape>>;
  readonly examples?: Readonly<Record<string, ExampleArray>>;
  /**
   * Traced once, for one chunk of examples: every example array arrives with a leading axis. Must return the sum
   * of the chunk's contributions, so that the sum over chunks is the loss: put 1/N into an array of weights.
   */
  readonly loss: (parameters: Record<string, Tensor>, batch: Record<string, Tensor>) => LossResult;
}

/** The number of examples of a loss, 0 without example arrays. Throws where arrays disagree or hold no whole row. */
export function exampleCount({ examples }: LossDefinition): number {
  const counts = Object.entries(examples ?? {}).map(([name, { data, shape }]) => {
    const count = data.length / sizeOf(shape);
    if (!Number.isInteger(count) || count < 1)
      throw valueError(
        `examples.${name}`,
        `at least one whole example of shape ${formatShape(shape)}`,
        `${data.length} numbers`,
      );
    return count;
  });
  if (counts.some((count) => count !== counts[0]))
    throw valueError("examples", "the same number of examples in every array", counts.join(", "));
  return counts[0] ?? 0;
}
