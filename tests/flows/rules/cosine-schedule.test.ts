import { expect, test } from "vitest";
import { compile, grad, type Tensor } from "../../../src/autodiff/index.ts";
import { EPS } from "../../../src/base/index.ts";
import { type CosineOptions, cosineSchedule, gradientDescent } from "../../../src/flows/index.ts";

const rates = (lr: number, options: CosineOptions): ((t: number) => number) => {
  const run = compile((t: Tensor) => cosineSchedule(lr, options)(t), [[]]);
  return (t) => run(t)[0];
};

test("the rate grows linearly, falls by half a cosine and stays at its floor", () => {
  const eta = rates(0.4, { warmupSteps: 10, totalSteps: 110 });
  expect([eta(0), eta(5), eta(10), eta(60)]).toEqual([0, 0.2, 0.4, 0.2]);
  for (let t = 10; t <= 105; t++)
    expect(Math.abs(eta(t) - 0.2 * (1 + Math.cos((Math.PI * (t - 10)) / 100)))).toBeLessThan(4 * EPS);
  for (const t of [110, 111, 1e6]) expect(eta(t)).toBe(0.4 * 0.001);
});

test("the rate falls steadily and never below its final fraction", () => {
  const eta = rates(1, { warmupSteps: 0, totalSteps: 50, finalFraction: 0.25 });
  expect(eta(0)).toBe(1);
  for (let t = 0.5; t <= 60; t += 0.5) {
    expect(eta(t)).toBeLessThanOrEqual(eta(t - 0.5));
    expect(eta(t)).toBeGreaterThanOrEqual(0.25);
  }
});

test("its derivative is that of the cosine, and 0 on the floor", () => {
  const schedule = cosineSchedule(2, { warmupSteps: 0, totalSteps: 8 });
  const slope = compile((t: Tensor) => grad((s: Tensor) => schedule(s))(t), [[]]);
  for (let t = 1; t < 8; t++)
    expect(Math.abs(slope(t)[0] + (Math.PI / 8) * Math.sin((Math.PI * t) / 8))).toBeLessThan(4 * EPS);
  expect([slope(8)[0], slope(9)[0]].map(Math.abs)).toEqual([0, 0]);
});

test("the preconditioner of gradient descent stays finite to the end and beyond", () => {
  const rule = gradientDescent({ lr: cosineSchedule(0.1, { warmupSteps: 3, totalSteps: 20 }) });
  const p = compile((t: Tensor) => rule.preconditioner({ t }), [[]]);
  for (let t = 1; t <= 40; t++) expect(p(t)[0]).toBeLessThanOrEqual((1 + 4 * EPS) / (0.1 * 0.001));
});

test("settings that make no schedule are refused", () => {
  const make = (options: CosineOptions) => () => cosineSchedule(0.1, options);
  expect(make({ warmupSteps: 5, totalSteps: 5 })).toThrow(/total steps: .*above the 5 warm-up steps.*5/);
  expect(make({ warmupSteps: -1, totalSteps: 5 })).toThrow(/warm-up steps: .*≥ 0.*-1/);
  expect(make({ warmupSteps: 0, totalSteps: Number.POSITIVE_INFINITY })).toThrow(/total steps/);
  expect(make({ warmupSteps: 0, totalSteps: 5, finalFraction: 0 })).toThrow(/final fraction: .*> 0.*0/);
  expect(make({ warmupSteps: 0, totalSteps: 5, finalFraction: 2 })).toThrow(/final fraction: .*at most 1.*2/);
  expect(() => cosineSchedule(-1, { warmupSteps: 0, totalSteps: 5 })).toThrow(/learning rate/);
});
