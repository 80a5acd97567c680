// Gradient descent and the stable flow on a quadratic, beside their closed forms.
// Run: npx tsx examples/quadratic.ts
import { array, multiply, Objective, square, sum } from "../src/autodiff/index.ts";
import { compileRule, DiscreteProcess, gradientDescent, StableProcess } from "../src/flows/index.ts";

const eigenvalues = Float64Array.of(1, 0.5, 0.1);
const start = Float64Array.of(1, -2, 3);
const lr = 0.4;
const steps = 20;

// L(w) = ½ Σ λ_i w_i², traced once; gradients and Hessian-vector products come from the engine.
const objective = new Objective({
  parameters: { w: [3] },
  loss: ({ w }) => multiply(sum(multiply(array(w, eigenvalues, [3]), square(w))), 0.5),
});

const rule = compileRule(gradientDescent({ lr }), 3);
const setup = {
  objective,
  rule,
  weights: start,
  state: rule.rule.initialState(3),
  eigen: { frequency: 1, trackThreshold: null, initialCount: 1, solver: "lobpcg", tolerance: 1e-12 },
  rawEigenvalues: false,
  seed: 0,
} as const;
const discrete = new DiscreteProcess(setup);
const flow = new StableProcess(setup, { minSubsteps: 400, maxSharpness: null });
for (let step = 0; step < steps; step++)
  for (const process of [discrete, flow]) {
    process.prepare();
    process.advance();
  }

/** The largest distance of a process' weights from their closed form after all steps. */
export function deviation(weights: Float64Array, factor: (lambda: number) => number): number {
  return Math.max(...weights.map((w, i) => Math.abs(w - start[i] * factor(eigenvalues[i]))));
}

export const discreteDeviation = deviation(discrete.snapshot().w, (lambda) => (1 - lr * lambda) ** steps);
export const flowDeviation = deviation(flow.snapshot().w, (lambda) => Math.exp(-lr * lambda * steps));
console.log(`gradient descent against (1 − ηλ)^t: ${discreteDeviation.toExponential(1)}`);
console.log(
  `gradient flow against e^(−ηλt):      ${flowDeviation.toExponential(1)} (Euler with 400 substeps)`,
);
