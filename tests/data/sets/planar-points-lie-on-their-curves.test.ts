import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { EPS } from "../../../src/base/index.ts";
import { type Examples, loadDataset } from "../../../src/data/index.ts";
import { inputOf } from "../support.ts";

const counts = fc.integer({ min: 2, max: 60 });
const seeds = fc.integer({ min: 0, max: 2 ** 32 - 1 });

/** Angles of a class's points around a centre, ascending, in [0, 2π). */
function anglesOf(
  examples: Examples,
  label: number,
  centre: readonly [number, number],
  turn: 1 | -1,
): number[] {
  const angles: number[] = [];
  for (let i = 0; i < examples.n; i++) {
    if (examples.labels[i] !== label) continue;
    const [x, y] = inputOf(examples, i);
    const angle = Math.atan2(turn * (y - centre[1]), turn * (x - centre[0]));
    // A point at angle 0 may come out a rounding error below it.
    angles.push(angle < -8 * EPS ? angle + 2 * Math.PI : Math.max(angle, 0));
  }
  return angles.sort((a, b) => a - b);
}

function radiusOf(examples: Examples, i: number, centre: readonly [number, number]): number {
  const [x, y] = inputOf(examples, i);
  return Math.hypot(x - centre[0], y - centre[1]);
}

const zeros = (examples: Examples): number => examples.labels.filter((label) => label === 0).length;

describe("moons", () => {
  test("without noise: evenly spaced on the upper and the lower half circle, halves balanced", () => {
    fc.assert(
      fc.property(counts, seeds, (n, seed) => {
        const { train } = loadDataset("moons", { n, seed, noise: 0 });
        expect([train.n, zeros(train)]).toEqual([n, Math.floor(n / 2)]);
        for (let i = 0; i < n; i++)
          expect(Math.abs(radiusOf(train, i, train.labels[i] === 0 ? [0, 0] : [1, 0.5]) - 1)).toBeLessThan(
            4 * EPS,
          );
        // The lower half circle runs from angle π to 2π; turned by π it is an upper one.
        for (const [label, centre, turn] of [
          [0, [0, 0], 1],
          [1, [1, 0.5], -1],
        ] as const) {
          const angles = anglesOf(train, label, centre, turn);
          angles.forEach((angle, k) => {
            const expected = angles.length > 1 ? (Math.PI * k) / (angles.length - 1) : 0;
            expect(Math.abs(angle - expected)).toBeLessThan(16 * EPS);
          });
        }
      }),
    );
  });

  test("the test set does not depend on the seed, the training set does", () => {
    const [a, b] = [loadDataset("moons", { seed: 1 }), loadDataset("moons", { seed: 2 })];
    expect(a.test).toEqual(b.test);
    expect(a.train.inputs).not.toEqual(b.train.inputs);
    expect(loadDataset("moons", { seed: 1000, n: 100 }).train).toEqual(a.test);
  });
});

describe("circles", () => {
  test("without noise: evenly spaced on circles of radius 1 and factor, halves balanced", () => {
    fc.assert(
      fc.property(counts, seeds, fc.double({ min: 0.01, max: 0.99, noNaN: true }), (n, seed, factor) => {
        const { train } = loadDataset("circles", { n, seed, factor, noise: 0 });
        expect([train.n, zeros(train)]).toEqual([n, Math.floor(n / 2)]);
        for (let i = 0; i < n; i++) {
          const radius = train.labels[i] === 0 ? 1 : factor;
          expect(Math.abs(radiusOf(train, i, [0, 0]) / radius - 1)).toBeLessThan(4 * EPS);
        }
        for (const label of [0, 1]) {
          const angles = anglesOf(train, label, [0, 0], 1);
          angles.forEach((angle, k) => {
            expect(Math.abs(angle - (2 * Math.PI * k) / angles.length)).toBeLessThan(32 * EPS);
          });
        }
      }),
    );
  });

  test("as in the reference, the test set is drawn with the training seed", () => {
    const { train, test } = loadDataset("circles", { n: 50, nTest: 50, seed: 3 });
    expect(test).toEqual(train);
  });
});

describe.each(["moons", "circles"])("%s", (name) => {
  test("the same seed gives the same numbers; binary mse with labels 0 and 1", () => {
    const dataset = loadDataset(name);
    expect(dataset).toEqual(loadDataset(name));
    expect(dataset).toMatchObject({
      criterion: "mse_binary",
      outputDim: 1,
      inputKind: "real",
      inputShape: [2],
    });
    const entropy = loadDataset(name, { criterion: "ce" });
    expect(entropy).toEqual({ ...dataset, criterion: "ce_binary" });
    expect([dataset.train.n, dataset.test?.n]).toEqual([200, 100]);
    expect(new Set(dataset.train.labels)).toEqual(new Set([0, 1]));
    expect(loadDataset(name, { nTest: 0 }).test).toBeUndefined();
  });

  test("noise displaces each coordinate by independent normals of that standard deviation", () => {
    const n = 20000;
    const clean = loadDataset(name, { n, noise: 0, nTest: 0 }).train;
    const noise = 0.37;
    const noisy = loadDataset(name, { n, noise, nTest: 0 }).train;
    expect(noisy.labels).toEqual(clean.labels);
    const shifts = noisy.inputs.map((value, i) => (value - clean.inputs[i]) / noise);
    const mean = (data: Float64Array): number => data.reduce((a, b) => a + b, 0) / data.length;
    // Standard errors for m normals: mean 1/√m, second moment √(2/m), fourth moment √(96/m); five of each allowed.
    const m = shifts.length;
    expect(Math.abs(mean(shifts))).toBeLessThan(5 / Math.sqrt(m));
    expect(Math.abs(mean(shifts.map((z) => z ** 2)) - 1)).toBeLessThan(5 * Math.sqrt(2 / m));
    expect(Math.abs(mean(shifts.map((z) => z ** 4)) - 3)).toBeLessThan(5 * Math.sqrt(96 / m));
    const products = Float64Array.from({ length: n }, (_, i) => shifts[2 * i] * shifts[2 * i + 1]);
    expect(Math.abs(mean(products))).toBeLessThan(5 / Math.sqrt(n));
  });
});
