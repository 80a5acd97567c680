import { describe, expect, test } from "vitest";
import { add, multiply, Objective, square, subtract, type Tensor } from "../../../src/autodiff/index.ts";
import { Random } from "../../../src/base/index.ts";
import { loadDataset } from "../../../src/data/index.ts";
import {
  type CentralFlowOptions,
  CentralProcess,
  centralFlow,
  compileRule,
  DiscreteProcess,
  gradientDescent,
  type Process,
  rmsProp,
} from "../../../src/flows/index.ts";
import { createModel, supervisedLoss } from "../../../src/models/index.ts";
import { parseRun } from "../../../src/settings/index.ts";
import { buildRun } from "../../../src/simulation/index.ts";

/** ½(y + 0.7x)x² − 0.001(x + y): y, the sharpness, grows until gradient descent bounces along x. */
const loss = ({ x, y }: { readonly x: Tensor; readonly y: Tensor }): Tensor =>
  subtract(multiply(multiply(add(y, multiply(x, 0.7)), square(x)), 0.5), multiply(add(x, y), 1e-3));
const parameters = { x: [], y: [] } as const;
const problem = { parameters, loss, weights: { x: 0.03, y: 7.99 }, optimizer: gradientDescent({ lr: 0.25 }) };

test("rows are those of the processes, made by hand with the command line's defaults", () => {
  const objective = new Objective({ parameters, loss });
  const rule = compileRule(problem.optimizer, 2);
  const setup = {
    ...{ objective: objective as unknown as Objective, rule, weights: Float64Array.of(0.03, 7.99) },
    ...{ state: problem.optimizer.initialState(2), rawEigenvalues: false, seed: 0 },
    eigen: { frequency: 1, trackThreshold: 1.5, initialCount: 1, solver: "lobpcg", tolerance: 1e-10 },
  } as const;
  const settings = { substeps: 4, criticalThreshold: 1.95, frequencyInSubsteps: false };
  const processes: readonly Process[] = [new DiscreteProcess(setup), new CentralProcess(setup, settings)];
  let rows = 0;
  for (const { step, discrete, central } of centralFlow(problem).steps(80)) {
    expect(step).toBe(rows++);
    for (const process of processes) process.prepare();
    [discrete, central].forEach(({ weights, loss, effectiveSharpness }, i) => {
      const { observation } = processes[i];
      expect(weights).toEqual(observation?.weights);
      expect(loss).toBe(observation?.loss);
      expect(effectiveSharpness).toBe(observation?.pairs?.values[0]);
    });
    for (const process of processes) process.advance();
  }
  expect(rows).toBe(80);
});

test("at the edge the flow is held there and predicts more than its own loss", () => {
  const [row] = [...centralFlow(problem).steps(80)].slice(-1);
  expect(Math.abs(row.central.effectiveSharpness - 2)).toBeLessThan(1e-6);
  expect(row.central.hessianEigenvalues[0]).toBeCloseTo(8, 6);
  expect(row.central.variances[0]).toBeGreaterThan(0);
  expect(row.central.predictedLoss).toBeCloseTo(row.central.loss + row.central.variances[0], 12);
  expect(row.discrete.predictedLoss).toBe(row.discrete.loss);
  expect(row.central.gradientNorm).toBeGreaterThan(0);
});

test("a network takes the same steps as the command line", () => {
  const data = loadDataset("moons", { n: 30 });
  const model = createModel("mlp", data, { width: 4 });
  const flow = centralFlow({
    ...supervisedLoss(model, data.criterion, data.train),
    weights: model.initialWeights(new Random(0, "initial weights")),
    optimizer: rmsProp({ lr: 0.02, beta2: 0.95 }),
    processes: ["discrete", "central", "stable"],
    warmStart: 5,
  });
  const words = "opt:rmsprop --opt.lr 0.02 --opt.beta2 0.95 data:moons --data.n 30 arch:mlp";
  const { config } = parseRun(`${words} --arch.width 4 --eig.frequency 1 --warm-start 5`.split(" "));
  const { simulation, dispose } = buildRun(config, {});
  for (const { step, discrete, central, stable } of flow.steps(6)) {
    const quantities = simulation.step();
    expect(step).toBeGreaterThanOrEqual(5);
    expect(discrete.loss).toBe(quantities["discrete/train_loss"]);
    expect(central.predictedLoss).toBe(quantities["central/predicted_loss"]);
    expect(stable.loss).toBe(quantities["stable/train_loss"]);
  }
  expect(flow.step).toBe(11);
  dispose();
});

test("weights in a row or by name are the same, and named gives them back", () => {
  const flow = centralFlow({ ...problem, weights: [0.03, 7.99] });
  const [row] = flow.steps(1);
  const [named] = centralFlow(problem).steps(1);
  expect(row).toEqual(named);
  expect(flow.named(row.central.weights)).toEqual({ x: Float64Array.of(0.03), y: Float64Array.of(7.99) });
});

describe("stopping", () => {
  test("a loop that is broken off goes on where it was, to the same rows", () => {
    const whole = [...centralFlow(problem).steps(20)];
    const flow = centralFlow(problem);
    const parts: unknown[] = [];
    for (const row of flow.steps(20)) {
      parts.push(row);
      if (parts.length === 7) break;
    }
    expect([...parts, ...flow.steps(13)]).toEqual(whole);
  });

  test("shouldStop ends the loop within a step, which is then taken whole", () => {
    const whole = [...centralFlow(problem).steps(20)];
    const flow = centralFlow(problem);
    let asked = 0;
    const rows = [...flow.steps({ count: 20, shouldStop: () => ++asked > 300 })];
    expect(rows.length).toBeGreaterThan(0);
    expect(rows.length).toBeLessThan(20);
    expect([...rows, ...flow.steps(20 - rows.length)]).toEqual(whole);
  });

  test("for await lets timers run, and throws the reason of an abort", async () => {
    const flow = centralFlow(problem);
    const controller = new AbortController();
    const reason = new Error("enough");
    setTimeout(() => controller.abort(reason), 30);
    let rows = 0;
    const loop = async (): Promise<void> => {
      for await (const { step } of flow.steps({ count: Number.POSITIVE_INFINITY, signal: controller.signal }))
        expect(step).toBe(rows++);
    };
    await expect(loop()).rejects.toBe(reason);
    expect(rows).toBeGreaterThan(0);
    expect(() => [...flow.steps({ signal: controller.signal })]).toThrow(reason);
  });
});

test("a process that fails ends the rows, and its status says why", () => {
  const flow = centralFlow({
    ...problem,
    weights: { x: 5, y: 40 },
    optimizer: gradientDescent({ lr: 0.25 }),
  });
  const rows = [...flow.steps(500)];
  expect(rows.length).toBeLessThan(500);
  expect(flow.statuses.discrete.kind).toBe("failed");
  expect(rows.every(({ discrete }) => Number.isFinite(discrete.loss))).toBe(true);
  expect([...flow.steps(3)]).toEqual([]);
});

test.each<[string, object, RegExp]>([
  ["a misspelt option", { optimiser: 1 }, /centralFlow: expected options among .*optimizer.*got optimiser/],
  ["an optimizer not called", { optimizer: gradientDescent }, /optimizer: expected an update rule.*lr: 0\.3/],
  ["too few weights", { weights: [1] }, /weights: expected 2 numbers, got 1/],
  ["a weight missing", { weights: { x: 1 } }, /weights\.y: expected 1 numbers, got none/],
  ["a weight too many", { weights: { x: 1, y: 2, z: 3 } }, /weights: expected the parameters x, y, got z/],
  ["weights of no number", { weights: [Number.NaN, 1] }, /expected a finite loss, gradient and Hessian/],
  ["an unknown process", { processes: ["centre"] }, /processes: expected some of discrete, .*got centre/],
  ["no process", { processes: [] }, /processes: .*got none/],
  ["no eigenvalues", { eigen: { frequency: -1 } }, /eigen\.frequency: expected a whole number ≥ 1, got -1/],
  ["half a step", { warmStart: 0.5 }, /warmStart: expected a whole number ≥ 0/],
])("%s is refused in words", (_, wrong, message) => {
  expect(() => centralFlow({ ...problem, ...wrong } as CentralFlowOptions & typeof problem)).toThrow(message);
});

test("a count that is none is refused", () => {
  expect(() => centralFlow(problem).steps(1.5)).toThrow(
    /steps: expected a whole number, or Infinity, got 1\.5/,
  );
});
