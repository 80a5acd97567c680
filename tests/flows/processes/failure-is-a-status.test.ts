import { describe, expect, test } from "vitest";
import { add, log, multiply, Objective, power, sum } from "../../../src/autodiff/index.ts";
import {
  CentralProcess,
  DiscreteProcess,
  gradientDescent,
  MidpointProcess,
  type Process,
  type ProcessSetup,
  rmsProp,
  StableProcess,
} from "../../../src/flows/index.ts";
import { quadratic, setupAt, takeSteps, weightsOf } from "../problems.ts";

function all(setup: ProcessSetup): Process[] {
  return [
    new DiscreteProcess(setup),
    new MidpointProcess(setup),
    new StableProcess(setup, { minSubsteps: 4, maxSharpness: null }),
    new CentralProcess(setup, { substeps: 4, criticalThreshold: 1.95, frequencyInSubsteps: false }),
  ];
}

function expectFinite(process: Process): void {
  const seen = process.observation;
  if (!seen || process.status.kind === "failed") return;
  const numbers = [
    seen.loss,
    ...seen.gradient,
    ...seen.weights,
    ...seen.state,
    ...(seen.pairs?.values ?? []),
  ];
  for (const entry of numbers) expect(Number.isFinite(entry)).toBe(true);
}

/** Steps all processes side by side; nothing may throw, and what a process shows while it lives is finite. */
function sideBySide(processes: readonly Process[], steps: number): void {
  for (let step = 0; step < steps; step++) {
    for (const process of processes) process.prepare();
    processes.forEach(expectFinite);
    for (const process of processes) process.advance();
  }
}

describe("a quadratic beyond the edge", () => {
  const H = Float64Array.of(8, 1, 1, 3);
  const center = Float64Array.of(1, -1);
  const setup = setupAt(quadratic(H, center), gradientDescent({ lr: 0.3 }), [2, 2]);
  const processes = all(setup);
  const [discrete, midpoint, stable, central] = processes;
  sideBySide(processes, 1);

  test("the central flow says at once that nothing holds the sharpness back, and why", () => {
    expect(central.status).toEqual({
      kind: "failed",
      ending: { code: "complementarity", critical: 1, solver: "unsolvable" },
    });
    expect(weightsOf(central)).toEqual(setup.weights);
  });

  test("the other processes go on: the flow to the minimum, the optimizer to infinity, where it fails too", () => {
    sideBySide(processes, 2000);
    expect(stable.status.kind).toBe("running");
    weightsOf(stable).forEach((entry, l) => {
      expect(Math.abs(entry - center[l])).toBeLessThan(1e-12);
    });
    for (const process of [discrete, midpoint])
      expect(process.status).toEqual({ kind: "failed", ending: { code: "diverged", where: "gradient" } });
  });

  test("RMSProp holds the edge by itself: its central flow runs", () => {
    const rule = rmsProp({ lr: 0.3, beta2: 0.9, eps: 1e-3 });
    const process = new CentralProcess(setupAt(quadratic(H, center), rule, [2, 2]), {
      substeps: 4,
      criticalThreshold: 1.95,
      frequencyInSubsteps: false,
    });
    takeSteps(process, 60, () => expectFinite(process));
    expect(process.status.kind).toBe("running");
    expect(process.observation?.critical).toBeGreaterThan(0);
  });
});

test("a weight whose gradient is always 0 makes P singular: every process says so", () => {
  const H = Float64Array.of(2, 0, 0, 0);
  const processes = all(
    setupAt(quadratic(H, new Float64Array(2)), rmsProp({ lr: 0.01, beta2: 0.9 }), [1, 1]),
  );
  sideBySide(processes, 3);
  for (const process of processes)
    expect(process.status).toEqual({ kind: "failed", ending: { code: "preconditioner" } });
  const mended = all(
    setupAt(quadratic(H, new Float64Array(2)), rmsProp({ lr: 0.01, beta2: 0.9, eps: 1e-8 }), [1, 1]),
  );
  sideBySide(mended, 3);
  for (const process of mended) expect(process.status.kind).toBe("running");
});

test("an Euler step that takes ν below zero is a failure, not a NaN", () => {
  const objective = quadratic(Float64Array.of(2, 0, 0, 1), new Float64Array(2));
  // ds/dt has the rate (1 − β2)/β2 = 99, a substep of 1/4 overshoots.
  const processes = all(setupAt(objective, rmsProp({ lr: 0.2, beta2: 0.01 }), [1, -1]));
  sideBySide(processes, 20);
  for (const process of processes.filter(({ kind }) => kind === "stable" || kind === "central"))
    expect(process.status).toEqual({ kind: "failed", ending: { code: "preconditioner" } });
});

test("a loss that leaves its domain ends a process where it does", () => {
  const objective = new Objective({
    parameters: { w: [2] },
    // The minimum is at the border of the domain of log: a long step crosses it.
    loss: ({ w }) => add(multiply(sum(w), 3), multiply(sum(log(w)), -0.05)),
  });
  const processes = all(setupAt(objective, gradientDescent({ lr: 1 }), [1, 2]));
  sideBySide(processes, 30);
  const [discrete] = processes;
  expect(discrete.status).toEqual({ kind: "failed", ending: { code: "diverged", where: "gradient" } });
});

test("a Hessian that is not finite where the gradient is fails the flows, which divide by it", () => {
  const objective = new Objective({
    parameters: { w: [2] },
    // w^{3/2} at 0: gradient 0, curvature infinite.
    loss: ({ w }) => sum(power(w, w.trace.constant(1.5, [2]))),
  });
  const start = [0.5, 0];
  objective.setWeights(Float64Array.from(start));
  expect([...objective.gradient()].every(Number.isFinite)).toBe(true);
  const [, , ...flows] = all(setupAt(objective, gradientDescent({ lr: 0.1 }), start));
  sideBySide(flows, 1);
  for (const process of flows)
    expect(process.status).toEqual({ kind: "failed", ending: { code: "diverged", where: "curvature" } });
});
