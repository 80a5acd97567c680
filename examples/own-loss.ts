// A loss of your own: its gradient, a Hessian-vector product and a third derivative.
// Run: npx tsx examples/own-loss.ts
import { add, matmul, Objective, square, subtract, sum, tanh } from "../src/autodiff/index.ts";
import { Random } from "../src/base/index.ts";

const random = new Random(0);
const inputs = random.fillNormal(new Float64Array(50 * 3));
const targets = Float64Array.from({ length: 50 }, (_, i) => Math.sign(inputs[3 * i] * inputs[3 * i + 1]));

const objective = new Objective({
  parameters: { W1: [3, 8], b1: [8], W2: [8, 1] },
  examples: { x: { data: inputs, shape: [3] }, y: { data: targets, shape: [1] } },
  outputs: ({ W1, b1, W2 }, { x }) => matmul(tanh(add(matmul(x, W1), b1)), W2),
  criterion: (outputs, { y }) => sum(square(subtract(outputs, y)), { axes: [1] }),
});

const p = objective.dimension;
const w = random.fillNormal(new Float64Array(p)).map((x) => 0.3 * x);
const v = random.fillNormal(new Float64Array(p));
objective.setWeights(w);
const gradient = objective.gradient().slice();
const Hv = new Float64Array(p);
objective.hvp(v, Hv, 1);
const third = new Float64Array(p);
objective.thirdDerivatives(v, 1, third);

// Each against central differences of the level below it.
const h = 1e-4;
const shifted = (sign: number) => w.map((x, i) => x + sign * h * v[i]);
objective.setWeights(shifted(1));
const ahead = { gradient: objective.gradient().slice(), Hv: new Float64Array(p) };
objective.hvp(v, ahead.Hv, 1);
objective.setWeights(shifted(-1));
const behind = { gradient: objective.gradient().slice(), Hv: new Float64Array(p) };
objective.hvp(v, behind.Hv, 1);
const worst = (exact: Float64Array, a: Float64Array, b: Float64Array) =>
  Math.max(...exact.map((x, i) => Math.abs(x - (a[i] - b[i]) / (2 * h)))) / Math.max(...exact.map(Math.abs));

export const hvpError = worst(Hv, ahead.gradient, behind.gradient);
export const thirdError = worst(third, ahead.Hv, behind.Hv);
console.log(`‖∇L‖ = ${Math.hypot(...gradient).toPrecision(6)}`);
console.log(`Hv against differences of ∇L:        ${hvpError.toExponential(1)}`);
console.log(`D³L[v,v,·] against differences of Hv: ${thirdError.toExponential(1)}`);
