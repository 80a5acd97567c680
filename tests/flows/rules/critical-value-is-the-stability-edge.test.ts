import fc from "fast-check";
import { expect, test } from "vitest";
import { compileRule, steppedWeights } from "../../../src/flows/index.ts";
import { AVERAGES, arbitraryRule as anyRule, MOMENT, type RuleCase, ruleOf } from "./plain-rules.ts";

const arbitraryRule = anyRule.map((options): RuleCase => ({ ...options, schedule: "constant" }));

/**
 * The iteration of one weight on ½λPw², with t, ν and mass at rest: its matrix in (w, m), found by applying the rule
 * to the two unit vectors, and its spectral radius by the quadratic formula.
 */
function spectralRadius(options: RuleCase, weightOnP: (P: number) => number): { radius: number; c: number } {
  const rule = compileRule(ruleOf(options), 1);
  const moments = MOMENT[options.name] === "none" ? 0 : 1;
  const rest = (m: number): Float64Array => {
    const state = new Float64Array(rule.stateSize).fill(1);
    state[0] = 1e6; // corrections 1 − βᵗ have come to their end
    if (AVERAGES[options.name] !== "none") state[1 + moments] = m;
    return state;
  };
  const preconditioner = new Float64Array(1);
  rule.preconditioner(rest(0), preconditioner);
  const lambda = weightOnP(rule.criticalValue(rest(0)));
  const image = (w: number, m: number): [number, number] => {
    const gradient = Float64Array.of(lambda * preconditioner[0] * w);
    const next = new Float64Array(rule.stateSize);
    rule.update(rest(m), gradient, next);
    const averaged = AVERAGES[options.name] === "none" ? 0 : next[1 + moments];
    const point = { weights: Float64Array.of(w), state: rest(averaged), gradient, preconditioner };
    return [steppedWeights(rule, point)[0], averaged];
  };
  // m in units of P, so that the two columns are of like size.
  const [ww, mw] = image(1, 0);
  const [wm, mm] = image(0, preconditioner[0]);
  const half = (ww + mm / preconditioner[0]) / 2;
  const determinant = (ww * mm - wm * mw) / preconditioner[0];
  const discriminant = half * half - determinant;
  const radius =
    discriminant < 0 ? Math.sqrt(determinant) : Math.abs(half) + Math.sqrt(Math.max(0, discriminant));
  return { radius, c: rule.criticalValue(rest(0)) };
}

test("the spectral radius of every rule passes 1 at its critical value, with decay and without", () => {
  fc.assert(
    fc.property(arbitraryRule, (options) => {
      const at = (fraction: number): number => spectralRadius(options, (c) => fraction * c).radius;
      // Bisection for the edge as a fraction of c.
      let [low, high] = [0.5, 2];
      expect(at(low)).toBeLessThanOrEqual(1);
      expect(at(high)).toBeGreaterThan(1);
      for (let i = 0; i < 60; i++) {
        const middle = (low + high) / 2;
        if (at(middle) > 1) high = middle;
        else low = middle;
      }
      expect(Math.abs(low - 1)).toBeLessThanOrEqual(1e-12);
      for (const fraction of [0.001, 0.1, 0.3, 0.7, 0.9, 0.999])
        expect(at(fraction)).toBeLessThanOrEqual(1 + 1e-12);
    }),
    { numRuns: 200 },
  );
});

test("the critical values of docs/derivations.md, section 2: 38 for heavy ball and Adam, 13.57 for Nesterov and NAdam at 0.9", () => {
  const c = (name: RuleCase["name"], beta1: number): number =>
    ruleOf({
      name,
      beta1,
      schedule: "constant",
      lr: 0.1,
      beta2: 0.99,
      eps: 0,
      biasCorrection: true,
      momentumForm: "polyak",
      weightDecay: 0,
    }).criticalValue;
  for (const name of ["heavy-ball", "adam", "scalar-adam"] as const)
    expect(Math.abs(c(name, 0.9) - 38)).toBeLessThan(1e-12);
  for (const name of ["nesterov", "nadam", "scalar-nadam"] as const)
    expect(Math.abs(c(name, 0.9) - 3.8 / 0.28)).toBeLessThan(1e-12);
  for (const name of ["gd", "rmsprop", "scalar-rmsprop"] as const) expect(c(name, 0.9)).toBe(2);
});
