import { expect, test } from "vitest";
import { add, multiply, Objective, square, subtract, sum } from "../../../src/autodiff/index.ts";
import { CentralProcess, compileRule, rmsProp } from "../../../src/flows/index.ts";

/** ½(y + 0.7x)x² − ε(x + y), and a weight d that the loss does not depend on. */
const objective = new Objective({
  parameters: { x: [], y: [], d: [] },
  loss: ({ x, y, d }) =>
    add(
      subtract(multiply(multiply(add(y, multiply(x, 0.7)), square(x)), 0.5), multiply(add(x, y), 1e-2)),
      sum(multiply(d, 0)),
    ),
});

test("a weight whose gradient is always zero neither moves nor stops the central flow at the edge", () => {
  const rule = compileRule(rmsProp({ lr: 0.02, beta2: 0.9, eps: 1e-3, biasCorrection: true }), 3);
  const direction = Float64Array.of(0, 0.1, 0.1, 0);
  const rate = new Float64Array(3);
  rule.preconditionerRate(Float64Array.of(3, 0.04, 0.09, 0), direction, rate);
  expect(rate[2]).toBe(0);
  expect(rate[0]).toBeGreaterThan(0);

  const flow = new CentralProcess(
    {
      objective,
      rule,
      weights: Float64Array.of(0.05, 2, 0.5),
      state: rule.rule.initialState(3),
      eigen: { frequency: 1, trackThreshold: null, initialCount: 1, solver: "lobpcg", tolerance: 1e-12 },
      rawEigenvalues: false,
      seed: 0,
    },
    { substeps: 4, criticalThreshold: 1.95, frequencyInSubsteps: false },
  );
  let critical = 0;
  for (let step = 0; step < 60; step++) {
    flow.prepare();
    critical += flow.observation?.critical ?? 0;
    flow.advance();
  }
  expect(flow.status).toEqual({ kind: "running" });
  expect(critical).toBeGreaterThan(0);
  expect(flow.snapshot().w[2]).toBe(0.5);
});
