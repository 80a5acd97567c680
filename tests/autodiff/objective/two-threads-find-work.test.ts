import { expect, test } from "vitest";
import { Objective } from "../../../src/autodiff/index.ts";
import { Random } from "../../../src/base/index.ts";
import {
  type ArchitectureName,
  createModel,
  type ModelShape,
  supervisedLoss,
} from "../../../src/models/index.ts";
import { wasm } from "../backends/bits.ts";

const image: ModelShape = { inputShape: [1, 8, 8], outputDim: 4 };
const tokens: ModelShape = { inputShape: [7], outputDim: 4, vocabulary: 4 };

function objective(
  [name, shape, options]: readonly [ArchitectureName, ModelShape, Readonly<Record<string, number>>],
  n: number,
  threads: number,
): Objective {
  const random = new Random(1, name);
  const { vocabulary, inputShape } = shape;
  const entries = n * inputShape.reduce((total, length) => total * length, 1);
  const inputs =
    vocabulary === undefined
      ? random.fillNormal(new Float64Array(entries))
      : Float64Array.from({ length: entries }, () => random.integer(vocabulary));
  const labelShape = vocabulary === undefined ? [] : inputShape;
  const count = vocabulary === undefined ? n : entries;
  const labels = Float64Array.from({ length: count }, () => random.integer(shape.outputDim));
  const model = createModel(name, shape, options);
  const loss = supervisedLoss(model, "mse", { inputs, shape: inputShape, labels, labelShape });
  return new Objective(loss, { backend: wasm, threads });
}

const small = [
  ["mlp", image, { width: 16 }],
  ["cnn", image, { width: 6 }],
  ["vit", image, { dim: 8, depth: 1, mlpDim: 16, numHeads: 1 }],
  ["lstm", tokens, { layers: 1, embdDim: 8, hiddenDim: 8 }],
] as const;

test.each(small)(
  "64 examples of a small %s make an even number of chunks, for any number of threads",
  (...network) => {
    const sizes = [1, 7].map((threads) => {
      const { chunks, chunk } = objective(network, 64, threads);
      expect(chunks * chunk).toBeGreaterThanOrEqual(64);
      return chunks;
    });
    expect(new Set(sizes).size).toBe(1);
    expect(sizes[0]).toBeGreaterThanOrEqual(2);
    expect(sizes[0] % 2).toBe(0);
  },
);

test("what is less work than calling another thread is one chunk", () => {
  expect(objective(["mlp", { inputShape: [2], outputDim: 2 }, { width: 8 }], 20, 2).chunks).toBe(1);
});

test("three examples are not filled up to four", () => {
  const wide = ["mlp", { inputShape: [3000], outputDim: 4 }, { width: 8 }] as const;
  expect(objective(wide, 3, 1).chunks).toBe(1);
});
