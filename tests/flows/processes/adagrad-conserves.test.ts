import { expect, test } from "vitest";
import {
  adaGrad,
  CentralProcess,
  DiscreteProcess,
  type Observation,
  type Process,
  StableProcess,
} from "../../../src/flows/index.ts";
import { EIGEN, edgeExample, quadratic, setupAt, takeSteps } from "../problems.ts";

const LR = 0.5;
const EPSILON = 0.05;

/** L + 2η Σ √(ε + s_i). */
const conserved = ({ loss, state }: Observation): number =>
  loss + 2 * LR * state.subarray(1).reduce((total, s) => total + Math.sqrt(EPSILON + s), 0);

function observed(process: Process): Observation {
  process.prepare();
  const seen = process.observation;
  if (!seen) throw new Error("the process runs");
  return seen;
}

test("AdaGrad's flow conserves L + 2η Σ √(ε + s_i), to the order of the substep", () => {
  const objective = quadratic(Float64Array.of(1, 0.2, 0.2, 0.5), Float64Array.of(1, -2));
  const drift = (minSubsteps: number): number => {
    const setup = setupAt(objective, adaGrad({ lr: LR, eps: EPSILON }), [3, 1], { eigen: EIGEN });
    const process = new StableProcess(setup, { minSubsteps, maxSharpness: null });
    const before = conserved(observed(process));
    takeSteps(process, 12);
    return Math.abs(conserved(observed(process)) / before - 1);
  };
  const drifts = [64, 128, 256].map(drift);
  expect(drifts[2]).toBeLessThan(5e-3);
  expect(drifts[0] / drifts[1]).toBeCloseTo(2, 1);
  expect(drifts[1] / drifts[2]).toBeCloseTo(2, 1);
});

test("at the edge AdaGrad's central flow gathers the squares that the optimizer's bounces add", () => {
  const objective = edgeExample(1, 1e-2);
  const rule = adaGrad({ lr: 0.3, eps: 0 });
  const state = Float64Array.of(1, 0.25, 0.25);
  const setup = () => setupAt(objective, rule, [1e-2, 3.3], { eigen: EIGEN, state: state.slice() });
  const discrete = new DiscreteProcess(setup());
  const central = new CentralProcess(setup(), {
    substeps: 4,
    criticalThreshold: 1.95,
    frequencyInSubsteps: false,
  });
  const [bounced, flowed] = [discrete, central].map((process) => {
    takeSteps(process, 250);
    return observed(process);
  });
  // What the oscillation adds to s₀ is a third of it; s₁ grows by the drift alone.
  const gained = ({ state: reached }: Observation): number => reached[1] - state[1];
  expect(gained(bounced)).toBeGreaterThan(0.2);
  expect(Math.abs(gained(flowed) / gained(bounced) - 1)).toBeLessThan(0.03);
  expect(Math.abs(flowed.weights[1] / bounced.weights[1] - 1)).toBeLessThan(2e-3);
  expect(flowed.pairs?.values[0]).toBeCloseTo(2, 4);
});
