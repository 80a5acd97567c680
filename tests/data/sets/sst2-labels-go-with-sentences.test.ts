import { expect, test } from "vitest";
import { loadDataset, writeNpz } from "../../../src/data/index.ts";
import { FILES, firstPositions, inMemory, inputOf } from "../support.ts";

/** The labels of make-files.py's 14 sentences; token t of sentence i is i·1009 + t, then zeros. */
const LABELS = [1, 1, 1, 0, 1, 0, 0, 1, 0, 0, 1, 0, 1, 0];

test("the first n/2 negative, then positive sentences, each with its own label", () => {
  const dataset = loadDataset("sst2", { n: 8, criterion: "ce", cacheDir: FILES });
  const positions = firstPositions(LABELS, 2, 8);
  expect(positions).toEqual([3, 5, 6, 8, 0, 1, 2, 4]);
  expect([...dataset.train.labels]).toEqual([0, 0, 0, 0, 1, 1, 1, 1]);
  positions.forEach((i, k) => {
    const expected = Array.from({ length: 66 }, (_, t) => (t < 10 + i ? (i * 1009 + t) % 30522 : 0));
    expect([...inputOf(dataset.train, k)]).toEqual(expected);
  });
  expect(dataset).toMatchObject({
    inputShape: [66],
    inputKind: "tokens",
    vocabulary: 30522,
    outputDim: 1,
    criterion: "ce_binary",
  });
});

test("test sentences that GLUE published without labels are left out", () => {
  expect(loadDataset("sst2", { n: 4, criterion: "mse", cacheDir: FILES }).test).toBeUndefined();
});

test("a missing cache, tokens beyond the vocabulary and impossible labels are refused", () => {
  const load = (train_x: number[], train_y: number[]) => {
    const arrays = { train_x: { shape: [2, 2], data: train_x }, train_y: { shape: [2], data: train_y } };
    const test_ = { test_x: { shape: [1, 2], data: [1, 2] }, test_y: { shape: [1], data: [1] } };
    const file = writeNpz({ ...arrays, ...test_ });
    return loadDataset("sst2", { n: 2, criterion: "ce" }, inMemory({ "data_cache/SST2.npz": file }));
  };
  expect(load([1, 2, 3, 4], [1, 0]).test?.labels).toEqual(Float64Array.of(1));
  expect(() => load([1, 30522, 3, 4], [1, 0])).toThrow(/token ids from 0 to 30521, got 30522/);
  expect(() => load([1, 2, 3, 4], [1, -1])).toThrow(/labels 0 and 1 in train_y, got -1 at 1/);
  expect(() => loadDataset("sst2", { n: 2, criterion: "ce" }, inMemory({}))).toThrow(
    /data_cache\/SST2\.npz.*GLUE.*gluebenchmark\.com.*folder data_cache/,
  );
});
