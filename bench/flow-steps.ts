import { Objective, STAGES, selectBackend } from "../src/autodiff/index.ts";
import { Random } from "../src/base/index.ts";
import { loadDataset } from "../src/data/index.ts";
import { CentralProcess, compileRule, gradientDescent, warmStart } from "../src/flows/index.ts";
import { createModel, supervisedLoss } from "../src/models/index.ts";
import { summary, type Times } from "./timing.ts";

/** A central flow of gradient descent on the digits with a gelu MLP: 64-width-width-10. */
export interface FlowCase {
  readonly examples: number;
  /** How often every example occurs: that changes the cost of a step, and nothing that the step finds. */
  readonly copies: number;
  readonly width: number;
  readonly learningRate: number;
  /** Steps of the optimizer itself before, which bring the weights to the edge of stability. */
  readonly warmStart: number;
}

/** Means over the measured steps. */
export interface FlowCost {
  readonly weights: number;
  readonly critical: number;
  readonly products: number;
  readonly times: Times;
}

/** Steps of the flow before the clock counts, and after. */
const SETTLING = 2;
const MEASURED = 4;

/** Measures a few steps of the flow near the edge of stability. */
export function flowCost({ examples, copies, width, learningRate, warmStart: steps }: FlowCase): FlowCost {
  const { train, outputDim, inputShape } = loadDataset("digits", { n: examples });
  const model = createModel("mlp", { inputShape, outputDim }, { width });
  const objectiveOf = (times: number): Objective => {
    const repeated = { ...train, inputs: repeat(train.inputs, times), labels: repeat(train.labels, times) };
    return new Objective(supervisedLoss(model, "mse", repeated), selectBackend("auto"));
  };
  const objective = objectiveOf(copies);
  const p = objective.dimension;
  const rule = compileRule(gradientDescent({ lr: learningRate }), p);
  const weights = model.initialWeights(new Random(1, "flow steps"));
  const state = rule.rule.initialState(p);
  warmStart(objectiveOf(1), rule, weights, state, steps);
  const eigen = {
    frequency: 1,
    trackThreshold: 1.5,
    initialCount: 1,
    solver: "lobpcg",
    tolerance: 1e-9,
  } as const;
  const settings = { substeps: 4, criticalThreshold: 1.95, frequencyInSubsteps: false };
  const process = new CentralProcess(
    { objective, rule, weights, state, eigen, rawEigenvalues: false, seed: 1 },
    settings,
  );
  const samples: number[] = [];
  let before = 0;
  let critical = 0;
  const products = (): number => objective.profile()[STAGES.direction].runs / objective.chunks;
  for (let step = 0; step < SETTLING + MEASURED; step++) {
    if (step === SETTLING) before = products();
    const start = performance.now();
    process.prepare();
    process.advance();
    if (step < SETTLING) continue;
    samples.push(performance.now() - start);
    critical += (process.observation?.critical ?? 0) / MEASURED;
  }
  if (process.status.kind !== "running") throw new Error(process.status.ending.code);
  return { weights: p, critical, products: (products() - before) / MEASURED, times: summary(samples) };
}

function repeat(values: Float64Array, times: number): Float64Array {
  const all = new Float64Array(values.length * times);
  for (let i = 0; i < times; i++) all.set(values, i * values.length);
  return all;
}
