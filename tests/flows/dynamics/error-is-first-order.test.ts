import { expect, test } from "vitest";
import {
  CentralProcess,
  gradientDescent,
  heavyBall,
  type ProcessSetup,
  rmsProp,
  StableProcess,
  scalarRmsProp,
  type UpdateRule,
} from "../../../src/flows/index.ts";
import { distance, EIGEN, edgeExample, setupAt, takeSteps, weightsOf } from "../problems.ts";

const SHARP = { ...EIGEN, tolerance: 1e-14 };

function runCentral(rule: UpdateRule, start: readonly number[], steps: number, substeps: number) {
  const setup: ProcessSetup = setupAt(edgeExample(1, 0.02), rule, start, { eigen: SHARP });
  const process = new CentralProcess(setup, {
    substeps,
    criticalThreshold: 1.95,
    frequencyInSubsteps: false,
    integrator: "euler",
  });
  let critical = 0;
  takeSteps(process, steps, () => {
    if ((process.observation?.substep?.X[0] ?? 0) > 0) critical++;
  });
  expect(process.status.kind).toBe("running");
  return { end: weightsOf(process), critical };
}

/** Distances of the ends from that with very many substeps, for 8, 16, 32, 64. */
function errors(
  rule: UpdateRule,
  start: readonly number[],
  steps: number,
): { sizes: number[]; critical: number } {
  const exact = runCentral(rule, start, steps, 1024);
  const sizes = [8, 16, 32, 64].map((n) => distance(runCentral(rule, start, steps, n).end, exact.end));
  return { sizes, critical: exact.critical };
}

test.each([
  ["below", [0.1, 4], 0],
  ["at", [-0.02, 2 / 0.3 + 0.06], 6],
] as const)("%s the edge, halving the substep halves the error", (_, start, atEdge) => {
  const { sizes, critical } = errors(gradientDescent({ lr: 0.3 }), start, 6);
  expect(critical).toBe(atEdge);
  // Cδ + O(δ²), less the error C/1024 of what it is compared with.
  for (let i = 1; i < sizes.length; i++) expect(Math.abs(sizes[i - 1] / sizes[i] - 2)).toBeLessThan(0.2);
});

test.each([
  ["gd", gradientDescent({ lr: 0.3 }), [0.05, 6.58]],
  ["scalar-rmsprop", scalarRmsProp({ lr: 0.1, beta2: 0.9, eps: 1e-2 }), [0.2, 2]],
  ["rmsprop", rmsProp({ lr: 0.1, beta2: 0.9, eps: 1e-2 }), [0.2, 2]],
  ["heavy ball", heavyBall({ lr: 0.15, beta1: 0.5 }), [0.01, 19.92]],
] as const)(
  "across the onset, with %s, too: eight times the substeps, an eighth of the error",
  (_, rule, start) => {
    const steps = 25;
    const { sizes, critical } = errors(rule, start, steps);
    expect(critical).toBeGreaterThan(3);
    expect(critical).toBeLessThan(steps - 3);
    // The onset falls anywhere inside a substep, which moves the constant of a single error by about a factor of two.
    expect(sizes[0] / sizes[3]).toBeGreaterThan(4);
    expect(sizes[0] / sizes[3]).toBeLessThan(16);
  },
);

test("below the edge the central flow is the stable flow, bit for bit", () => {
  for (const rule of [
    gradientDescent({ lr: 0.3 }),
    rmsProp({ lr: 1e-3, beta2: 0.95, biasCorrection: true }),
  ]) {
    const setup = setupAt(edgeExample(1, 1e-3), rule, [0.3, 4]);
    const central = new CentralProcess(setup, {
      substeps: 4,
      criticalThreshold: 1.95,
      frequencyInSubsteps: false,
    });
    const stable = new StableProcess(setup, { minSubsteps: 4, maxSharpness: 100 });
    for (let step = 0; step < 40; step++) {
      takeSteps(central, 1);
      takeSteps(stable, 1);
      expect(central.observation?.critical).toBe(0);
      expect(stable.observation?.substeps).toBe(4);
      expect(weightsOf(central)).toEqual(weightsOf(stable));
      expect(central.snapshot().state).toEqual(stable.snapshot().state);
    }
  }
});
