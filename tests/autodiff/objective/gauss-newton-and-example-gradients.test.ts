import { describe, expect, test } from "vitest";
import {
  add,
  compile,
  type ExampleLoss,
  grad,
  jvp,
  type LossDefinition,
  logSumExp,
  matmul,
  multiply,
  Objective,
  reshape,
  sizeOf,
  slice,
  square,
  subtract,
  sum,
  type Tensor,
  take,
  tanh,
} from "../../../src/autodiff/index.ts";
import { EPS, isMisuse, Random, Stopped } from "../../../src/base/index.ts";
import { createModel, supervisedLoss } from "../../../src/models/index.ts";
import { SEED } from "../registry.ts";

const N = 7;
const K = 3;
const normals = (size: number, stream: string): Float64Array =>
  new Random(SEED, stream).fillNormal(new Float64Array(size));

/** A small network with a softmax over three classes; the weight of a row is its own. */
const network: ExampleLoss = {
  parameters: { a: [2, 4], b: [4, 3] },
  examples: {
    x: { data: normals(N * 2, "x"), shape: [2] },
    y: { data: normals(N * 3, "y"), shape: [3] },
  },
  outputs: ({ a, b }, { x }) => matmul(tanh(matmul(x, a)), b),
  criterion: (f, { y }) => subtract(logSumExp(f), sum(multiply(f, y), { axes: [1] })),
  rowWeights: Float64Array.from({ length: N }, (_, i) => (i === 2 ? 0 : (i + 1) / 30)),
};

/** Sequences whose criterion sees the outputs through a reshape, which simplification sees through. */
function sequences(): LossDefinition {
  const model = createModel(
    "transformer",
    { inputShape: [3], outputDim: 4, vocabulary: 4 },
    { layers: 1, dModel: 4, nhead: 2 },
  );
  return supervisedLoss(model, "ce", {
    inputs: Float64Array.from({ length: 3 * N }, (_, i) => (i * i) % 4),
    shape: [3],
    labels: Float64Array.from({ length: 3 * N }, (_, i) => (i % 5 === 0 ? -1 : (3 * i) % 4)),
    labelShape: [3],
  });
}

const dot = (x: Float64Array, y: Float64Array): number =>
  x.reduce((total, entry, i) => total + entry * y[i], 0);
const norm = (x: Float64Array): number => Math.sqrt(dot(x, x));
const gap = (x: Float64Array, y: Float64Array): number => norm(x.map((entry, i) => entry - y[i])) / norm(y);

/** What the transforms give for a loss written out: outputs of the flat weights, and the weighed criterion of outputs. */
function plainly(definition: ExampleLoss) {
  const shapes = Object.entries(definition.parameters);
  const p = shapes.reduce((total, [, shape]) => total + sizeOf(shape), 0);
  const batchShapes = Object.fromEntries(
    Object.entries(definition.examples).map(([name, { data, shape }]) => [
      name,
      [data.length / sizeOf(shape), ...shape],
    ]),
  );
  const batch = Object.fromEntries(
    Object.entries(definition.examples).map(([name, { data }]) => [name, data]),
  );
  const outputs = (w: Tensor, arrays: Record<string, Tensor>): Tensor => {
    let offset = 0;
    const parameters = Object.fromEntries(
      shapes.map(([name, shape]) => {
        const part = reshape(slice(w, [offset], [sizeOf(shape)]), shape);
        offset += sizeOf(shape);
        return [name, part];
      }),
    );
    return definition.outputs(parameters, arrays);
  };
  const { rowWeights } = definition;
  const weighed = (f: Tensor, arrays: Record<string, Tensor>): Tensor => {
    const rows = reshape(definition.criterion(f, arrays), [-1]);
    return Array.from({ length: rows.shape[0] }, (_, i) =>
      multiply(take(rows, 0, i), rowWeights?.[i] ?? 1 / rows.shape[0]),
    ).reduce(add);
  };
  return { p, batchShapes, batch, outputs, weighed };
}

describe.each<[string, () => ExampleLoss]>([
  ["a network", () => network],
  ["sequences with masked rows", () => sequences() as ExampleLoss],
])("%s", (_, definitionOf) => {
  const definition = definitionOf();
  const { p, batchShapes, batch, outputs, weighed } = plainly(definition);
  const w = normals(p, "weights").map((entry) => 0.4 * entry);
  const vectors = normals(K * p, "vectors");

  test.each([1, 3, N])("Gauss–Newton products are JᵀHJ of the transforms, in chunks of %i", (chunk) => {
    const objective = new Objective(definition, { chunk });
    const products = new Float64Array(K * p);
    objective.setWeights(w);
    objective.gaussNewton(vectors, products, K);
    const run = compile(
      (x: Tensor, v: Tensor, arrays: Record<string, Tensor>) => {
        const f = (point: Tensor): Tensor => outputs(point, arrays);
        const [value, tangent] = jvp<Tensor, [], Tensor>(f)(x, v);
        const slope = grad<Tensor, [Record<string, Tensor>]>(weighed);
        const [, curved] = jvp<Tensor, [], Tensor>((at: Tensor) => slope(at, arrays))(value, tangent);
        return grad<Tensor, []>((point: Tensor) => sum(multiply(f(point), curved)))(x);
      },
      [[p], [p], batchShapes],
    );
    for (let k = 0; k < K; k++) {
      const v = vectors.slice(k * p, (k + 1) * p);
      const product = products.slice(k * p, (k + 1) * p);
      expect(gap(product, run(w, v, batch))).toBeLessThan(1e-12);
      expect(dot(v, product)).toBeGreaterThan(0);
    }
  });

  test("the gradients of examples sum to the gradient, and each is that of its own example", () => {
    const objective = new Objective(definition, { chunk: 3 });
    objective.setWeights(w);
    const gradients = new Float64Array(N * p);
    objective.exampleGradients(0, N, gradients);
    const total = new Float64Array(p);
    for (let i = 0; i < N; i++) for (let l = 0; l < p; l++) total[l] += gradients[i * p + l];
    expect(gap(total, objective.gradient())).toBeLessThan(1e-13);
    const rows = (definition.rowWeights as Float64Array).length / N;
    for (const i of [0, 2, N - 1]) {
      // The loss of one example alone, by weights that are 0 for all others.
      const rowWeights = (definition.rowWeights as Float64Array).map((weight, row) =>
        Math.floor(row / rows) === i ? weight : 0,
      );
      const own = gradients.slice(i * p, (i + 1) * p);
      if (rowWeights.every((weight) => weight === 0)) {
        expect(own).toEqual(new Float64Array(p));
        continue;
      }
      const alone = new Objective({ ...definition, rowWeights }, { chunk: N });
      alone.setWeights(w);
      expect(gap(own, alone.gradient())).toBeLessThan(1e-13);
    }
    const some = new Float64Array(2 * p);
    objective.exampleGradients(4, 2, some);
    expect(some).toEqual(gradients.slice(4 * p, 6 * p));
  });
});

test("for a squared error without curvature of its outputs, Gauss–Newton is the Hessian", () => {
  const linear = new Objective({
    parameters: { a: [2, 3] },
    examples: network.examples,
    outputs: ({ a }, { x }) => matmul(x, a),
    criterion: (f, { y }) => sum(square(subtract(f, y)), { axes: [1] }),
  });
  const [products, hessian] = [new Float64Array(6), new Float64Array(6)];
  const v = normals(6, "v");
  linear.setWeights(normals(6, "w"));
  linear.gaussNewton(v, products, 1);
  linear.hvp(v, hessian, 1);
  expect(gap(products, hessian)).toBeLessThan(16 * EPS);
});

test("they follow the weights, do not change what else is asked for, and can be asked to stop", () => {
  const objective = new Objective(network, { chunk: 3 });
  const p = objective.dimension;
  const fresh = new Objective(network, { chunk: 3 });
  const v = normals(p, "v");
  const [product, again] = [new Float64Array(p), new Float64Array(p)];
  objective.setWeights(normals(p, "first"));
  objective.gaussNewton(v, product, 1);
  objective.setWeights(normals(p, "second"));
  objective.gaussNewton(v, product, 1);
  fresh.setWeights(normals(p, "second"));
  fresh.gaussNewton(v, again, 1);
  expect(product).toEqual(again);
  expect(objective.gradient()).toEqual(fresh.gradient());
  objective.shouldStop = () => true;
  expect(() => objective.gaussNewton(v, product, 1)).toThrow(Stopped);
  expect(() => objective.exampleGradients(0, N, new Float64Array(N * p))).toThrow(Stopped);
  objective.shouldStop = undefined;
  objective.gaussNewton(v, product, 1);
  expect(product).toEqual(again);
});

test("arrays that change after construction change nothing, later evaluations among them", () => {
  const data = normals(N * 2, "x");
  const definition = { ...network, examples: { ...network.examples, x: { data, shape: [2] } } };
  const [objective, expected] = [definition, network].map((loss) => new Objective(loss));
  data.fill(9);
  const p = objective.dimension;
  const [found, wanted] = [objective, expected].map((each) => {
    const gradients = new Float64Array(N * p);
    each.setWeights(normals(p, "w"));
    each.exampleGradients(0, N, gradients);
    return gradients;
  });
  expect(found).toEqual(wanted);
});

test("misuse is refused with a sentence", () => {
  const bare = new Objective({ parameters: { a: [2] }, loss: ({ a }) => sum(a) });
  const given = new Objective(network);
  const p = given.dimension;
  for (const [misuse, message] of [
    [
      () => bare.gaussNewton(new Float64Array(2), new Float64Array(2), 1),
      /^gaussNewton: .*loss over examples/,
    ],
    [() => bare.exampleGradients(0, 1, new Float64Array(2)), /^exampleGradients: .*examples among 0/],
    [
      () => given.exampleGradients(N - 1, 2, new Float64Array(2 * p)),
      /^exampleGradients: .*among 7.*2 from 6 on/,
    ],
    [() => given.exampleGradients(0, 2, new Float64Array(p)), /^exampleGradients: .*room for/],
    [() => given.gaussNewton(new Float64Array(p), new Float64Array(1), 1), /^gaussNewton: .*room for/],
  ] as const) {
    let error: unknown;
    try {
      misuse();
    } catch (thrown) {
      error = thrown;
    }
    expect((error as Error).message).toMatch(message);
    expect(isMisuse(error)).toBe(true);
  }
});
