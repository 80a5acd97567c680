import { type LossDefinition, type Shape, sizeOf } from "../src/autodiff/index.ts";
import { Random } from "../src/base/index.ts";
import {
  type ArchitectureName,
  createModel,
  type LabelledExamples,
  type ModelShape,
  supervisedLoss,
} from "../src/models/index.ts";

/** Directions of the joint evaluation. */
export const DIRECTIONS = 3;

/** What a problem is, in words and numbers that a peer in another language can read. */
export interface ProblemDescription {
  readonly name: string;
  readonly architecture: ArchitectureName;
  readonly options: Readonly<Record<string, string | number>>;
  readonly shape: ModelShape;
  readonly n: number;
}

export interface Problem extends ProblemDescription {
  readonly loss: LossDefinition;
  readonly examples: LabelledExamples;
  readonly parameters: Readonly<Record<string, Shape>>;
  /** p weights, drawn as the architecture draws them. */
  readonly weights: Float64Array;
  /** DIRECTIONS random directions of unit length, one after another. */
  readonly vectors: Float64Array;
}

const image: ModelShape = { inputShape: [1, 8, 8], outputDim: 4 };
// Four tokens to sort and their answer, as the data set "sorting" has them.
const sequence: ModelShape = { inputShape: [7], outputDim: 4, vocabulary: 4 };
const vitOptions = { dim: 8, depth: 1, mlpDim: 16, numHeads: 1, initScale: 1 };

/** The sizes of cnn, vit and lstm are those of the presets that carry their names. All losses are squared errors. */
const PROBLEMS: readonly ProblemDescription[] = [
  perceptron("64-64-64-10", "tanh", 500),
  perceptron("64-32-32-4", "gelu", 200),
  perceptron("3072-256-256-4", "gelu", 1000),
  { name: "cnn", architecture: "cnn", options: { width: 8 }, shape: image, n: 64 },
  { name: "vit", architecture: "vit", options: vitOptions, shape: image, n: 64 },
  {
    name: "lstm",
    architecture: "lstm",
    options: { layers: 1, embdDim: 8, hiddenDim: 8 },
    shape: sequence,
    n: 64,
  },
];

export const PROBLEM_NAMES = PROBLEMS.map(({ name }) => name);

/** A multilayer perceptron by its widths, the two hidden ones alike. */
export function perceptron(widths: string, activation: string, n: number): ProblemDescription {
  const [features, width, , outputDim] = widths.split("-").map(Number);
  const shape = { inputShape: [features], outputDim };
  return { name: widths, architecture: "mlp", options: { activation, width }, shape, n };
}

/** Draws a problem: inputs and directions standard normal or tokens, labels and tokens uniform. */
export function draw(description: ProblemDescription): Problem {
  const { name, architecture, options, shape, n } = description;
  const random = new Random(1, name);
  const model = createModel(architecture, shape, options);
  const { vocabulary } = shape;
  const entries = n * sizeOf(shape.inputShape);
  const inputs =
    vocabulary === undefined
      ? random.fillNormal(new Float64Array(entries))
      : Float64Array.from({ length: entries }, () => random.integer(vocabulary));
  const labelShape = vocabulary === undefined ? [] : shape.inputShape;
  const labels = Float64Array.from({ length: n * sizeOf(labelShape) }, () => random.integer(shape.outputDim));
  const examples = { inputs, shape: shape.inputShape, labels, labelShape };
  const weights = model.initialWeights(random);
  const vectors = unitVectors(DIRECTIONS, weights.length, random);
  const loss = supervisedLoss(model, "mse", examples);
  return { ...description, loss, examples, parameters: model.parameters, weights, vectors };
}

/** One of the problems, by name. */
export const problem = (name: string): Problem => draw(PROBLEMS.find((known) => known.name === name)!);

/** Random directions of length 1, one after another. */
export function unitVectors(count: number, length: number, random: Random): Float64Array {
  const vectors = random.fillNormal(new Float64Array(count * length));
  for (let i = 0; i < count; i++) {
    const vector = vectors.subarray(i * length, (i + 1) * length);
    const norm = Math.sqrt(vector.reduce((total, x) => total + x * x, 0));
    for (let l = 0; l < length; l++) vector[l] /= norm;
  }
  return vectors;
}
