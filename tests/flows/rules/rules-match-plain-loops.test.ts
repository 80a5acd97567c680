import fc from "fast-check";
import { expect, test } from "vitest";
import { EPS, Random } from "../../../src/base/index.ts";
import {
  compileRule,
  cosineSchedule,
  DiscreteProcess,
  gradientDescent,
  heavyBall,
  rmsProp,
  scalarRmsProp,
  stepSchedule,
  warmupSchedule,
} from "../../../src/flows/index.ts";
import { quadratic, setupAt, takeSteps, weightsOf } from "../problems.ts";
import { arbitraryRule, plainRuleOf, type RuleCase, ruleOf } from "./plain-rules.ts";

function expectClose(found: ArrayLike<number>, exact: ArrayLike<number>, ulps: number): void {
  expect(found.length).toBe(exact.length);
  for (let i = 0; i < exact.length; i++)
    expect(Math.abs(found[i] - exact[i])).toBeLessThanOrEqual(ulps * EPS * Math.abs(exact[i]));
}

/** The relative rounding error of 1 − β2ᵗ is that of β2ᵗ divided by what is left. */
function cancellation({ beta2, biasCorrection }: RuleCase, t: number): number {
  return biasCorrection ? 1 / (1 - beta2 ** t) : 1;
}

test("update, preconditioner, learning rate and rate are those of the table, schedules and corrections included", () => {
  fc.assert(
    fc.property(arbitraryRule, fc.nat(1e6), fc.integer({ min: 1, max: 6 }), (options, seed, p) => {
      const random = new Random(seed, "gradients");
      const rule = compileRule(ruleOf(options), p);
      const plain = plainRuleOf(options);
      let state = rule.rule.initialState(p);
      for (let step = 1; step <= 25; step++) {
        const gradient = random.fillNormal(new Float64Array(p));
        const rate = new Float64Array(state.length);
        rule.rate(state, gradient, rate);
        const exactRate = plain.rate(state, gradient);
        // update − state cancels: measured in roundings of the state and the squared gradient.
        const size = 1 + gradient.reduce((total, g) => total + g * g, 0) + Math.max(...state);
        exactRate.forEach((entry, l) => {
          expect(Math.abs(rate[l] - entry)).toBeLessThanOrEqual(20 * EPS * size);
        });
        const next = new Float64Array(state.length);
        rule.update(state, gradient, next);
        // Both sides add products of a few roundings each; the average is of numbers ≥ 0, so none cancels.
        expectClose(next, plain.update(state, gradient), 10 + 2 * p);
        state = next;
        // q and r at the updated state: a few roundings of numbers that may cancel.
        const q = new Float64Array(p);
        rule.direction(state, gradient, q);
        const largest = Math.max(...gradient.map(Math.abs), ...state.map(Math.abs)) + 1;
        plain.direction(state, gradient).forEach((entry, l) => {
          const bound = 40 * EPS * largest * cancellation({ ...options, beta2: options.beta1 }, state[0]);
          expect(Math.abs(q[l] - entry)).toBeLessThanOrEqual(bound);
        });
        const P = new Float64Array(p);
        rule.preconditioner(state, P);
        // The cosine and the power are each right to a few units; near the cosine's foot 1 + cos cancels, up to 1/0.001.
        const lost = options.schedule === "cosine" ? 8000 : 30;
        expectClose(P, plain.preconditioner(state, p), lost + 100 * cancellation(options, state[0]));
        expectClose([rule.learningRate(state)], [plain.learningRate(state[0])], lost);
        expectClose([rule.decay(state)], [plain.decay(state[0])], lost);
        const c = rule.rule.criticalValue * (1 - plain.decay(state[0]) / 2);
        expectClose([rule.criticalValue(state)], [c], lost);
      }
    }),
    { numRuns: 60 },
  );
});

test("schedules between steps: growing, flat, falling, and constant past their ends", () => {
  const eta = (schedule: ReturnType<typeof warmupSchedule>, t: number): number =>
    compileRule(scalarRmsProp({ lr: schedule, beta2: 0.9 }), 1).learningRate(Float64Array.of(t, 1));
  expectClose(
    [0.5, 2.5, 5, 7].map((t) => eta(warmupSchedule(2, 5), t)),
    [0.2, 1, 2, 2],
    4,
  );
  expectClose(
    [0, 2.999, 3, 5.5, 6].map((t) => eta(stepSchedule(2, 3, 0.5), t)),
    [2, 2, 1, 1, 0.5],
    4,
  );
  const cosine = cosineSchedule(2, { warmupSteps: 0, totalSteps: 10, finalFraction: 0.25 });
  expectClose(
    [0, 5, 9.9, 10, 50].map((t) => eta(cosine, t)),
    [2, 1, 0.5, 0.5, 0.5],
    8,
  );
});

test("the optimizer process takes the rule's steps on a quadratic", () => {
  fc.assert(
    fc.property(arbitraryRule, fc.nat(1e6), (options, seed) => {
      const random = new Random(seed, "descent");
      const p = 3;
      const diagonal = Float64Array.from({ length: p }, () => 0.5 + random.uniform());
      const H = new Float64Array(p * p);
      diagonal.forEach((entry, l) => {
        H[l * p + l] = entry;
      });
      const start = random.fillNormal(new Float64Array(p));
      const process = new DiscreteProcess(
        setupAt(quadratic(H, new Float64Array(p)), ruleOf({ ...options, lr: 0.05 }), start, {
          eigen: { frequency: -1, trackThreshold: null, initialCount: 1, solver: "lobpcg", tolerance: 1e-10 },
        }),
      );
      const plain = plainRuleOf({ ...options, lr: 0.05 });
      let w = start.slice();
      let state = ruleOf(options).initialState(p);
      takeSteps(process, 6, () => {
        const gradient = w.map((entry, l) => diagonal[l] * entry);
        state = plain.update(state, gradient);
        expectClose(process.observation?.state ?? [], state, 1e4);
        const P = plain.preconditioner(state, p);
        const q = plain.direction(state, gradient);
        const r = plain.decay(state[0]);
        w = w.map((entry, l) => entry - q[l] / P[l] - r * entry);
      });
      // Six steps of a map whose derivative near a sign change of g/√ν may be large.
      weightsOf(process).forEach((entry, l) => {
        expect(Math.abs(entry - w[l])).toBeLessThanOrEqual(1e6 * EPS * Math.max(...start.map(Math.abs)));
      });
    }),
    { numRuns: 40 },
  );
});

test("options out of range are refused with what was expected", () => {
  expect(() => rmsProp({ lr: 0.1, beta2: 1 })).toThrow(/beta2: expected .* in \[0, 1\), got 1/);
  expect(() => rmsProp({ lr: 0.1, beta2: 0.9, eps: -1 })).toThrow(/eps/);
  expect(() => rmsProp({ lr: -0.1, beta2: 0.9 })).toThrow(/learning rate/);
  expect(() => cosineSchedule(1, { warmupSteps: 5, totalSteps: 5 })).toThrow(/above the 5/);
  for (const beta1 of [1, -0.1, Number.NaN])
    expect(() => heavyBall({ lr: 0.1, beta1 })).toThrow(/beta1: expected .* in \[0, 1\)/);
  expect(() => gradientDescent({ lr: 0.1, weightDecay: -1 })).toThrow(/weight decay ≥ 0/);
  expect(() => gradientDescent({ lr: 0.1, weightDecay: 10 })).toThrow(/below 1/);
  expect(() => cosineSchedule(1, { warmupSteps: 0, totalSteps: 5, finalFraction: 0 })).toThrow(
    /final fraction/,
  );
  expect(() => warmupSchedule(1, Number.NaN)).toThrow(/warm-up steps/);
});
