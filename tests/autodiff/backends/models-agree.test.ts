import { expect, test } from "vitest";
import { Objective } from "../../../src/autodiff/index.ts";
import { Random, sigmoid } from "../../../src/base/index.ts";
import { type ModelShape, modelNamed, supervisedLoss } from "../../../src/models/index.ts";
import { firstDifference, wasm } from "./bits.ts";

const image: ModelShape = { inputShape: [3, 8, 8], outputDim: 3 };
const tokens: ModelShape = { inputShape: [5], outputDim: 4, vocabulary: 4, lastOnly: true };

const MODELS: readonly [string, ModelShape, object, "ce" | "mse"][] = [
  ["mlp", { inputShape: [13], outputDim: 3 }, { width: 21 }, "ce"],
  ["mlp", { inputShape: [13], outputDim: 3 }, { width: 70, activation: "tanh" }, "mse"],
  ["cnn", image, { width: 5 }, "mse"],
  ["resnet", { inputShape: [3, 13, 13], outputDim: 3 }, { width: 8 }, "ce"],
  ["vit", image, { patchSize: 4, dim: 12, depth: 1, mlpDim: 10, numHeads: 1 }, "ce"],
  ["lstm", tokens, { layers: 1, embdDim: 6, hiddenDim: 7 }, "ce"],
  ["transformer", tokens, { layers: 1, dModel: 8, nhead: 2 }, "mse"],
  ["mamba", tokens, { layers: 1, dModel: 6 }, "ce"],
];

test.each(MODELS)(
  "%s %j: loss, gradient, Hv, third derivatives and outputs agree to the bit",
  (name, shape, options, criterion) => {
    const model = modelNamed(name, shape, options);
    const random = new Random(51, name);
    const count = 7;
    const width = shape.inputShape.reduce((size, length) => size * length, 1);
    const inputs = Float64Array.from({ length: count * width }, () =>
      shape.vocabulary ? random.integer(shape.vocabulary) : random.normal(),
    );
    const labels = Float64Array.from({ length: count }, () => random.integer(shape.outputDim));
    const definition = supervisedLoss(model, criterion, {
      inputs,
      shape: shape.inputShape,
      labels,
      labelShape: [],
    });
    const w = model.initialWeights(random);
    const p = w.length;
    const vectors = Float64Array.from({ length: 2 * p }, () => random.normal());
    const results = [undefined, wasm].map((backend) => {
      // Two chunks, the second one short.
      const objective = new Objective(definition, { chunk: 4, ...(backend && { backend }) });
      objective.setWeights(w);
      const products = new Float64Array(2 * p);
      const rows = new Float64Array(3 * p);
      objective.hvp(vectors, products, 2);
      objective.thirdDerivatives(vectors, 2, rows);
      const loss = Float64Array.of(objective.loss());
      return { loss, gradient: objective.gradient(), products, rows, outputs: objective.outputs() };
    });
    for (const part of ["loss", "gradient", "products", "rows", "outputs"] as const)
      expect(firstDifference(results[0][part], results[1][part]), part).toBeUndefined();
    expect(results[0].gradient.some((entry) => entry !== 0)).toBe(true);
  },
);

test("programs of one process share code, not memory", () => {
  const losses = [1, 2].map((scale) => {
    const objective = new Objective(
      {
        parameters: { w: [3] },
        loss: ({ w }) => w.trace.emit("sum", [w.trace.emit("sigmoid", [w], {})], { axes: [0] }),
      },
      { backend: wasm },
    );
    objective.setWeights(Float64Array.of(scale, scale, scale));
    return objective;
  });
  expect(losses.map((objective) => objective.loss())).toEqual(
    [1, 2].map((x) => sigmoid(x) + sigmoid(x) + sigmoid(x)),
  );
});
