import fc from "fast-check";
import { expect, test } from "vitest";
import { EPS, Random } from "../../../src/base/index.ts";
import { compileRule, timeScaleOf } from "../../../src/flows/index.ts";
import { arbitraryRule, MOMENT, plainRuleOf, ruleOf } from "../rules/plain-rules.ts";

const cases = fc.record({ options: arbitraryRule, seed: fc.nat(1e6), p: fc.integer({ min: 1, max: 5 }) });

/** A rule with a state that steps have reached, a gradient and two directions. */
function prepared({ options, seed, p }: { options: Parameters<typeof ruleOf>[0]; seed: number; p: number }) {
  const random = new Random(seed, "rates");
  const rule = compileRule(ruleOf(options), p);
  const draw = () => random.fillNormal(new Float64Array(p));
  let state = rule.rule.initialState(p);
  for (let step = 0; step < 3; step++) {
    const next = new Float64Array(state.length);
    rule.update(state, draw(), next);
    state = next;
  }
  return { rule, state, gradient: draw(), h1: draw(), h2: draw(), random };
}

test("rateCurvature is half the mixed second difference of the rate", () => {
  fc.assert(
    fc.property(cases, (drawn) => {
      const { rule, state, gradient, h1, h2 } = prepared(drawn);
      const rateAt = (a: number, b: number): Float64Array => {
        const out = new Float64Array(state.length);
        rule.rate(
          state,
          gradient.map((g, l) => g + a * h1[l] + b * h2[l]),
          out,
        );
        return out;
      };
      const [pp, pm, mp, mm] = [rateAt(1, 1), rateAt(1, -1), rateAt(-1, 1), rateAt(-1, -1)];
      const found = new Float64Array(state.length);
      rule.rateCurvature(state, gradient, h1, h2, found);
      // f is quadratic in g for every rule, so the difference is exact: ∂²f[h1, h2] = (pp − pm − mp + mm)/4.
      const scale = Math.max(...Object.keys(rule.rule.state(1)).map((part) => timeScaleOf(rule.rule, part)));
      const size = Math.max(...[pp, pm, mp, mm].flatMap((rates) => Array.from(rates, Math.abs)), ...state, 1);
      found.forEach((entry, l) => {
        const exact = (pp[l] - pm[l] - mp[l] + mm[l]) / 8;
        expect(Math.abs(entry - exact)).toBeLessThanOrEqual(50 * EPS * size * scale);
      });
      const plain = plainRuleOf(drawn.options).rateCurvature(state, h1, h2);
      found.forEach((entry, l) => {
        expect(Math.abs(entry - plain[l])).toBeLessThanOrEqual(20 * EPS * size * scale);
      });
      if (rule.rateIsLinear) expect(found.every((entry) => entry === 0)).toBe(true);
      expect(rule.rateIsLinear).toBe(MOMENT[drawn.options.name] === "none");
    }),
    { numRuns: 80 },
  );
});

test("rateCurvature is symmetric in its directions", () => {
  fc.assert(
    fc.property(cases, (drawn) => {
      const { rule, state, gradient, h1, h2 } = prepared(drawn);
      const a = new Float64Array(state.length);
      const b = new Float64Array(state.length);
      rule.rateCurvature(state, gradient, h1, h2, a);
      rule.rateCurvature(state, gradient, h2, h1, b);
      const scale = Math.max(...Object.keys(rule.rule.state(1)).map((part) => timeScaleOf(rule.rule, part)));
      const size = Math.max(1, ...h1.map(Math.abs)) * Math.max(1, ...h2.map(Math.abs)) * rule.dimension;
      a.forEach((entry, l) => {
        expect(Math.abs(entry - b[l])).toBeLessThanOrEqual(10 * EPS * size * scale);
      });
    }),
    { numRuns: 40 },
  );
});

test("preconditionerRate is the derivative of the preconditioner along the state", () => {
  fc.assert(
    fc.property(cases, (drawn) => {
      const { rule, state, random } = prepared(drawn);
      const p = rule.dimension;
      // Steps must not leave ν > 0, nor cross a kink of the schedule: t stands off the whole numbers.
      state[0] += 0.37;
      const direction = state.map((entry) => entry * (random.uniform() - 0.5));
      const at = (tau: number): Float64Array => {
        const P = new Float64Array(p);
        rule.preconditioner(
          state.map((entry, l) => entry + tau * direction[l]),
          P,
        );
        return P;
      };
      const found = new Float64Array(p);
      rule.preconditionerRate(state, direction, found);
      // Richardson on central differences: error O(τ⁴) from the fifth derivative, O(ε/τ) from rounding.
      const tau = 1e-3;
      const [a, b, c, d] = [at(tau), at(-tau), at(tau / 2), at(-tau / 2)];
      const P = at(0);
      for (let l = 0; l < p; l++) {
        const wide = (a[l] - b[l]) / (2 * tau);
        const narrow = (c[l] - d[l]) / tau;
        const difference = (4 * narrow - wide) / 3;
        expect(Math.abs(found[l] - difference)).toBeLessThanOrEqual(1e-9 * (Math.abs(found[l]) + P[l]));
      }
      if (rule.preconditionerIsConstant) expect(found.every((entry) => entry === 0)).toBe(true);
    }),
    { numRuns: 80 },
  );
});

test("a rule says truly whether its preconditioner is one number", () => {
  fc.assert(
    fc.property(cases, ({ options, p }) => {
      const isUniform = ["none", "scalar"].includes(MOMENT[options.name]);
      expect(compileRule(ruleOf(options), p).preconditionerIsUniform).toBe(isUniform);
    }),
    { numRuns: 20 },
  );
});
