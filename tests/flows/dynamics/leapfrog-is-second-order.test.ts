import { describe, expect, test } from "vitest";
import {
  adam,
  CentralProcess,
  gradientDescent,
  heavyBall,
  nadam,
  nesterov,
  rmsProp,
  StableProcess,
  scalarAdam,
  scalarNadam,
  scalarRmsProp,
  type UpdateRule,
} from "../../../src/flows/index.ts";
import { distance, EIGEN, edgeExample, quadratic, setupAt, takeSteps, weightsOf } from "../problems.ts";

/** Eigenpairs of every middle, near machine precision: no error but the integrator's. */
const SHARP = { ...EIGEN, tolerance: 1e-14 };

function runCentral(rule: UpdateRule, start: readonly number[], steps: number, substeps: number) {
  const process = new CentralProcess(setupAt(edgeExample(1, 0.02), rule, start, { eigen: SHARP }), {
    substeps,
    criticalThreshold: 1.95,
    frequencyInSubsteps: true,
    integrator: "leapfrog",
  });
  let critical = 0;
  takeSteps(process, steps, () => {
    if ((process.observation?.substep?.X[0] ?? 0) > 0) critical++;
  });
  expect(process.status.kind).toBe("running");
  return { end: weightsOf(process), critical };
}

function ratios(rule: UpdateRule, start: readonly number[], steps: number) {
  const exact = runCentral(rule, start, steps, 512);
  const sizes = [8, 16, 32].map((n) => distance(runCentral(rule, start, steps, n).end, exact.end));
  return { ratios: sizes.slice(1).map((size, i) => sizes[i] / size), critical: exact.critical };
}

const moment = { beta2: 0.9, eps: 1e-2, biasCorrection: false };
const HALF = { beta1: 0.5, momentumForm: "average" } as const;

describe("halving the substep quarters the error", () => {
  test.each([
    ["gd", gradientDescent({ lr: 0.3 }), [0.1, 4], 0],
    ["rmsprop with decay", rmsProp({ lr: 0.01, ...moment, weightDecay: 0.5 }), [0.3, 4], 0],
    ["heavy ball", heavyBall({ lr: 0.3, beta1: 0.8, momentumForm: "average" }), [0.1, 10], 0],
    ["Nesterov", nesterov({ lr: 0.3, beta1: 0.8, momentumForm: "average" }), [0.1, 10], 0],
    ["Adam", adam({ lr: 0.05, beta1: 0.8, ...moment, biasCorrection: true }), [0.3, 4], 0],
    ["gd", gradientDescent({ lr: 0.3 }), [-0.02, 2 / 0.3 + 0.06], 6],
    ["heavy ball", heavyBall({ lr: 0.3, ...HALF }), [-0.02, 6 / 0.3 + 0.06], 6],
    ["Nesterov", nesterov({ lr: 0.3, ...HALF }), [-0.02, 3 / 0.3 + 0.06], 6],
  ] as const)("%s, from %#: in a smooth stretch", (_, rule, start, atEdge) => {
    const found = ratios(rule, start, 6);
    expect(found.critical).toBe(atEdge);
    for (const ratio of found.ratios) expect(Math.abs(ratio - 4)).toBeLessThan(0.5);
  });

  // Sharpness starts a little below the edge and passes it inside the run.
  test.each([
    ["rmsprop", rmsProp({ lr: 0.1, ...moment }), [0.2, 2]],
    ["scalar-rmsprop", scalarRmsProp({ lr: 0.1, ...moment }), [0.2, 2]],
    ["heavy ball", heavyBall({ lr: 0.3, ...HALF }), [0.01, 19.85]],
    ["Nesterov", nesterov({ lr: 0.3, ...HALF }), [0.01, 9.85]],
    ["Adam", adam({ lr: 0.1, beta1: 0.5, ...moment }), [0.2, 7]],
    ["scalar Adam", scalarAdam({ lr: 0.2, beta1: 0.5, ...moment }), [0.2, 5]],
    ["NAdam", nadam({ lr: 0.1, beta1: 0.5, ...moment }), [0.2, 4]],
    ["scalar NAdam", scalarNadam({ lr: 0.1, beta1: 0.5, ...moment }), [0.2, 4]],
  ] as const)("%s: across the onset", (_, rule, start) => {
    const steps = 30;
    const found = ratios(rule, start, steps);
    expect(found.critical).toBeGreaterThan(2);
    expect(found.critical).toBeLessThan(steps - 2);
    // The onset falls anywhere in a substep: the constant of a single error moves, not the order.
    expect(found.ratios[0] * found.ratios[1]).toBeGreaterThan(8);
    expect(found.ratios[0] * found.ratios[1]).toBeLessThan(32);
  });
});

test.each([
  ["heavy ball", heavyBall({ lr: 0.05, beta1: 0.9 })],
  ["Adam", adam({ lr: 1e-2, beta1: 0.9, beta2: 0.95, eps: 0, biasCorrection: true })],
] as const)("%s: below the edge the central flow is the stable flow, bit for bit", (_, rule) => {
  const setup = setupAt(edgeExample(1, 1e-3), rule, [0.3, 4]);
  const central = new CentralProcess(setup, {
    substeps: 8,
    criticalThreshold: 1.95,
    frequencyInSubsteps: false,
  });
  const stable = new StableProcess(setup, { minSubsteps: 8, maxSharpness: 100 });
  for (let step = 0; step < 40; step++) {
    takeSteps(central, 1);
    takeSteps(stable, 1);
    expect(central.observation?.critical).toBe(0);
    expect(stable.observation?.substeps).toBe(8);
    expect(weightsOf(central)).toEqual(weightsOf(stable));
    expect(central.snapshot().state).toEqual(stable.snapshot().state);
  }
});

test("on a quadratic the oscillation of weights and average decays as it should, where Euler's grows", () => {
  // With P⁻¹H = λ: w' = −a m, m' = ρ(w/a·λ − m), a = η, ρ = (1 − β)/β: amplitude e^{−ρt/2}, frequency √(λρ − ρ²/4).
  const [beta, lr, lambda] = [0.9, 0.1, 30];
  const rho = (1 - beta) / beta;
  const rule = heavyBall({ lr, beta1: beta, momentumForm: "average" });
  const steps = 60;
  const size = (integrator: "euler" | "leapfrog", count: number): number => {
    const setup = setupAt(quadratic(Float64Array.of(lambda / lr), Float64Array.of(0)), rule, [1]);
    const process = new StableProcess(setup, { minSubsteps: count, maxSharpness: null, integrator });
    takeSteps(process, steps);
    const { w, state } = process.snapshot();
    // The energy λw² + (η m)²λ·…: both parts in units in which the undamped motion is a circle.
    return Math.hypot(w[0], (lr * state[1]) / Math.sqrt(lambda * rho));
  };
  const start = Math.hypot(1, (lr * (1 - beta) * (lambda / lr)) / Math.sqrt(lambda * rho));
  const exact = start * Math.exp((-rho * steps) / 2);
  const leapfrog = size("leapfrog", 8);
  // The ellipse of the damped motion is off the circle by up to ρ/(2ω), here 3 %.
  expect(leapfrog / exact).toBeGreaterThan(0.9);
  expect(leapfrog / exact).toBeLessThan(1.1);
  // Euler's own count, sixty substeps, leaves a quarter of the damping; the energy it adds is ½λρ/60 per step.
  const euler = size("euler", 60);
  expect(euler).toBeGreaterThan(3 * exact);
});
