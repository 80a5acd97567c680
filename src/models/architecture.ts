import type { Shape, Tensor } from "../autodiff/index.ts";
import type { Random } from "../base/index.ts";

/** What a network must fit: the shape of one example and the number of outputs. */
export interface ModelShape {
  readonly inputShape: Shape;
  readonly outputDim: number;
  /** The number of different tokens, for inputs that are tokens. */
  readonly vocabulary?: number;
  /** For tokens: one row of outputs per sequence, that of its last position, instead of one per position. */
  readonly lastOnly?: boolean;
}

/** A network as a traced function of its parameters, with PyTorch's parameter names, order and layouts. */
export interface Model {
  readonly name: string;
  /** Name → shape; the flat weight vector holds them in this order. */
  readonly parameters: Readonly<Record<string, Shape>>;
  /** Present where inputs are tokens: whole numbers from 0 up to but excluding this. */
  readonly vocabulary?: number;
  /** Inputs [examples, …inputShape] → outputs [examples, …, outputDim]. */
  readonly forward: (parameters: Readonly<Record<string, Tensor>>, inputs: Tensor) => Tensor;
  /** Initial weights, drawn from PyTorch's default distributions; one flat vector. */
  readonly initialWeights: (random: Random) => Float64Array;
}
