import type { Shape, Tensor } from "../autodiff/index.ts";
import {
  choice,
  flag,
  type IgnoredSetting,
  type Inputs,
  integer,
  type Part,
  type Random,
  type Setting,
  type Settings,
  type Values,
} from "../base/index.ts";

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
  /**
   * Present where the outputs depend on an example x, flattened, and on the parameter W of this name, [units, inputs], only
   * through W x: then only the part of W in the space that the examples span matters to them.
   */
  readonly inputWeights?: string;
  /** Present where inputs are tokens: whole numbers from 0 up to but excluding this. */
  readonly vocabulary?: number;
  /** Inputs [examples, …inputShape] → outputs [examples, …, outputDim]. */
  readonly forward: (parameters: Readonly<Record<string, Tensor>>, inputs: Tensor) => Tensor;
  /** Initial weights, drawn from PyTorch's default distributions; one flat vector. */
  readonly initialWeights: (random: Random) => Float64Array;
}

/** All there is to say of an architecture: its name, what it reads, its settings and how it is built. */
export interface Architecture<S extends Settings = Settings> extends Part<S> {
  readonly reads: readonly Inputs[];
  /** The network for these examples. @throws InputValueError where the shape is none that it can take */
  build(shape: ModelShape, values: Values<S>): Omit<Model, "name">;
}

/** Declares an architecture; what it says is checked against its settings by the compiler. */
export const architecture = <const N extends string, const S extends Settings>(
  definition: Architecture<S> & { readonly name: N },
): Architecture<S> & { readonly name: N } => definition;

/** A number of things from 1 on. */
export const size = (usual: number, help: string) =>
  ({ kind: integer({ min: 1 }), default: usual, help }) satisfies Setting<number>;

/** The setting of networks that have an activation function. */
export const activation = {
  kind: choice("gelu", "silu", "tanh", "relu"),
  default: "gelu",
  help: "activation function",
} satisfies Setting<"gelu" | "silu" | "tanh" | "relu">;

/** The reference's choice of layer norms, of which only one is here. */
export const replaceLn = {
  kind: flag,
  default: true,
  help: "layer norms written out, with the unbiased deviation",
  ignored: "layer norms are written out, with the unbiased deviation",
  only: true,
} satisfies IgnoredSetting<boolean>;
