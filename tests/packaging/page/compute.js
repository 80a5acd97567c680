// Runs from a built package's folder, next to autodiff/ and the others: in a page and in Node, unchanged.
import { compile, hvp, multiply, Objective, square, sum } from "../autodiff/index.js";
import { Random } from "../base/index.js";
import { CentralProcess, compileRule, gradientDescent, warmStart } from "../flows/index.js";
import { lanczos, nnls } from "../linalg/index.js";
import { createModel, supervisedLoss } from "../models/index.js";

const EXAMPLES = 40;
const CLASSES = 3;
const shape = [2, 3];

/** A bit of everything: named lists of numbers, the same wherever the engine runs. */
export function compute() {
  const random = new Random(7, "engine in a page");
  const model = createModel(
    "mlp",
    { inputShape: shape, outputDim: CLASSES },
    { width: 8, activation: "tanh" },
  );
  const examples = {
    inputs: random.fillNormal(new Float64Array(EXAMPLES * 6)),
    shape,
    labels: Float64Array.from({ length: EXAMPLES }, () => random.integer(CLASSES)),
    labelShape: [],
  };
  const objective = new Objective(supervisedLoss(model, "ce", examples), { chunk: 16 });
  const p = objective.dimension;
  const weights = model.initialWeights(random);
  const slow = compileRule(gradientDescent({ lr: 0.5 }), p);
  warmStart(objective, slow, weights, slow.rule.initialState(p), 100);
  const vectors = random.fillNormal(new Float64Array(2 * p));
  const products = new Float64Array(2 * p);
  const third = new Float64Array(3 * p);
  objective.setWeights(weights);
  objective.hvp(vectors, products, 2);
  objective.thirdDerivatives(vectors, 2, third);
  const derivatives = {
    loss: [objective.loss()],
    gradient: [...objective.gradient()],
    products: [...products],
    third: [...third],
  };

  const apply = (input, output, count) => objective.hvp(input, output, count);
  const sharpness = lanczos(p, apply, { largest: 1, random }).value.values[0];
  return {
    ...derivatives,
    sharpness: [sharpness],
    traced: quartic(),
    nonnegative: [...nnls(Float64Array.of(1, 2, 3, 4, 5, 7), Float64Array.of(1, -1, 2), 3, 2).value.x],
    ...centralSteps(objective, weights, 2 / sharpness),
  };
}

/** Numbers as text that gives back every bit: JSON keeps all but the sign of zero. */
export function exactly(numbers) {
  return JSON.stringify(numbers, (_, value) => (Object.is(value, -0) ? "-0" : value));
}

/** The Hessian of Σx⁴/12 along v, Σ x²v, by the traced transforms. */
function quartic() {
  const f = (x) => multiply(sum(square(square(x))), 1 / 12);
  return [...compile(hvp(f), [[3], [3]])(Float64Array.of(1, 2, 3), Float64Array.of(0.1, 0.2, 0.3))];
}

/** Three steps of the central flow from the edge of stability, where the network grows sharper by itself. */
function centralSteps(objective, weights, lr) {
  const rule = compileRule(gradientDescent({ lr }), objective.dimension);
  const eigen = { frequency: 1, trackThreshold: 1.5, initialCount: 3, solver: "lobpcg", tolerance: 1e-9 };
  const state = rule.rule.initialState(rule.dimension);
  const setup = { objective, rule, weights, state, eigen, rawEigenvalues: false, seed: 1 };
  const flow = new CentralProcess(setup, { substeps: 2, criticalThreshold: 1.95, frequencyInSubsteps: true });
  const critical = [];
  const path = [];
  for (let step = 0; step < 3; step++) {
    flow.prepare();
    if (flow.status.kind !== "running") throw new Error(flow.status.ending.code);
    critical.push(flow.observation.critical);
    path.push(flow.observation.loss, ...flow.observation.weights);
    flow.advance();
  }
  return { critical, path };
}
