// An optimizer of your own: about twenty lines, no derivative by hand, and the central flow follows it.
// This one is gradient descent whose step shrinks with an average of ‖∇L‖ ("norm-scaled descent").
// Run: npx tsx examples/own-optimizer.ts
import { add, divide, multiply, Objective, sqrt, square, subtract, sum } from "../src/autodiff/index.ts";
import {
  CentralProcess,
  compileRule,
  DiscreteProcess,
  MidpointProcess,
  type UpdateRule,
} from "../src/flows/index.ts";

const lr = 0.25;
const memory = 0.9;
const normScaledDescent: UpdateRule = {
  name: "norm-scaled descent",
  criticalValue: 2, // with the state at rest it is gradient descent with P = (1 + √q)/η
  timeScale: 1,
  state: () => ({ q: [] }),
  initialState: () => new Float64Array(1),
  update: ({ q }, gradient) => ({ q: add(q, multiply(subtract(sum(square(gradient)), q), 1 - memory)) }),
  preconditioner: ({ q }) => divide(add(1, sqrt(add(q, 1e-12))), lr),
  learningRate: ({ q }) => q.trace.constant(lr),
  summary: ({ q }) => ({ q: q[0] }),
};

// A loss whose sharpness grows until the optimizer oscillates: ½(y + 0.7x)x² − ε(x + y).
const objective = new Objective({
  parameters: { x: [], y: [] },
  loss: ({ x, y }) =>
    subtract(multiply(multiply(add(y, multiply(x, 0.7)), square(x)), 0.5), multiply(add(x, y), 1e-3)),
});

const rule = compileRule(normScaledDescent, 2);
const setup = {
  objective,
  rule,
  weights: Float64Array.of(0.03, 7.8),
  state: normScaledDescent.initialState(2),
  eigen: { frequency: 1, trackThreshold: null, initialCount: 1, solver: "lobpcg", tolerance: 1e-12 },
  rawEigenvalues: false,
  seed: 0,
} as const;
const discrete = new DiscreteProcess(setup);
const midpoint = new MidpointProcess(setup);
const central = new CentralProcess(setup, {
  substeps: 8,
  criticalThreshold: 1.95,
  frequencyInSubsteps: false,
});

let averageSharpness = 0;
const steps = 4000;
const counted = 2000;
for (let step = 0; step < steps; step++)
  for (const process of [discrete, midpoint, central]) {
    process.prepare();
    if (process === midpoint && step >= steps - counted)
      averageSharpness += (midpoint.observation?.pairs?.values[0] ?? Number.NaN) / counted;
    process.advance();
  }
export const flowSharpness = central.observation?.pairs?.values[0] ?? Number.NaN;
export const optimizerSharpness = averageSharpness;
export const status = central.status.kind;
console.log(
  `effective sharpness at the edge: optimizer ${optimizerSharpness.toFixed(3)} on average, flow ${flowSharpness.toFixed(3)}, edge 2`,
);
