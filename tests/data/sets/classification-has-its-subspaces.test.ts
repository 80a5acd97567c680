import { SingularValueDecomposition } from "ml-matrix";
import { describe, expect, test } from "vitest";
import { EPS } from "../../../src/base/index.ts";
import { type Examples, loadDataset } from "../../../src/data/index.ts";
import { inputOf } from "../support.ts";

const load = (options: Readonly<Record<string, unknown>>): Examples =>
  loadDataset("classification", options).train;
const rowsOf = (examples: Examples): number[][] =>
  Array.from({ length: examples.n }, (_, i) => [...inputOf(examples, i)]);

describe.each([7, 8, 20])("with %i features", (nFeatures) => {
  const examples = load({ n: 300, nFeatures, classes: 3, seed: 5 });
  const svd = new SingularValueDecomposition(rowsOf(examples), { autoTranspose: true });

  test("two features are linear combinations: the rank is two short", () => {
    const values = svd.diagonal;
    const roundoff = 300 * EPS * values[0];
    expect(values.slice(nFeatures - 2).every((value) => value < roundoff)).toBe(true);
    expect(values[nFeatures - 3]).toBeGreaterThan(1);
  });

  test("the combinations involve seven features, and the others not at all", () => {
    const null1 = svd.rightSingularVectors.getColumn(nFeatures - 2);
    const null2 = svd.rightSingularVectors.getColumn(nFeatures - 1);
    const involved = null1.filter((value, i) => Math.hypot(value, null2[i]) > 1e3 * 300 * EPS);
    expect(involved.length).toBe(7);
  });
});

/** Mean of each feature over the examples of a class. */
function classMeans(examples: Examples, label: number): number[] {
  const rows = rowsOf(examples).filter((_, i) => examples.labels[i] === label);
  return examples.shape.length === 1
    ? Array.from(
        { length: examples.shape[0] },
        (_, j) => rows.reduce((sum, row) => sum + row[j], 0) / rows.length,
      )
    : [];
}

test("classes are centred between two distinct vertices of a cube: means near −1, 0 and 1, not all 0", () => {
  const classes = 4;
  const examples = load({ n: 40000, nTest: 0, nFeatures: 20, classes, seed: 1 });
  const means = Array.from({ length: classes }, (_, label) => classMeans(examples, label));
  // A feature of a cluster has variance at most 5 and 10000 examples make a class; flipped labels shift means by 1%.
  const close = (value: number): boolean =>
    [-1, 0, 1].some((v) => Math.abs(value - v) < 0.01 + 6 * Math.sqrt(6 / 10000));
  const onLattice = Array.from({ length: 20 }, (_, j) => means.every((mean) => close(mean[j])));
  expect(onLattice.filter(Boolean).length).toBeGreaterThanOrEqual(18);
  const separating = Array.from({ length: 20 }, (_, j) => means.some((mean) => Math.abs(mean[j]) > 0.5));
  expect(separating.filter(Boolean).length).toBeGreaterThanOrEqual(2);
});

test("classes are balanced up to the hundredth of labels drawn anew", () => {
  const n = 32000;
  for (const classes of [2, 5, 16]) {
    const examples = load({ n, nTest: 0, classes, nFeatures: 7, seed: 3 });
    for (let label = 0; label < classes; label++) {
      const count = examples.labels.filter((l) => l === label).length;
      // Labels that leave and arrive are binomial with at most n/100/classes expected each.
      expect(Math.abs(count - n / classes)).toBeLessThan(6 * Math.sqrt((2 * n) / 100 / classes));
    }
  }
});

test("useless features are standard normal", () => {
  const examples = load({ n: 20000, nTest: 0, nFeatures: 40, seed: 2 });
  const rows = rowsOf(examples);
  const normal = Array.from({ length: 40 }, (_, j) => {
    const moment = (power: number): number =>
      rows.reduce((sum, row) => sum + row[j] ** power, 0) / rows.length;
    const scale = 5 / Math.sqrt(rows.length);
    return (
      Math.abs(moment(1)) < scale &&
      Math.abs(moment(2) - 1) < scale * Math.sqrt(2) &&
      Math.abs(moment(4) - 3) < scale * Math.sqrt(96)
    );
  });
  expect(normal.filter(Boolean).length).toBe(33);
});

test("training and test examples are one draw, split; seeds reproduce it", () => {
  const { train, test: tested } = loadDataset("classification", { n: 30, nTest: 20, seed: 9 });
  const whole = loadDataset("classification", { n: 50, nTest: 0, seed: 9 });
  expect(whole.test).toBeUndefined();
  expect([...train.inputs, ...(tested?.inputs ?? [])]).toEqual([...whole.train.inputs]);
  expect([...train.labels, ...(tested?.labels ?? [])]).toEqual([...whole.train.labels]);
  expect(loadDataset("classification", { n: 30, nTest: 20, seed: 8 }).train.inputs).not.toEqual(train.inputs);
  expect(loadDataset("classification", { classes: 3 })).toMatchObject({
    criterion: "mse",
    outputDim: 3,
    inputShape: [20],
  });
});
