import type { Shapes, Tensor } from "../../autodiff/index.ts";
import type { Part, Random, Settings, Values } from "../../base/index.ts";

/** A loss of the weights alone as its file says it: parameters, the loss, and where it starts. */
export interface BuiltLoss {
  /** Name → shape; the flat weight vector holds them in this order. */
  readonly parameters: Shapes;
  /** Traced once: a scalar of the parameters. */
  readonly loss: (parameters: Readonly<Record<string, Tensor>>) => Tensor;
  /** One flat vector, which may be drawn from the run's seed. */
  readonly initialWeights: (random: Random) => Float64Array;
}

/** All there is to say of a loss of the weights alone. */
export interface OwnLoss<S extends Settings = Settings> extends Part<S> {
  build(values: Values<S>): BuiltLoss;
}

/** Declares a loss of the weights alone; what it says is checked against its settings by the compiler. */
export const weightLoss = <const N extends string, const S extends Settings>(
  definition: OwnLoss<S> & { readonly name: N },
): OwnLoss<S> & { readonly name: N } => definition;
