import { describe, expect, test } from "vitest";
import { isMisuse } from "../../../src/base/index.ts";
import { type Dataset, loadDataset, type WritableArray, writeNpz } from "../../../src/data/index.ts";
import { testFile } from "../support.ts";

function load(arrays: Record<string, WritableArray>, options: Record<string, unknown> = {}): Dataset {
  const file = writeNpz(arrays);
  return loadDataset("npz", { path: "a.npz", criterion: "mse", ...options }, (path) =>
    path === "a.npz" ? file : undefined,
  );
}

const inputs: WritableArray = { shape: [3, 2, 2], data: [5, 1, 2, 3, -4, 5, 6, 7, 8, 9, 10, 255] };
const labels: WritableArray = { dtype: "<i8", shape: [3], data: [2, 0, 1] };
const tokens: WritableArray = { dtype: "<i8", shape: [2, 3], data: [0, 1, 5, 3, 2, 0] };
const nextTokens: WritableArray = { dtype: "<i8", shape: [2, 3], data: [-1, 1, 2, -1, -1, 0] };

test("inputs and labels: same order, same numbers, no test set", () => {
  const dataset = load(
    { inputs, labels, unrelated: { shape: [], data: [1] } },
    { classes: 3, criterion: "ce" },
  );
  expect(dataset.train).toEqual({
    inputs: Float64Array.from(inputs.data),
    shape: [2, 2],
    labels: Float64Array.of(2, 0, 1),
    labelShape: [],
    n: 3,
  });
  expect(dataset.test).toBeUndefined();
  expect(dataset).toMatchObject({
    name: "npz",
    inputShape: [2, 2],
    inputKind: "real",
    outputDim: 3,
    criterion: "ce",
  });
});

test("train_ and test_ arrays make both splits", () => {
  const first = { shape: [1, 2, 2], data: [1, 2, 3, 4] };
  const tested = { test_inputs: first, test_labels: { shape: [1], data: [1] } };
  const dataset = load({ train_inputs: inputs, train_labels: labels, ...tested }, { classes: 3 });
  expect(dataset.train.n).toBe(3);
  expect(dataset.test).toMatchObject({
    n: 1,
    inputs: Float64Array.of(1, 2, 3, 4),
    labels: Float64Array.of(1),
  });
  expect(load({ train_inputs: inputs, train_labels: labels }, { classes: 3 }).test).toBeUndefined();
});

test("classes: binary has one output; left out, the largest label decides", () => {
  const two = { shape: [3], data: [1, 0, 1] };
  expect(load({ inputs, labels: two }, { classes: "binary" })).toMatchObject({
    outputDim: 1,
    criterion: "mse_binary",
  });
  expect(load({ inputs, labels })).toMatchObject({ outputDim: 3, criterion: "mse" });
  expect(load({ inputs, labels: { shape: [3], data: [0, 0, 0] } }).outputDim).toBe(2);
});

test("labels per position make the inputs tokens; −1 masks", () => {
  const dataset = load({ inputs: tokens, labels: nextTokens }, { classes: 4 });
  expect(dataset).toMatchObject({ inputKind: "tokens", vocabulary: 6, outputDim: 4, inputShape: [3] });
  expect(dataset.train.labelShape).toEqual([3]);
  expect(load({ inputs: tokens, labels: nextTokens }, { vocabSize: 9 }).vocabulary).toBe(9);
});

test("one label per row of integers: features, unless vocabSize says tokens", () => {
  const sentences = { inputs: tokens, labels: { shape: [2], data: [0, 1] } };
  expect(load(sentences).inputKind).toBe("real");
  expect(load(sentences, { vocabSize: 6 })).toMatchObject({ inputKind: "tokens", vocabulary: 6 });
});

test("a column of labels is one label per example", () => {
  const column = { shape: [3, 1], data: [2, 0, 1] };
  expect(load({ inputs, labels: column })).toEqual(load({ inputs, labels }));
  const single = { shape: [3, 1], data: [0.5, -1, 2] };
  expect(load({ inputs: single, labels: column })).toMatchObject({ inputKind: "real", outputDim: 3 });
  const oneToken = { inputs: { shape: [3, 1], data: [0, 1, 2] }, labels: column };
  expect(load(oneToken, { vocabSize: 3 }).train.labelShape).toEqual([1]);
});

const with_ = (array: WritableArray, at: number, value: number): WritableArray => ({
  shape: array.shape,
  data: Array.from(array.data, (old, i) => (i === at ? value : old)),
});

describe("bad arrays are refused, with the index of the first bad element", () => {
  const classes = 3;
  const cases: [string, Record<string, WritableArray>, Record<string, unknown>, RegExp][] = [
    [
      "NaN",
      { inputs: with_(inputs, 7, Number.NaN), labels },
      {},
      /finite numbers in inputs, got NaN at \[1,1,1\]/,
    ],
    ["infinity", { inputs: with_(inputs, 0, -Infinity), labels }, {}, /got -Infinity at \[0,0,0\]/],
    [
      "no examples",
      { inputs: { shape: [0, 2], data: [] }, labels: { shape: [0], data: [] } },
      {},
      /with examples/,
    ],
    ["no features", { inputs: { shape: [3, 0], data: [] }, labels }, {}, /with examples/],
    [
      "inputs without a shape",
      { inputs: { shape: [3], data: [1, 2, 3] }, labels },
      {},
      /inputs of shape \[n, …\]/,
    ],
    ["a single number", { inputs: { shape: [], data: [1] }, labels }, {}, /inputs of shape \[n, …\]/],
    [
      "too few labels",
      { inputs, labels: { shape: [2], data: [0, 1] } },
      {},
      /labels of shape \[3\] or \[3,1\], got \[2\]/,
    ],
    [
      "one-hot labels",
      { inputs, labels: { shape: [3, 3], data: [1, 0, 0, 0, 1, 0, 0, 0, 1] } },
      {},
      /got \[3,3\]/,
    ],
    [
      "a label too large",
      { inputs, labels: with_(labels, 1, 3) },
      { classes },
      /from 0 to 2 in labels, got 3 at \[1\]/,
    ],
    ["a label not an integer", { inputs, labels: with_(labels, 2, 0.5) }, {}, /got 0.5 at \[2\]/],
    ["a label NaN", { inputs, labels: with_(labels, 2, Number.NaN) }, {}, /got NaN at \[2\]/],
    [
      "a mask without sequence",
      { inputs, labels: with_(labels, 2, -1) },
      { classes },
      /from 0 to 2.*got -1 at \[2\]/,
    ],
    [
      "three labels for binary",
      { inputs, labels },
      { classes: "binary" },
      /from 0 to 1 in labels, got 2 at \[0\]/,
    ],
    [
      "all masked",
      { inputs: tokens, labels: { shape: [2, 3], data: [-1, -1, -1, -1, -1, -1] } },
      {},
      /at least one label/,
    ],
    [
      "real tokens",
      { inputs: with_(tokens, 4, 0.5), labels: nextTokens },
      {},
      /token ids.*got 0.5 at \[1,1\]/,
    ],
    [
      "a token too large",
      { inputs: tokens, labels: nextTokens },
      { vocabSize: 5 },
      /from 0 to 4.*got 5 at \[0,2\]/,
    ],
    ["images as tokens", { inputs, labels }, { vocabSize: 500 }, /of shape \[n,length\]/],
    ["no labels", { inputs }, {}, /no labels among inputs/],
    ["other names", { x: inputs, y: labels }, {}, /no inputs among x, y/],
    ["both layouts", { inputs, labels, train_inputs: inputs }, {}, /either inputs and labels or/],
    [
      "half a test set",
      { train_inputs: inputs, train_labels: labels, test_inputs: inputs },
      {},
      /no test_labels/,
    ],
    [
      "a test set of another shape",
      {
        train_inputs: inputs,
        train_labels: labels,
        test_inputs: { shape: [3, 4], data: inputs.data },
        test_labels: labels,
      },
      {},
      /test examples like training examples, \[2,2\]/,
    ],
  ];
  test.each(cases)("%s", (_, arrays, options, message) => {
    expect(() => load(arrays, options)).toThrow(message);
    try {
      load(arrays, options);
    } catch (error) {
      expect(isMisuse(error)).toBe(true);
    }
  });
});

test("a missing file, a file of another kind and a missing path are refused", () => {
  expect(() => loadDataset("npz", { path: "/no/such.npz", criterion: "ce" })).toThrow(
    /no file at \/no\/such\.npz/,
  );
  const npy = testFile("version-1.npy");
  expect(() => loadDataset("npz", { path: "a.npy", criterion: "ce" }, () => npy)).toThrow(
    /a\.npy: expected a zip archive/,
  );
  expect(() => loadDataset("npz", { criterion: "ce" })).toThrow(
    /path: expected text \(FILE\), got none; set path/,
  );
  expect(() => loadDataset("npz", { path: "/", criterion: "ce" })).toThrow(/an .npz file, got no file at \//);
});
