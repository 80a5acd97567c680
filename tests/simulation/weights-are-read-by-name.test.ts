import { describe, expect, test } from "vitest";
import { sizeOf } from "../../src/base/index.ts";
import { writeNpz, writeSafetensors } from "../../src/data/index.ts";
import { type ModelShape, modelNamed } from "../../src/models/index.ts";
import { weightsFromFile } from "../../src/simulation/index.ts";

type Arrays = Record<string, { shape: readonly number[]; data: Float64Array }>;

const images: ModelShape = { inputShape: [1, 8, 8], outputDim: 4 };
const tokens: ModelShape = { inputShape: [5], outputDim: 4, vocabulary: 4 };
const NETWORKS: readonly (readonly [string, ModelShape, object])[] = [
  ["mlp", images, { width: 5 }],
  ["cnn", images, { width: 2 }],
  ["resnet", images, { width: 2, stageSizes: [1, 1] }],
  ["vit", images, { dim: 8, depth: 1, mlpDim: 8, numHeads: 1 }],
  ["lstm", tokens, { layers: 1, embdDim: 3, hiddenDim: 4 }],
  ["transformer", tokens, { layers: 1, dModel: 8, nhead: 2 }],
  ["mamba", tokens, { layers: 1, dModel: 4 }],
];

/** Every parameter by its name, entries numbered through, and the vector that they are. */
function stateDict(parameters: Readonly<Record<string, readonly number[]>>): {
  named: Arrays;
  flat: Float64Array;
} {
  let next = 0;
  const named = Object.fromEntries(
    Object.entries(parameters).map(([name, shape]) => [
      name,
      { shape, data: Float64Array.from({ length: sizeOf(shape) }, () => 0.5 * next++) },
    ]),
  );
  return { named, flat: Float64Array.from({ length: next }, (_, i) => 0.5 * i) };
}

const reversed = (arrays: Arrays): Arrays => Object.fromEntries(Object.entries(arrays).reverse());

describe.each(NETWORKS)("%s", (name, shape, options) => {
  const { parameters } = modelNamed(name, shape, options);
  const { named, flat } = stateDict(parameters);

  test.each([
    ["npz", (arrays: Arrays) => writeNpz(arrays, { compressed: true })],
    ["safetensors", writeSafetensors],
  ] as const)("a state dict in %s, in any order, is the flat vector", (_, write) => {
    for (const arrays of [named, reversed(named)])
      expect(weightsFromFile("x", write(arrays), parameters)).toEqual({ weights: flat, notice: undefined });
  });
});

describe("what does not fit is named, with what is expected", () => {
  const { parameters } = modelNamed("mlp", images, { width: 5 });
  const { named, flat } = stateDict(parameters);
  const read = (arrays: Arrays) => () => weightsFromFile("x.npz", writeNpz(arrays), parameters);
  const without = (gone: string): Arrays =>
    Object.fromEntries(Object.entries(named).filter(([name]) => name !== gone));

  test("a name that is not there", () => {
    expect(read(without("3.bias"))).toThrow(
      /parameters by name, 3\.bias among them, got 1\.weight, .* in x\.npz/,
    );
  });

  test("names of another network, and none at all", () => {
    expect(read({ "fc.weight": named["1.weight"] })).toThrow(
      /1\.weight, 1\.bias, .*, got fc\.weight in x\.npz/,
    );
    expect(read({})).toThrow("got no array in x.npz");
  });

  test("names with a wrapper's word before them", () => {
    const wrapped = Object.fromEntries(
      Object.entries(named).map(([name, array]) => [`module.${name}`, array]),
    );
    expect(read(wrapped)).toThrow('leave "module." out of the names');
  });

  test("a transposed matrix is not turned, however well its entries would fit", () => {
    const { data } = named["1.weight"];
    expect(read({ ...named, "1.weight": { shape: [64, 5], data } })).toThrow(
      /1\.weight of shape \[5,64\], got \[64,5\] in x\.npz; .*\[out, in\]; transpose it/,
    );
  });

  test("another shape of the same size", () => {
    const { data } = named["1.bias"];
    expect(read({ ...named, "1.bias": { shape: [5, 1], data } })).toThrow(
      /1\.bias of shape \[5\], got \[5,1\]/,
    );
  });

  test("an entry that is no number, by its parameter", () => {
    const data = named["3.bias"].data.with(2, Number.NaN);
    expect(read({ ...named, "3.bias": { shape: [5], data } })).toThrow(
      /got NaN at position 352, entry 2 of 3\.bias/,
    );
  });

  test("an array that is no parameter is left aside, and the notice names it", () => {
    const { weights, notice } = read({
      ...named,
      "bn.num_batches_tracked": { shape: [], data: new Float64Array(1) },
    })();
    expect(weights).toEqual(flat);
    expect(notice).toMatch(/not used: bn\.num_batches_tracked$/);
  });

  test("a flat vector goes before names", () => {
    const w = { shape: [flat.length], data: flat.map((entry) => -entry) };
    expect(weightsFromFile("x", writeNpz({ ...named, w }), parameters).weights).toEqual(w.data);
  });
});
