import { describe, expect, test } from "vitest";
import { multiply, Objective, power, sqrt, square, sum } from "../../src/autodiff/index.ts";
import { Stopped } from "../../src/base/index.ts";
import {
  compileRule,
  gradientDescent,
  PROCESS_KINDS,
  rmsProp,
  type UpdateRule,
} from "../../src/flows/index.ts";
import { type Quantity, rowDifference } from "../../src/simulation/index.ts";
import { Simulation } from "../../src/simulation/simulation.ts";
import { EIGEN, twoEigenvalues } from "../flows/problems.ts";

function simulate(objective: Objective, rule: UpdateRule, w: readonly number[], warmStart = 0): Simulation {
  return new Simulation({
    objective,
    rule: compileRule(rule, objective.dimension),
    initialWeights: Float64Array.from(w),
    warmStart,
    processes: PROCESS_KINDS.filter((kind) => rule.secondMoment || !/stationary|ablated/.test(kind)).map(
      (kind) => ({ kind, eigen: EIGEN, rawEigenvalues: false }),
    ),
    central: { substeps: 4, criticalThreshold: 1.95, frequencyInSubsteps: false },
    stable: { minSubsteps: 4, maxSharpness: 100 },
    seed: 1,
    watched: { train: undefined, test: undefined },
  });
}

describe("a start that is no number is refused before any step, and no learning rate is blamed", () => {
  const root = () => new Objective({ parameters: { w: [3] }, loss: ({ w }) => sum(sqrt(w)) });
  test("a loss outside its domain", () => {
    expect(() => simulate(root(), gradientDescent({ lr: 1e-9 }), [1, -1, 1])).toThrow(
      /a finite loss, gradient and Hessian at the initial weights, got a loss of NaN; .*not to blame/,
    );
  });
  test("a deviation of 0 under a root", () => {
    const deviation = new Objective({
      parameters: { w: [3] },
      loss: ({ w }) => sqrt(sum(square(w))),
    });
    expect(() => simulate(deviation, gradientDescent({ lr: 1e-9 }), [0, 0, 0], 5)).toThrow(
      /got a gradient of NaN for weight 0/,
    );
  });
  test("a power of 3/2, whose slope is a number and whose curvature is none", () => {
    const bent = new Objective({ parameters: { w: [3] }, loss: ({ w }) => sum(power(w, 1.5)) });
    expect(() => simulate(bent, gradientDescent({ lr: 1e-9 }), [1, 0, 1], 5)).toThrow(
      /got a Hessian's row of (NaN|-?Infinity) for weight 1; .*not to blame/,
    );
  });
});

test("after a warm start that diverged every process ends with its first step, before any eigenpair is looked for", () => {
  const objective = new Objective({ parameters: { w: [1] }, loss: ({ w }) => multiply(sum(square(w)), 5) });
  const simulation = simulate(objective, gradientDescent({ lr: 1 }), [1], 10);
  expect(simulation.divergedWarmStart).toEqual({ steps: 3, loss: 5 * 81 ** 3, startLoss: 5 });
  objective.hvp = () => expect.unreachable();
  simulation.step();
  expect(simulation.running).toBe(false);
  for (const status of Object.values(simulation.statuses()))
    expect(status).toEqual({ kind: "failed", ending: { code: "diverged", where: "gradient" } });
});

test("a simulation stopped anywhere in a step, by its objective, takes that step later to the same bits", () => {
  const rule = rmsProp({ lr: 0.05, beta2: 0.9, eps: 1e-3 });
  const start = [0.02, 0.05, 1.2, 1.1, 0.1];
  const [objective, other] = [twoEigenvalues(0.01), twoEigenvalues(0.01)];
  const [stopped, straight] = [simulate(objective, rule, start), simulate(other, rule, start)];
  const rows = (simulation: Simulation): Record<string, Quantity> => simulation.step();
  for (let index = 0; index < 4; index++) {
    for (let n = 0; ; n += 37) {
      let left = n;
      objective.shouldStop = () => left-- === 0;
      try {
        const row = rows(stopped);
        const step = index;
        expect(
          rowDifference({ index, step, quantities: row }, { index, step, quantities: rows(straight) }),
        ).toBe(undefined);
        expect(n).toBeGreaterThan(37);
        break;
      } catch (error) {
        expect(error).toBeInstanceOf(Stopped);
      }
    }
  }
});
