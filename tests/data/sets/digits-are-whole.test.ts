import { describe, expect, test } from "vitest";
import { EPS } from "../../../src/base/index.ts";
import { type Dataset, type Examples, loadDataset } from "../../../src/data/index.ts";
import { inputOf } from "../support.ts";

const MEAN = 4.884164579855314;
const STD = 6.016787548672236;
/** Images of each digit in the test part, from the data set's own description. */
const CLASS_COUNTS = [178, 182, 177, 183, 181, 182, 181, 179, 174, 180];

const stored = (value: number): number => Math.round(value * STD + MEAN);
const imagesOf = (examples: Examples): string[] =>
  Array.from(
    { length: examples.n },
    (_, i) => `${examples.labels[i]}:${[...inputOf(examples, i)].map(stored)}`,
  );
const allOf = (dataset: Dataset): string[] =>
  [dataset.train, dataset.test].flatMap((split) => (split ? imagesOf(split) : [])).sort();

const dataset = loadDataset("digits");
const everything = [dataset.train, dataset.test].flatMap((split) => (split ? [split] : []));

test("all 1797 images are there, as many of each digit as published", () => {
  const labels = everything.flatMap((split) => [...split.labels]);
  expect(CLASS_COUNTS.map((_, digit) => labels.filter((label) => label === digit).length)).toEqual(
    CLASS_COUNTS,
  );
});

test("pixels are integers from 0 to 16, normalised by their own mean and standard deviation", () => {
  const pixels = everything.flatMap((split) => [...split.inputs]);
  const isNormalised = (pixel: number): boolean => {
    const value = stored(pixel);
    return value >= 0 && value <= 16 && pixel === (value - MEAN) / STD;
  };
  expect(pixels.every(isNormalised)).toBe(true);
  const mean = pixels.reduce((a, b) => a + b, 0) / pixels.length;
  const variance = pixels.reduce((sum, value) => sum + (value - mean) ** 2, 0) / pixels.length;
  expect(Math.abs(mean)).toBeLessThan(pixels.length * EPS);
  expect(Math.abs(variance - 1)).toBeLessThan(pixels.length * EPS);
});

test("the default selection is the one numpy makes of the published table", () => {
  // numpy on the CSV: rows of the first 20 images of each digit, flattened; Σ (k + 1)·value.
  const sum = dataset.train.inputs.reduce((total, value, k) => total + (k + 1) * stored(value), 0);
  expect(sum).toBe(397665625);
  expect([...inputOf(dataset.train, 0)].map(stored).slice(0, 16)).toEqual([
    0, 0, 5, 13, 9, 1, 0, 0, 0, 0, 13, 15, 10, 15, 5, 0,
  ]);
});

describe.each([
  [200, 10],
  [23, 10],
  [35, 7],
  [600, 4],
])("n = %i, classes = %i", (n, classes) => {
  const chosen = loadDataset("digits", { n, classes, criterion: "ce" });
  const perClass = Math.floor(n / classes);

  test("⌊n/classes⌋ of each class, grouped in order, the first of each: a larger n only appends", () => {
    const expected = Array.from({ length: classes * perClass }, (_, i) => Math.floor(i / perClass));
    expect([...chosen.train.labels]).toEqual(expected);
    const larger = imagesOf(loadDataset("digits", { n: n + classes, classes }).train);
    const kept = larger.filter((_, i) => i % (perClass + 1) < perClass);
    expect(kept).toEqual(imagesOf(chosen.train));
  });

  test("train and test together are all images of those classes, whatever n is", () => {
    expect(allOf(chosen)).toEqual(allOf(dataset).filter((image) => Number(image.split(":")[0]) < classes));
    expect(chosen).toMatchObject({
      criterion: "ce",
      outputDim: classes,
      inputShape: [1, 8, 8],
      inputKind: "real",
    });
  });
});

test("binary is the first two classes with one output", () => {
  const binary = loadDataset("digits", { n: 30, classes: "binary", criterion: "mse" });
  expect(binary).toMatchObject({ criterion: "mse_binary", outputDim: 1 });
  expect(binary.train).toEqual(loadDataset("digits", { n: 30, classes: 2 }).train);
});

test("without remaining images there is no test set, and the attribution is kept", () => {
  expect(loadDataset("digits", { n: 360, classes: 2 }).test).toMatchObject({ n: 2 });
  expect(dataset.attribution).toMatch(/Alpaydin.*Kaynak.*10\.24432\/C50P49, CC BY 4\.0/);
});
