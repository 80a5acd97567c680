import fc from "fast-check";
import { EVD, Matrix } from "ml-matrix";
import { describe, expect, test } from "vitest";
import { add, divide, multiply, square } from "../../../src/autodiff/index.ts";
import {
  checkUpdateRule,
  compileRule,
  cosineSchedule,
  defineRule,
  edgeOfRule,
  type RuleDefinition,
  rootOrZero,
  stateParts,
  steppedWeights,
  type UpdateRule,
} from "../../../src/flows/index.ts";
import { arbitraryRule, ruleOf } from "./plain-rules.ts";

/** q = (1 − share) g + share·m with m an average of gradients: gd, heavy ball and Nesterov are among them. */
const quasiHyperbolic = (beta: number, share: number, changes: Partial<RuleDefinition> = {}): UpdateRule =>
  defineRule(
    {
      state: (p) => ({ m: [p] }),
      update: ({ m }, gradient) => ({ m: add(multiply(m, beta), multiply(gradient, 1 - beta)) }),
      timeScale: { m: 1 / beta },
      direction: ({ m }, gradient) => add(multiply(gradient, 1 - share), multiply(m, share)),
      preconditioner: () => 4,
      // An alternating gradient leaves (1 − β)/(1 + β) of itself in m.
      criticalValue: 2 / (1 - share + (share * (1 - beta)) / (1 + beta)),
      ...changes,
    },
    { name: "quasi-hyperbolic", lr: 0.25 },
  );

/** Eigenvalues of the map (w, m) → (w⁺, m⁺) of two weights with curvatures h, found on unit vectors, by ml-matrix. */
function iterationEigenvalues(rule: UpdateRule, h: readonly [number, number]): [re: number, im: number][] {
  const compiled = compileRule(rule, 2);
  const preconditioner = new Float64Array(2);
  compiled.preconditioner(rule.initialState(2), preconditioner);
  const columns = [0, 1, 2, 3].map((unit) => {
    const weights = Float64Array.from([0, 1], (i) => (i === unit ? 1 : 0));
    const before = Float64Array.from([0, 0, 0], (_, i) => (i === unit - 1 && unit > 1 ? 1 : 0));
    const gradient = weights.map((w, i) => h[i] * w);
    const state = new Float64Array(3);
    compiled.update(before, gradient, state);
    const next = steppedWeights(compiled, { weights, state, gradient, preconditioner });
    return [...next, ...state.subarray(1)];
  });
  const { realEigenvalues, imaginaryEigenvalues } = new EVD(new Matrix(columns).transpose());
  return realEigenvalues.map((re, i) => [re, imaginaryEigenvalues[i]]);
}

const radius = (values: readonly [number, number][]): number =>
  Math.max(...values.map(([re, im]) => Math.hypot(re, im)));

describe("the edge that is found by a rule's own derivatives", () => {
  test("is where the spectral radius of the whole iteration passes 1, at −1", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.05, max: 0.98, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 0.9, noNaN: true }),
        (beta, share, other) => {
          const rule = quasiHyperbolic(beta, share);
          const { value, period } = edgeOfRule(rule);
          expect(period).toBe(2);
          expect(Math.abs(value / rule.criticalValue - 1)).toBeLessThan(1e-12);
          const at = (fraction: number) =>
            iterationEigenvalues(rule, [4 * value * fraction, 4 * value * other]);
          expect(radius(at(1 - 1e-6))).toBeLessThanOrEqual(1 + 1e-12);
          expect(radius(at(1 + 1e-6))).toBeGreaterThan(1);
          expect(Math.min(...at(1).map(([re, im]) => Math.hypot(re + 1, im)))).toBeLessThan(1e-6);
        },
      ),
      { numRuns: 60 },
    );
  });

  test("is a pair of complex roots where the direction lags too much, as the roots themselves show", () => {
    // q = the gradient k steps ago: z^(k+1) − z^k + κ = 0 first has a root on the circle at angle π/(2k + 1),
    // κ = 2 sin(π/(4k + 2)).
    for (const k of [1, 2, 5]) {
      const names = Array.from({ length: k + 1 }, (_, i) => `g${i}`);
      const delayed = defineRule(
        {
          criticalValue: 2,
          state: (p) => Object.fromEntries(names.map((name) => [name, [p]])),
          update: (state, gradient) =>
            Object.fromEntries(names.map((name, i) => [name, i === 0 ? gradient : state[`g${i - 1}`]])),
          direction: (state) => state[`g${k}`],
          preconditioner: () => 1,
        },
        { name: "delayed", lr: 1 },
      );
      const { value, period } = edgeOfRule(delayed);
      expect(Math.abs(period - 2 * (2 * k + 1))).toBeLessThan(1e-9);
      expect(Math.abs(value - 2 * Math.sin(Math.PI / (4 * k + 2)))).toBeLessThan(1e-12);
      expect(() => checkUpdateRule(delayed)).toThrow(/period of/);
    }
  });
});

test("every rule that is built in passes, whatever its options, without a word", () => {
  fc.assert(
    fc.property(arbitraryRule, (options) => {
      const rule = ruleOf(options);
      expect(checkUpdateRule(rule)).toEqual([]);
      expect(Math.abs(edgeOfRule(rule).value / rule.criticalValue - 1)).toBeLessThan(1e-12);
    }),
    { numRuns: 60 },
  );
});

test("any other critical value than the edge is refused, and the right one accepted", () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0.05, max: 0.98, noNaN: true }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.double({ min: -0.9, max: 3, noNaN: true }),
      (beta, share, error) => {
        const c = quasiHyperbolic(beta, share).criticalValue;
        expect(checkUpdateRule(quasiHyperbolic(beta, share))).toEqual([]);
        fc.pre(Math.abs(error) > 1e-5);
        const wrong = quasiHyperbolic(beta, share, { criticalValue: c * (1 + error) });
        expect(() => checkUpdateRule(wrong)).toThrow(
          `criticalValue: ${Number(c.toPrecision(6))} would be right`,
        );
      },
    ),
    { numRuns: 20 },
  );
});

describe("time scales", () => {
  test("the one that is asked for makes flow and rule lag behind a ramp alike", () => {
    // The lag behind g = t of an average with memory β is β/(1 − β); of dm/dt = T(1 − β)(g − m) it is 1/(T(1 − β)).
    fc.assert(
      fc.property(
        fc.double({ min: 0.05, max: 0.98, noNaN: true }),
        fc.double({ min: 0.3, max: 3, noNaN: true }),
        (beta, factor) => {
          const warnings = checkUpdateRule(quasiHyperbolic(beta, 1, { timeScale: { m: factor / beta } }));
          expect(warnings).toHaveLength(Math.abs(factor - 1) > 2e-3 ? 1 : 0);
          if (warnings.length === 0) return;
          const [, told] = /and (\S+) would/.exec(warnings[0]) ?? [];
          const lag = 1 / (Number(told) * (1 - beta));
          expect(Math.abs(lag / (beta / (1 - beta)) - 1)).toBeLessThan(1e-5);
        },
      ),
      { numRuns: 60 },
    );
  });

  test("a sum for good and a step count need none", () => {
    const adagrad = defineRule(
      {
        criticalValue: 2,
        state: (p) => ({ nu: [p] }),
        update: ({ nu }, gradient) => ({ nu: add(nu, square(gradient)) }),
        preconditioner: ({ nu }) => multiply(rootOrZero(nu), 10),
      },
      { name: "adagrad", lr: 0.1 },
    );
    expect(checkUpdateRule(adagrad)).toEqual([]);
  });
});

describe("a definition", () => {
  const plain: RuleDefinition = { criticalValue: 2, preconditioner: () => 4 };

  test("of two fields is gradient descent to the bit, with schedule and decay as there", () => {
    const lr = 0.25;
    for (const weightDecay of [0, 0.1])
      for (const schedule of [undefined, cosineSchedule(lr, { warmupSteps: 3, totalSteps: 9 })]) {
        const own = compileRule(defineRule(plain, { name: "own", lr, schedule, weightDecay }), 2);
        const gd = compileRule(
          ruleOf({
            ...{ name: "gd", schedule: "constant", lr, beta1: 0, beta2: 0, eps: 0, biasCorrection: false },
            ...{ momentumForm: "average", weightDecay },
          }),
          2,
        );
        const [state, other] = [own.rule.initialState(2), new Float64Array(1)];
        own.update(state, Float64Array.of(1, 2), other);
        expect([...other]).toEqual([1]);
        const [P, Q] = [new Float64Array(2), new Float64Array(2)];
        own.preconditioner(other, P);
        gd.preconditioner(other, Q);
        const eta = own.learningRate(other);
        expect(Math.abs(P[0] * eta - 1)).toBeLessThan(1e-15);
        expect(Math.abs(own.decay(other) - eta * weightDecay)).toBeLessThan(1e-16);
        if (schedule) expect(eta).toBeLessThan(lr);
        else expect([...P, own.decay(other)]).toEqual([...Q, gd.decay(other)]);
      }
  });

  test("has its own first state after t, and a summary of what it remembers", () => {
    const rule = defineRule(
      {
        ...plain,
        state: (p) => ({ nu: [p], a: [] }),
        update: ({ nu, a }) => ({ nu, a: divide(a, 2) }),
        initialState: (p) => new Float64Array(p + 1).fill(3),
      },
      { name: "own", lr: 0.25 },
    );
    expect([...rule.initialState(2)]).toEqual([0, 3, 3, 3]);
    const parts = stateParts(rule, Float64Array.of(7, -1, 2, 5), 2);
    expect(rule.summary(parts, new Float64Array(2))).toMatchObject({
      t: 7,
      nu_l1: 3,
      a: 5,
    });
  });
});
