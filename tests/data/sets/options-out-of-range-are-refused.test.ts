import { describe, expect, test } from "vitest";
import { checkValue, InputKindError, InputValueError } from "../../../src/base/index.ts";
import { datasets, loadDataset } from "../../../src/data/index.ts";

const NAN = Number.NaN;
const bad: Readonly<Record<string, Readonly<Record<string, readonly unknown[]>>>> = {
  digits: {
    n: [0, -1, 1, 9, 2.5, NAN, Infinity, 1798, 1e9],
    classes: [1, 0, -2, 11, 2.5, NAN, "both"],
    criterion: ["l1", ""],
  },
  moons: {
    n: [0, -1, 1, 0.5, 1e12],
    nTest: [-1, 0.5],
    noise: [-0.1, NAN, Infinity],
    seed: [-1, 0.5, 2 ** 32],
    criterion: ["mae"],
  },
  circles: {
    n: [0, 1],
    nTest: [-1],
    noise: [-1],
    factor: [-0.1, 1, 1.5, NAN],
    seed: [-1, NAN],
    criterion: ["regression"],
  },
  classification: {
    n: [0, 1],
    nTest: [-1],
    classes: [1, 17, 0, 2.5],
    nFeatures: [6, 0, 2 ** 26],
    seed: [-1],
    criterion: ["ce_binary"],
  },
  sorting: { n: [0, -5], nTest: [-1], vocabSize: [0, 1, 2.5], length: [0, -1, 2 ** 26], criterion: ["mae"] },
  copying: { n: [0], nTest: [NAN], vocabSize: [1], length: [0.5], criterion: ["ce_binary"] },
  cifar10: { n: [0, 1], classes: [11, 1], criterion: ["x"], cacheDir: [""] },
  mnist: { n: [0], classes: [11], criterion: ["x"] },
  "fashion-mnist": { n: [0], classes: [11], criterion: ["x"] },
  sst2: { n: [0, 1], criterion: ["x"] },
  npz: { path: [""], criterion: ["x"], classes: [0, 1, "two"], vocabSize: [0, 1.5] },
};
const required: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  sorting: { criterion: "ce" },
  copying: { criterion: "ce" },
  cifar10: { n: 10, criterion: "ce" },
  mnist: { n: 10, criterion: "ce" },
  "fashion-mnist": { n: 10, criterion: "ce" },
  sst2: { n: 10, criterion: "ce" },
  npz: { path: "a.npz", criterion: "ce" },
};

/** Options that every data set has. */
const common: Readonly<Record<string, readonly unknown[]>> = {
  ghostBatchSize: [0, -2, 1.5],
  batchSize: [0, 1.5, "some"],
  batchReplacement: [],
  batchSeed: [-1, 0.5],
};

test("every data set and every option of it has bad values here", () => {
  expect(Object.keys(bad).sort()).toEqual(Object.keys(datasets).sort());
  for (const [name, { settings }] of Object.entries(datasets)) {
    const own = Object.keys(settings).filter((option) => !(option in common) && option !== "cacheDir");
    expect(Object.keys(bad[name]), name).toEqual(expect.arrayContaining(own));
  }
});

const cases = Object.entries(bad).flatMap(([name, options]) =>
  Object.entries({ ...options, ...common }).flatMap(([option, values]) =>
    values.map((value) => [name, option, value] as const),
  ),
);

test.each(cases)("%s: %s = %s is a RangeError that says what was expected", (name, option, value) => {
  const load = () => loadDataset(name, { ...required[name], [option]: value }, () => undefined);
  expect(load).toThrow(InputValueError);
  expect(load).toThrow(/^data:[a-z0-9-]+(\.\w+)?: expected .*, got /);
});

describe.each(Object.keys(datasets))("%s", (name) => {
  test("an unknown option is refused with the known ones", () => {
    expect(() => loadDataset(name, { ...required[name], nTrain: 3 })).toThrow(
      /expected options among ghostBatchSize, batchSize, .*cacheDir, .*nTrain/,
    );
    expect(() => loadDataset(name, { ...required[name], toString: 3 })).toThrow(InputValueError);
  });

  test("a value of the wrong kind is a TypeError", () => {
    for (const [option, { kind }] of Object.entries(datasets[name as keyof typeof datasets].settings)) {
      for (const value of [null, {}, true, [3]].filter((each) => !checkValue(kind, each).ok))
        expect(() => loadDataset(name, { ...required[name], [option]: value })).toThrow(InputKindError);
    }
  });

  test("a required option left out is asked for by name", () => {
    for (const option of Object.keys(required[name] ?? {}))
      expect(() => loadDataset(name, { ...required[name], [option]: undefined })).toThrow(
        new RegExp(`${option}: expected .*, got none; set ${option}`),
      );
  });
});

test("an unknown data set is refused with the known ones", () => {
  expect(() => loadDataset("cifar100")).toThrow(/expected a data set among digits, .*npz, got "cifar100"/);
  expect(() => loadDataset("toString")).toThrow(InputValueError);
});

test("more examples than there are, or fewer than classes", () => {
  expect(() => loadDataset("digits", { n: 361, classes: 2 })).toThrow(
    /n ≤ 360, the examples of 2 classes, got 361/,
  );
  expect(() => loadDataset("digits", { n: 9 })).toThrow(
    /n: expected at least one example of each of 10 classes, got 9/,
  );
  expect(() => loadDataset("classification", { n: 3, classes: 4 })).toThrow(/each of 4 classes, got 3/);
});
