import { integer, Random, seed } from "../../base/index.ts";
import { checkSize, type Examples } from "../dataset.ts";
import { criterion, dataset, examples, oneOfEach, testExamples } from "../definition.ts";

/** The reference asks for 5 informative features; the rest are make_classification's defaults. */
const INFORMATIVE = 5;
const REDUNDANT = 2;
const CLUSTERS_PER_CLASS = 2;
const FLIPPED = 0.01;
const VERTICES = 2 ** INFORMATIVE;

/**
 * Draws n examples in `classes` classes (I. Guyon, "Design of experiments for the NIPS 2003 variable selection
 * benchmark", 2003, as scikit-learn's make_classification does it, on our own random numbers).
 *
 * Each class has two clusters, at distinct vertices of the cube {−1, 1}⁵; cluster k belongs to class k mod classes. A
 * cluster's examples are standard normal vectors times a random matrix of its own with entries uniform on [−1, 1),
 * plus the vertex. Two more features are random combinations of these five, the others standard normal noise.
 * One label in a hundred is drawn anew. Examples and features come in random order.
 *
 * @param n number of examples; as equal numbers per cluster as possible, before the hundredth is drawn anew
 * @param features number of features, at least 7
 */
export function drawClassification(n: number, features: number, classes: number, random: Random): Examples {
  const clusters = CLUSTERS_PER_CLASS * classes;
  const vertices = random.permutation(VERTICES).slice(0, clusters);
  const transforms = vertices.map(() => uniformMatrix(INFORMATIVE * INFORMATIVE, random));
  const combination = uniformMatrix(INFORMATIVE * REDUNDANT, random);
  const featureOrder = random.permutation(features);
  const inputs = new Float64Array(n * features);
  const labels = new Float64Array(n);
  const normals = new Float64Array(INFORMATIVE);
  const example = new Float64Array(features);
  random.permutation(n).forEach((place, i) => {
    const cluster = i % clusters;
    random.fillNormal(example);
    normals.set(example.subarray(0, INFORMATIVE));
    for (let j = 0; j < INFORMATIVE; j++) {
      const vertex = (vertices[cluster] >> j) & 1 ? 1 : -1;
      example[j] = vertex + columnDot(normals, transforms[cluster], j, INFORMATIVE);
    }
    for (let j = 0; j < REDUNDANT; j++)
      example[INFORMATIVE + j] = columnDot(example, combination, j, REDUNDANT);
    featureOrder.forEach((feature, j) => {
      inputs[place * features + j] = example[feature];
    });
    labels[place] = random.uniform() < FLIPPED ? random.integer(classes) : cluster % classes;
  });
  return { inputs, shape: [features], labels, labelShape: [], n };
}

/** Entries uniform on [−1, 1). */
function uniformMatrix(size: number, random: Random): Float64Array {
  return Float64Array.from({ length: size }, () => 2 * random.uniform() - 1);
}

/** Product of the first five entries of a vector with column j of a 5 × `columns` matrix. */
function columnDot(vector: Float64Array, matrix: Float64Array, j: number, columns: number): number {
  let sum = 0;
  for (let i = 0; i < INFORMATIVE; i++) sum += vector[i] * matrix[i * columns + j];
  return sum;
}

/** Examples first, …, first + n − 1. */
function part(all: Examples, first: number, n: number): Examples {
  const features = all.shape[0];
  return {
    ...all,
    inputs: all.inputs.slice(first * features, (first + n) * features),
    labels: all.labels.slice(first, first + n),
    n,
  };
}

/**
 * A synthetic classification problem with one output per class, under squared error or cross-entropy. Training and test examples
 * are one draw, split; see {@link drawClassification}.
 */
export const classification = dataset({
  name: "classification",
  className: "Classification",
  gives: "points",
  help: "Gaussian clusters",
  settings: {
    criterion: { ...criterion, default: "mse", younger: true },
    n: { ...examples, default: 100 },
    nTest: testExamples(100),
    classes: {
      kind: integer({ min: 2, max: VERTICES / CLUSTERS_PER_CLASS }),
      default: 2,
      help: "number of classes",
    },
    nFeatures: { kind: integer({ min: INFORMATIVE + REDUNDANT }), default: 20, help: "dimension of a point" },
    seed: { kind: seed, default: 0, help: "seed of the points" },
  },
  check: ({ n, classes }) => oneOfEach(n, classes),
  make({ criterion, n, nTest, classes, nFeatures, seed }, _readFile, operation) {
    checkSize(operation, n + nTest, [nFeatures]);
    const all = drawClassification(n + nTest, nFeatures, classes, new Random(seed, "classification"));
    return {
      train: part(all, 0, n),
      test: nTest > 0 ? part(all, n, nTest) : undefined,
      inputKind: "real",
      outputDim: classes,
      criterion,
    };
  },
});
