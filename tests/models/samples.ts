import { type Shape, sizeOf } from "../../src/autodiff/index.ts";
import { Random } from "../../src/base/index.ts";
import { type ArchitectureName, createModel, type Model, type ModelShape } from "../../src/models/index.ts";
import * as naive from "./naive.ts";

/** A small network of each architecture, with the same network as plain loops. */
export interface Sample {
  readonly name: ArchitectureName;
  readonly shape: ModelShape;
  readonly options: object;
  readonly naive: (weights: naive.Weights, input: Float64Array) => naive.Rows;
}

const tokens = { inputShape: [6], outputDim: 3, vocabulary: 5 };

export const SAMPLES: readonly Sample[] = [
  {
    name: "mlp",
    shape: { inputShape: [2, 3], outputDim: 4 },
    options: { width: 5 },
    naive: naive.mlpOf,
  },
  {
    name: "cnn",
    shape: { inputShape: [2, 5, 6], outputDim: 3 },
    options: { width: 3, activation: "silu" },
    naive: (w, x) => naive.cnnOf(w, x, 5, 6),
  },
  {
    name: "resnet",
    shape: { inputShape: [2, 9, 9], outputDim: 3 },
    options: { width: 2, stageSizes: [2, 1] },
    naive: (w, x) => naive.resnetOf(w, x, 9, 2, [2, 1]),
  },
  {
    name: "vit",
    shape: { inputShape: [2, 4, 6], outputDim: 3 },
    options: { patchSize: 2, dim: 8, depth: 2, mlpDim: 5, numHeads: 2 },
    naive: (w, x) => naive.vitOf(w, x, { height: 4, width: 6, patch: 2, dim: 8, depth: 2, heads: 2 }),
  },
  {
    name: "lstm",
    shape: tokens,
    options: { layers: 2, embdDim: 3, hiddenDim: 4 },
    naive: (w, x) => naive.lstmOf(w, x, 3, 4, 2),
  },
  {
    name: "lstm",
    shape: { inputShape: [3], outputDim: 2, vocabulary: 7 },
    options: { layers: 1, embdDim: 2, hiddenDim: 3 },
    naive: (w, x) => naive.lstmOf(w, x, 2, 3, 1),
  },
  {
    name: "transformer",
    shape: tokens,
    options: { layers: 2, dModel: 6, nhead: 2 },
    naive: (w, x) => naive.transformerOf(w, x, 6, 2, 2),
  },
  {
    name: "mamba",
    shape: tokens,
    options: { layers: 2, dModel: 4 },
    naive: (w, x) => naive.mambaOf(w, x, 4, 2),
  },
];

export const titleOf = ({ name, shape }: Sample): string => `${name} on [${shape.inputShape}]`;
export const modelOf = ({ name, shape, options }: Sample): Model => createModel(name, shape, options);

/** Weights in general position: heads and norms that start at 0 or 1 are moved as well. */
export function movedWeights(model: Model, seed: number): Float64Array {
  const random = new Random(seed, "moved weights");
  return model.initialWeights(random).map((value) => value + 0.2 * random.normal());
}

/** Normal numbers, or tokens. */
export function inputsFor({ shape }: Sample, examples: number, seed: number): Float64Array {
  const random = new Random(seed, "inputs");
  const { vocabulary } = shape;
  return Float64Array.from({ length: examples * sizeOf(shape.inputShape) }, () =>
    vocabulary === undefined ? random.normal() : random.integer(vocabulary),
  );
}

/** The flat weights by name. */
export function named(
  parameters: Readonly<Record<string, Shape>>,
  flat: Float64Array,
): Record<string, Float64Array> {
  let offset = 0;
  return Object.fromEntries(
    Object.entries(parameters).map(([name, shape]) => {
      const start = offset;
      offset += sizeOf(shape);
      return [name, flat.slice(start, offset)];
    }),
  );
}

/** ‖a − b‖/‖b‖ in units of roundoff. */
export function deviation(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let difference = 0;
  let size = 0;
  for (let i = 0; i < b.length; i++) {
    difference += (a[i] - b[i]) ** 2;
    size += b[i] ** 2;
  }
  return a.length === b.length ? Math.sqrt(difference / size) / Number.EPSILON : Number.POSITIVE_INFINITY;
}
