import { expect, test } from "vitest";
import { adaptivity, adaptivityInterval, magnitudeHistogram } from "../../src/analysis/index.ts";
import { Random } from "../../src/base/index.ts";
import { logNormalAdaptivity } from "../../src/studies/epsilon.ts";

const random = new Random(3, "adaptivity");
const s = Float64Array.from({ length: 5000 }, (_, i) => (i % 7 === 0 ? 0 : Math.exp(2 * random.normal())));

test("A is 1 for ε = 0 and falls to 0, and zeros do not count", () => {
  expect(adaptivity(s, 0)).toBe(1);
  const values = Array.from({ length: 60 }, (_, i) => adaptivity(s, 10 ** (i / 3 - 10)));
  for (let i = 1; i < values.length; i++) expect(values[i]).toBeLessThan(values[i - 1]);
  expect(values.at(-1)).toBeLessThan(1e-7);
  expect(adaptivity(s, 0.3)).toBe(
    adaptivity(
      s.filter((each) => each > 0),
      0.3,
    ),
  );
  expect(adaptivity([0, 0], 1)).toBeNaN();
});

test("the interval's ends have A = 0.99 and 0.01, whatever the distribution and the unit", () => {
  for (const values of [s, Float64Array.of(3), Float64Array.of(1e-12, 1, 1e12), s.map((x) => 1e-9 * x)]) {
    const [low, high] = adaptivityInterval(values);
    expect(adaptivity(values, low)).toBeCloseTo(0.99, 9);
    expect(adaptivity(values, high)).toBeCloseTo(0.01, 9);
  }
  expect(adaptivityInterval([0])).toEqual([Number.NaN, Number.NaN]);
});

test("the log-normal's A has its symmetry, A(ε) + A(1/ε) = 1, and its limits", () => {
  for (const spread of [0.25, 1, 4])
    for (const epsilon of [1e-4, 0.1, 1, 20]) {
      const both = logNormalAdaptivity(epsilon, spread) + logNormalAdaptivity(1 / epsilon, spread);
      expect(Math.abs(both - 1)).toBeLessThan(1e-13);
    }
  expect(logNormalAdaptivity(0.3, 1e-9)).toBeCloseTo(1 / 1.3, 9);
  // For small ε: 1 − ε E[1/s] = 1 − ε exp(spread²/2).
  expect((1 - logNormalAdaptivity(1e-9, 1)) / (1e-9 * Math.exp(0.5))).toBeCloseTo(1, 6);
});

test("a histogram counts every number once, zeros apart, in the bin of its magnitude", () => {
  const { places, shares, zeros } = magnitudeHistogram(Float64Array.of(-1.1, 1.1, 0, 120, 0, 1e-3 * 1.01));
  expect(zeros).toBeCloseTo(1 / 3, 15);
  expect(shares.reduce((a, b) => a + b) + zeros).toBeCloseTo(1, 14);
  expect(shares[places.findIndex((place) => Math.abs(place - 0.1) < 1e-12)]).toBeCloseTo(1 / 3, 15);
  expect(places[0]).toBeCloseTo(-2.9, 12);
  expect(places.at(-1)).toBeCloseTo(2.1, 12);
  expect(() => magnitudeHistogram([Number.NaN])).toThrow(/finite/);
  expect(magnitudeHistogram([0]).zeros).toBe(1);
});
