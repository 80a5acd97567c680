import fc from "fast-check";
import { expect, test } from "vitest";
import { compile, Objective, type Tensor } from "../../src/autodiff/index.ts";
import { EPS, Random } from "../../src/base/index.ts";
import {
  accuracy,
  type Criterion,
  createModel,
  rowLosses,
  rowWeights,
  supervisedLoss,
} from "../../src/models/index.ts";
import { deviation } from "./samples.ts";

const DEFINITIONS: Record<Criterion, (row: number[], label: number) => number> = {
  mse: (row, label) => row.reduce((sum, f, c) => sum + 0.5 * (f - (c === label ? 1 : 0)) ** 2, 0),
  ce: (row, label) => {
    const most = Math.max(...row);
    return Math.log(row.reduce((sum, f) => sum + Math.exp(f - most), 0)) + most - row[label];
  },
  mse_binary: ([f], label) => 0.5 * (f - (label === 1 ? 1 : -1)) ** 2,
  ce_binary: ([f], label) => Math.max(0, label === 1 ? -f : f) + Math.log1p(Math.exp(-Math.abs(f))),
};

test.each(Object.keys(DEFINITIONS) as Criterion[])(
  "%s is its definition, also for large outputs",
  (criterion) => {
    const classes = criterion.endsWith("binary") ? 1 : 4;
    const run = compile((f: Tensor, labels: Tensor) => rowLosses(criterion, f, labels), [[3, classes], [3]]);
    fc.assert(
      fc.property(fc.nat(), fc.constantFrom(1, 30, 1000), (seed, scale) => {
        const random = new Random(seed);
        const outputs = Float64Array.from({ length: 3 * classes }, () => scale * random.normal());
        const labels = Float64Array.from({ length: 3 }, () => random.integer(Math.max(2, classes)));
        const found = run(outputs, labels);
        found.forEach((loss, i) => {
          const row = [...outputs.subarray(i * classes, (i + 1) * classes)];
          const size = Math.max(
            1,
            ...row.map((f) => (criterion.startsWith("mse") ? (Math.abs(f) + 1) ** 2 : Math.abs(f))),
          );
          expect(Math.abs(loss - DEFINITIONS[criterion](row, labels[i]))).toBeLessThanOrEqual(
            16 * EPS * size,
          );
        });
      }),
      { seed: 3, numRuns: 100 },
    );
  },
);

test("masked rows count neither in the loss nor in the accuracy, however examples fall into chunks", () => {
  const model = createModel("mlp", { inputShape: [3], outputDim: 4 }, { width: 5 });
  const random = new Random(2);
  const inputs = random.fillNormal(new Float64Array(7 * 3));
  const labels = Float64Array.of(2, -1, 0, 3, -1, 1, 0);
  const kept = [0, 2, 3, 5, 6];
  const w = model.initialWeights(random);
  const lossOf = (rows: number[], chunk: number, weights = w): [number, Float64Array] => {
    const objective = new Objective(
      supervisedLoss(model, "ce", {
        inputs: Float64Array.from(rows.flatMap((i) => [...inputs.subarray(3 * i, 3 * i + 3)])),
        shape: [3],
        labels: Float64Array.from(rows, (i) => labels[i]),
        labelShape: [],
      }),
      { chunk },
    );
    objective.setWeights(weights);
    return [objective.loss(), objective.gradient().slice()];
  };
  const [loss, gradient] = lossOf(kept, kept.length);
  for (const chunk of [1, 2, 3, 7]) {
    const [found, slope] = lossOf([0, 1, 2, 3, 4, 5, 6], chunk);
    expect(deviation([found], [loss])).toBeLessThan(8);
    expect(deviation(slope, gradient)).toBeLessThan(16);
  }
});

test("weights of rows are 1/N for kept rows; a set of masked rows only is refused", () => {
  expect([...rowWeights(Float64Array.of(1, -1, 0, 2))]).toEqual([1 / 3, 0, 1 / 3, 1 / 3]);
  expect(() => rowWeights(Float64Array.of(-1, -1))).toThrow(/at least one label that is not −1/);
});

test("accuracy: largest output, ties to the lowest index; binary by sign, 0 being no", () => {
  const outputs = Float64Array.of(0, 0, 1, 1, 3, 2, 5, 5);
  expect(accuracy("ce", outputs, Float64Array.of(0, 0, 0, 1))).toBe(3 / 4);
  expect(accuracy("mse", outputs, Float64Array.of(0, -1, -1, -1))).toBe(1);
  expect(accuracy("ce_binary", Float64Array.of(0.5, 0, -2), Float64Array.of(1, 0, 1))).toBe(2 / 3);
});
