import { describe, expect, it } from "vitest";
import { EPS, Random, Stopped } from "../../../src/base/index.ts";
import {
  type BlockOperator,
  densityMoment,
  type Estimate,
  hutchPlusPlus,
  lanczos,
  smoothedDensity,
  spectralDensity,
} from "../../../src/linalg/index.ts";
import { countingDiagonal, withSpectrum } from "../cases.ts";

const N = 60;

/** Spectra with both signs, a bulk and outliers; all but "rank five" have no eigenvalue twice. */
const SPECTRA: Record<string, (i: number) => number> = {
  "bulk and outliers": (i) => (i < 3 ? 40 - 10 * i : i < 5 ? -6 + i : 0.5 * Math.cos(i)),
  decaying: (i) => (i % 5 === 0 ? -1 : 1) / (1 + i) ** 2,
  "rank five": (i) => (i < 5 ? i - 2.5 : 0),
};

const dense =
  (a: Float64Array, n: number): BlockOperator =>
  (vectors, products, count) => {
    for (let v = 0; v < count; v++)
      for (let i = 0; i < n; i++) {
        let sum = 0;
        for (let j = 0; j < n; j++) sum += a[i * n + j] * vectors[v * n + j];
        products[v * n + i] = sum;
      }
  };

/** Four standard errors, and rounding. */
const within = ({ value, error }: Estimate, exact: number, size: number): boolean =>
  Math.abs(value - exact) <= 4 * error + 100 * EPS * size;

for (const [name, f] of Object.entries(SPECTRA))
  describe(`spectrum: ${name}`, () => {
    const spectrum = Float64Array.from({ length: N }, (_, i) => f(i));
    const largest = Math.max(...spectrum.map(Math.abs));
    const apply = dense(withSpectrum(new Random(1, name), spectrum), N);
    const mean = (power: number): number => spectrum.reduce((sum, x) => sum + x ** power, 0) / N;

    it("a density has the spectrum's moments within its error bars, weights of sum 1 and no node outside", () => {
      // An outlier's weight is a squared normal number; of 40 the mean is nearly normal.
      const { value, status, stats } = spectralDensity(N, apply, {
        probes: 40,
        random: new Random(2, name),
      });
      expect(status).toBe("converged");
      expect(stats.applications).toBeLessThanOrEqual(40 * N);
      for (const power of [0, 1, 2, 3, 4])
        expect(within(densityMoment(value, power), mean(power), largest ** power), `moment ${power}`).toBe(
          true,
        );
      for (const { nodes, weights } of value.probes) {
        expect(Math.abs(weights.reduce((sum, w) => sum + w, 0) - 1)).toBeLessThanOrEqual(100 * EPS);
        expect(Math.max(...nodes)).toBeLessThanOrEqual(Math.max(...spectrum) + 1000 * EPS * largest);
        expect(Math.min(...nodes)).toBeGreaterThanOrEqual(Math.min(...spectrum) - 1000 * EPS * largest);
      }
    });

    it("a probe's first moments are exact after few steps, as Gauss quadrature has it", () => {
      const options = { probes: 2, random: new Random(3, name) };
      const few = spectralDensity(N, apply, { ...options, steps: 3 }).value;
      const all = spectralDensity(N, apply, { probes: 2, random: new Random(3, name), steps: N }).value;
      const moment = (density: typeof few, power: number): number => densityMoment(density, power).value;
      // The second probe of few steps starts elsewhere in the stream only if steps drew random numbers: they do not.
      for (let power = 0; power <= 5; power++)
        expect(Math.abs(moment(few, power) - moment(all, power))).toBeLessThanOrEqual(
          1000 * EPS * largest ** power,
        );
    });

    it("a smoothed density is the smoothed spectrum within its error bars", () => {
      const width = largest / 8;
      const places = Float64Array.from({ length: 21 }, (_, i) => largest * (i / 10 - 1));
      const { value } = spectralDensity(N, apply, { probes: 20, random: new Random(4, name) });
      const { values, errors } = smoothedDensity(value, places, width);
      const bell = (x: number): number => Math.exp(-0.5 * x * x) / (width * Math.sqrt(2 * Math.PI));
      places.forEach((place, i) => {
        const exact = spectrum.reduce((sum, x) => sum + bell((place - x) / width), 0) / N;
        expect(within({ value: values[i], error: errors[i] }, exact, 1 / width), `at ${place}`).toBe(true);
      });
    });

    it("a trace is within its error bars, and exact with a product per dimension", () => {
      for (const products of [6, 15, 30, 59]) {
        const { value, status, stats } = hutchPlusPlus(N, apply, { products, random: new Random(5, name) });
        expect(status).toBe("converged");
        expect(stats.applications).toBeLessThanOrEqual(products);
        expect(within(value, N * mean(1), N * largest), `${products} products`).toBe(true);
      }
      const exact = hutchPlusPlus(N, apply, { products: N }).value;
      expect(exact.error).toBe(0);
      expect(Math.abs(exact.value - N * mean(1))).toBeLessThanOrEqual(100 * EPS * N * largest);
    });
  });

it("error bars are neither too long nor too short: of 60 estimates most are within two, and not all within a half", () => {
  const spectrum = Float64Array.from({ length: 200 }, (_, i) => Math.cos(i) + (i < 4 ? 20 : 0));
  const trace = spectrum.reduce((sum, x) => sum + x, 0);
  const { apply } = countingDiagonal(spectrum);
  const rotated = dense(withSpectrum(new Random(9), spectrum), 200);
  const tries = Array.from({ length: 60 }, (_, seed): Estimate[] => [
    hutchPlusPlus(200, rotated, { products: 45, random: new Random(seed) }).value,
    densityMoment(spectralDensity(200, apply, { steps: 4, random: new Random(seed) }).value, 1),
  ]);
  [trace, trace / 200].forEach((exact, which) => {
    const off = tries.map((both) => Math.abs(both[which].value - exact) / both[which].error);
    expect(off.filter((x) => x <= 2).length).toBeGreaterThanOrEqual(48);
    expect(off.filter((x) => x <= 0.5).length).toBeLessThanOrEqual(40);
  });
});

it("an operator of rank at most a third of the products has its trace without error", () => {
  const spectrum = Float64Array.from({ length: N }, (_, i) => (i < 5 ? 1 + i : 0));
  const { value } = hutchPlusPlus(N, dense(withSpectrum(new Random(6), spectrum), N), { products: 18 });
  expect(Math.abs(value.value - 15)).toBeLessThanOrEqual(1e4 * EPS);
  expect(value.error).toBeLessThanOrEqual(1e4 * EPS);
});

it("one seed gives one answer, another another", () => {
  const { apply } = countingDiagonal(Float64Array.from({ length: N }, (_, i) => Math.sin(i)));
  const once = (seed: number) => [
    densityMoment(spectralDensity(N, apply, { steps: 5, random: new Random(seed) }).value, 1).value,
    hutchPlusPlus(N, apply, { products: 9, random: new Random(seed) }).value.value,
  ];
  expect(once(1)).toEqual(once(1));
  expect(once(1)[0]).not.toBe(once(2)[0]);
});

it("products that are not finite are a status, misuse is a sentence, and a stop is heard", () => {
  const bad: BlockOperator = (_, products) => void products.fill(Number.NaN);
  const { apply } = countingDiagonal(new Float64Array(N).fill(1));
  expect(spectralDensity(N, bad).status).toBe("not-finite");
  expect(hutchPlusPlus(N, bad).status).toBe("not-finite");
  expect(hutchPlusPlus(5, bad).status).toBe("not-finite");
  expect(() => spectralDensity(0, apply)).toThrow(/^spectralDensity: expected a dimension n ≥ 1/);
  expect(() => spectralDensity(N, apply, { probes: 0 })).toThrow(
    /^spectralDensity: expected at least 1 probe/,
  );
  expect(() => spectralDensity(N, apply, { steps: 0 })).toThrow(/^spectralDensity: expected at least 1 step/);
  expect(() => hutchPlusPlus(N, apply, { products: 5 })).toThrow(
    /^hutchPlusPlus: expected at least 6 products/,
  );
  const { value } = spectralDensity(N, apply);
  expect(() => smoothedDensity(value, Float64Array.of(0), 0)).toThrow(/^smoothedDensity: expected a width/);
  expect(() => lanczos(N, apply, { largest: 1, floor: -1 })).toThrow(/^lanczos: expected a floor ≥ 0/);
  const shouldStop = (): boolean => true;
  expect(() => spectralDensity(N, apply, { shouldStop })).toThrow(Stopped);
  expect(() => hutchPlusPlus(N, apply, { shouldStop })).toThrow(Stopped);
});
