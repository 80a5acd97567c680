import {
  add,
  type ExampleLoss,
  matmul,
  Objective,
  square,
  subtract,
  sum,
  tanh,
} from "../../autodiff/index.ts";
import { Random, type ShouldStop, throwIfStopped } from "../../base/index.ts";
import { symmetricEigen } from "../../linalg/index.ts";
import { type Belief, corrected, dot, form, improvingStep, predicted } from "./filter.ts";

const WIDTH = 8;
const EXAMPLES = 64;
const BATCH = 16;
/** The longest step, in the length of all weights together: the first ones, of about 3, are then kept in reach. */
const LONGEST = 0.3;
/** Of the mean variance of the gradient's entries, added to all of Σ: a batch has fewer examples than there are weights. */
const FLOOR = 1e-3;
/** Half the distance over which products of single examples are differences of gradients. */
const APART = 1e-4;

/** A regression of a cubic by two hidden layers of eight tanh units: 97 weights. */
function regression(): ExampleLoss {
  const x = Float64Array.from({ length: EXAMPLES }, (_, i) => -1 + (2 * i) / (EXAMPLES - 1));
  return {
    parameters: {
      first: [1, WIDTH],
      firstBias: [WIDTH],
      second: [WIDTH, WIDTH],
      secondBias: [WIDTH],
      last: [WIDTH, 1],
      lastBias: [1],
    },
    examples: {
      x: { data: x, shape: [1] },
      y: { data: x.map((each) => 4 * each * each * each - 3 * each), shape: [1] },
    },
    outputs: (w, { x }) => {
      const hidden = tanh(add(matmul(x, w.first), w.firstBias));
      const deep = tanh(add(matmul(hidden, w.second), w.secondBias));
      return add(matmul(deep, w.last), w.lastBias);
    },
    criterion: (f, { y }) => sum(square(subtract(f, y)), { axes: [1] }),
  };
}

/** How a run went, told every so many steps. */
export interface NetworkRun {
  readonly steps: readonly number[];
  /** the loss of all examples */
  readonly loss: readonly number[];
  /** the largest eigenvalue of the Hessian of that loss */
  readonly sharpness: readonly number[];
  /** the step over the length of the direction: what gradient descent calls the learning rate */
  readonly rate: readonly number[];
  /** steps that were cut to the longest, and those of them whose direction had negative curvature */
  readonly cut: number;
  readonly negative: number;
}

/**
 * Trains the network on seeded batches, by gradient descent with a constant rate or, without one, by the filter: the direction
 * −m, and the step that makes an improvement most probable. Σ and Q are covariances over the batch of gradients and of products
 * with the last step, B is the batch's Hessian, all of the same batch.
 *
 * @param every how often the state is told
 */
export function trainNetwork(
  seed: number,
  rate: number | undefined,
  steps: number,
  every: number,
  shouldStop: ShouldStop,
): NetworkRun {
  const definition = regression();
  const whole = new Objective(definition);
  const objective = new Objective(definition, { batch: BATCH });
  const p = objective.dimension;
  const random = new Random(seed, "self-tuning network");
  let w = random.fillNormal(new Float64Array(p)).map((entry) => entry / Math.sqrt(WIDTH));
  const told = {
    steps: [] as number[],
    loss: [] as number[],
    sharpness: [] as number[],
    rate: [] as number[],
  };
  let [cut, negative] = [0, 0];
  let belief: Belief | undefined;
  let step: Float64Array | undefined;
  for (let t = 0; t <= steps; t++) {
    throwIfStopped("trainNetwork", shouldStop);
    let used = rate ?? Number.NaN;
    const batch = random.permutation(EXAMPLES).slice(0, BATCH);
    objective.choose(batch);
    objective.setWeights(w);
    let next = w;
    if (rate !== undefined) {
      const gradient = objective.gradient();
      next = w.map((entry, i) => entry - rate * gradient[i]);
    } else {
      const rows = exampleRows(objective);
      const noise = covarianceOf(rows, p, FLOOR);
      if (belief && step) {
        const moved = new Float64Array(p);
        objective.hvp(step, moved, 1);
        belief = predicted(belief, moved, covarianceOf(exampleProducts(objective, w, step), p, 0));
      }
      const gradient = objective.gradient().slice();
      belief = (belief && corrected(belief, gradient, noise)) ?? { mean: gradient, covariance: noise };
      const { mean, covariance } = belief;
      const size = Math.sqrt(dot(mean, mean));
      const direction = mean.map((entry) => -entry / size);
      const products = exampleProducts(objective, w, direction);
      const curvatures = Float64Array.from({ length: BATCH }, (_, i) =>
        dot(direction, products.subarray(i * p, (i + 1) * p)),
      );
      const bent = new Float64Array(p);
      objective.setWeights(w);
      objective.hvp(direction, bent, 1);
      const outlook = {
        a: size,
        b: dot(direction, bent),
        c0: 2 * varianceOfMean(exampleLosses(objective, definition, batch)),
        c1: form(direction, covariance, direction),
        c2: varianceOfMean(curvatures) / 4,
      };
      const alpha = improvingStep(outlook, LONGEST);
      if (alpha === LONGEST) {
        cut++;
        if (outlook.b < 0) negative++;
      }
      used = alpha / size;
      step = direction.map((entry) => alpha * entry);
      next = w.map((entry, i) => entry + (step?.[i] ?? 0));
    }
    if (t % every === 0) {
      whole.setWeights(w);
      told.steps.push(t);
      told.loss.push(whole.loss());
      told.sharpness.push(sharpnessOf(whole));
      told.rate.push(used);
    }
    w = next;
  }
  return { ...told, cut, negative };
}

/** The gradients of a batch's examples, each as if it were alone. */
function exampleRows(objective: Objective): Float64Array {
  const rows = new Float64Array(BATCH * objective.dimension);
  objective.exampleGradients(0, BATCH, rows);
  return rows.map((entry) => entry * BATCH);
}

/** Their products with a vector, by central differences of their gradients. Leaves the weights elsewhere. */
function exampleProducts(objective: Objective, w: Float64Array, vector: Float64Array): Float64Array {
  const distance = APART / Math.sqrt(dot(vector, vector));
  const at = (side: number) => {
    objective.setWeights(w.map((entry, i) => entry + side * distance * vector[i]));
    return exampleRows(objective);
  };
  const [plus, minus] = [at(1), at(-1)];
  objective.setWeights(w);
  return plus.map((entry, i) => (entry - minus[i]) / (2 * distance));
}

/** The covariance of the mean of a batch's rows, plus a floor relative to its mean diagonal entry. */
function covarianceOf(rows: Float64Array, p: number, floor: number): Float64Array {
  const mean = new Float64Array(p);
  for (let i = 0; i < BATCH; i++) for (let k = 0; k < p; k++) mean[k] += rows[i * p + k] / BATCH;
  const covariance = new Float64Array(p * p);
  for (let i = 0; i < BATCH; i++)
    for (let k = 0; k < p; k++) {
      const away = (rows[i * p + k] - mean[k]) / (BATCH * (BATCH - 1));
      for (let l = 0; l < p; l++) covariance[k * p + l] += away * (rows[i * p + l] - mean[l]);
    }
  let trace = 0;
  for (let k = 0; k < p; k++) trace += covariance[k * (p + 1)];
  for (let k = 0; k < p; k++) covariance[k * (p + 1)] += (floor * trace) / p;
  return covariance;
}

/** The variance of the mean of a batch's numbers. */
function varianceOfMean(values: Float64Array): number {
  const mean = values.reduce((sum, each) => sum + each / values.length, 0);
  return values.reduce((sum, each) => sum + (each - mean) ** 2, 0) / (values.length * (values.length - 1));
}

/** The losses of a batch's examples, from its outputs. */
function exampleLosses(
  objective: Objective,
  { examples }: ExampleLoss,
  batch: readonly number[],
): Float64Array {
  const outputs = objective.outputs();
  return Float64Array.from(batch, (example, i) => (outputs[i] - examples.y.data[example]) ** 2);
}

/** The largest eigenvalue of the Hessian, from all its columns. */
function sharpnessOf(whole: Objective): number {
  const p = whole.dimension;
  const unit = new Float64Array(p * p);
  for (let i = 0; i < p; i++) unit[i * (p + 1)] = 1;
  const hessian = new Float64Array(p * p);
  whole.hvp(unit, hessian, p);
  const { values } = symmetricEigen(hessian, p);
  return Math.max(...values);
}
