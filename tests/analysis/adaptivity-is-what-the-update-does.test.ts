import { expect, test } from "vitest";
import {
  adaptivity,
  adaptivityAt,
  adaptivityInterval,
  magnitudeHistogram,
  secondMomentOf,
} from "../../src/analysis/index.ts";
import { Random } from "../../src/base/index.ts";
import {
  adaGrad,
  adam,
  compileRule,
  gradientDescent,
  rmsProp,
  scalarRmsProp,
} from "../../src/flows/index.ts";
import { limitsOfAdam, logNormalAdaptivity } from "../../src/studies/epsilon.ts";

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

test("with ε far from every s each step of Adam is its limit's, to the relative size that s/(s + ε) promises", () => {
  for (const seed of [1, 2, 3]) {
    const { momentum, adaptive } = limitsOfAdam(seed);
    expect(momentum).toBeLessThan(1);
    expect(adaptive).toBeLessThan(1);
    expect(Math.min(momentum, adaptive)).toBeGreaterThan(0.9);
  }
});

test("√ν̂ and ε of a rule are read off its own P, with bias correction and without, whatever ε is", () => {
  const p = 6;
  const gradients = Array.from({ length: 7 }, () => random.fillNormal(new Float64Array(p)));
  for (const gradient of gradients) gradient[2] = 0;
  for (const biasCorrection of [true, false])
    for (const eps of [0, 1e-8, 1e3]) {
      const options = { lr: 0.3, beta2: 0.9, eps, biasCorrection };
      for (const make of [rmsProp, adam, scalarRmsProp]) {
        const rule = compileRule(make(options), p);
        let state: Float64Array = rule.rule.initialState(p);
        expect(secondMomentOf(rule, state)).toBeUndefined();
        const nu = new Float64Array(p);
        for (const gradient of gradients) {
          const next = new Float64Array(state.length);
          rule.update(state, gradient, next);
          state = next;
          for (let i = 0; i < p; i++) nu[i] += 0.1 * (gradient[i] ** 2 - nu[i]);
        }
        const found = secondMomentOf(rule, state);
        if (!found) throw new Error("the rule has a second moment");
        expect(Math.abs(found.epsilon - eps)).toBeLessThanOrEqual(1e-12 * eps);
        const corrected = biasCorrection ? 1 - 0.9 ** gradients.length : 1;
        if (make === scalarRmsProp) expect(found.roots.length).toBe(1);
        else
          found.roots.forEach((root, i) => {
            const exact = Math.sqrt(nu[i] / corrected);
            expect(Math.abs(root - exact)).toBeLessThanOrEqual(1e-11 * exact);
          });
        expect(adaptivityAt(rule, state, gradients[0])?.scalar).toBe(make === scalarRmsProp);
      }
    }
  for (const rule of [gradientDescent({ lr: 0.1 }), adaGrad({ lr: 0.1 })])
    expect(
      adaptivityAt(compileRule(rule, p), compileRule(rule, p).rule.initialState(p).fill(1), gradients[0]),
    ).toBeUndefined();
});
