import { describe, expect, test } from "vitest";
import {
  add,
  type Backend,
  compile,
  type ExampleLoss,
  exp,
  grad,
  hvp,
  jsBackend,
  type LossDefinition,
  matmul,
  multiply,
  Objective,
  reshape,
  type Shape,
  STAGES,
  sigmoid,
  sin,
  sizeOf,
  slice,
  softplus,
  square,
  subtract,
  sum,
  tanh,
  thirdDirectional,
} from "../../../src/autodiff/index.ts";
import { EPS, pairIndex, Random } from "../../../src/base/index.ts";
import { absoluteDot, dot, SEED } from "../registry.ts";
import { wholeLoss } from "./whole-loss.ts";

const FEATURES = 3;
const WIDTH = 5;

const normals = (size: number, stream: string): Float64Array =>
  new Random(SEED, stream).fillNormal(new Float64Array(size));

/** The mean softened squared error of a network with L hidden layers. */
function network(hidden: number, rows: number): ExampleLoss {
  const lengths = [FEATURES, ...Array<number>(hidden).fill(WIDTH), 2];
  const parameters: Record<string, Shape> = {};
  for (let i = 0; i <= hidden; i++) {
    parameters[`w${i}`] = [lengths[i], lengths[i + 1]];
    parameters[`b${i}`] = [lengths[i + 1]];
  }
  return {
    parameters,
    examples: {
      x: { data: normals(rows * FEATURES, "x"), shape: [FEATURES] },
      y: { data: normals(rows * 2, "y"), shape: [2] },
    },
    outputs(p, { x }) {
      let h = x;
      for (let i = 0; i <= hidden; i++) {
        const z = add(matmul(h, p[`w${i}`]), p[`b${i}`]);
        h = i < hidden ? tanh(z) : z;
      }
      return h;
    },
    criterion: (outputs, { y }) => sum(softplus(square(subtract(outputs, y))), { axes: [1] }),
  };
}

/** A loss without examples whose derivatives of all orders are dense. */
const toy: LossDefinition = {
  parameters: { a: [3], m: [2, 2] },
  loss: ({ a, m }) => {
    const z = add(sum(multiply(sin(a), exp(multiply(a, 0.3)))), sum(matmul(m, tanh(m))));
    return add(square(z), sigmoid(sum(multiply(reshape(slice(m, [0, 0], [1, 2]), [2]), slice(a, [0], [2])))));
  },
};

const columns = (matrix: Float64Array, p: number, i: number): Float64Array =>
  matrix.slice(i * p, (i + 1) * p);
const norm = (v: Float64Array): number => Math.sqrt(dot(v, v));

/** Largest difference in units of the size of what is compared. */
function relative(a: Float64Array, b: Float64Array, scale = 0): number {
  return norm(a.map((value, i) => value - b[i])) / Math.max(norm(a), norm(b), scale, Number.MIN_VALUE);
}

interface Everything {
  readonly loss: number;
  readonly gradient: Float64Array;
  readonly outputs: Float64Array;
  readonly products: Float64Array;
  readonly rows: Float64Array;
}

const K = 3;

function everything(objective: Objective): Everything {
  const p = objective.dimension;
  const vectors = normals(K * p, "vectors");
  const products = new Float64Array(K * p).fill(Number.NaN);
  const rows = new Float64Array((K * (K + 1) * p) / 2).fill(Number.NaN);
  objective.setWeights(normals(p, "weights"));
  objective.thirdDerivatives(vectors, K, rows);
  objective.hvp(vectors, products, K);
  const loss = objective.loss();
  return {
    loss,
    gradient: objective.gradient().slice(),
    outputs: objective.outputs().slice(),
    products,
    rows,
  };
}

describe.each([
  ["a loss without examples", toy],
  ["a network", network(2, 11)],
])("%s", (_, definition) => {
  const examples = definition.examples ?? {};
  const rows = Object.values(examples).map(({ data, shape }) => data.length / sizeOf(shape))[0] ?? 0;
  const batchShapes = Object.fromEntries(
    Object.entries(examples).map(([name, { shape }]) => [name, [rows, ...shape]]),
  );
  const batch = Object.fromEntries(Object.entries(examples).map(([name, { data }]) => [name, data]));

  test("gradient, products and third derivatives are those of the functions compiled directly", () => {
    const objective = new Objective(definition, { chunk: 4 });
    const p = objective.dimension;
    const result = everything(objective);
    const f = wholeLoss(definition);
    const w = normals(p, "weights");
    const vectors = normals(K * p, "vectors");
    const gradient = compile(grad(f), [[p], batchShapes])(w, batch);
    expect(relative(result.gradient, gradient)).toBeLessThan(50 * EPS);
    expect(Math.abs(result.loss - compile(f, [[p], batchShapes])(w, batch)[0])).toBeLessThan(
      20 * EPS * Math.abs(result.loss),
    );
    const product = compile(hvp(f), [[p], [p], batchShapes]);
    const third = compile(thirdDirectional(f), [[p], [p], [p], batchShapes]);
    for (let i = 0; i < K; i++) {
      const u = columns(vectors, p, i);
      expect(relative(columns(result.products, p, i), product(w, u, batch))).toBeLessThan(100 * EPS);
      for (let j = i; j < K; j++) {
        // Polarisation subtracts D[u,u] and D[v,v], scaled alike, so their size is what roundoff is measured by.
        const v = columns(vectors, p, j);
        const scale =
          norm(u) *
          norm(v) *
          Math.max(norm(third(w, u, u, batch)) / dot(u, u), norm(third(w, v, v, batch)) / dot(v, v));
        const row = columns(result.rows, p, pairIndex(i, j, K));
        expect(relative(row, third(w, u, v, batch), scale)).toBeLessThan(200 * EPS);
      }
    }
  });

  test("gradient and products match differences", () => {
    const objective = new Objective(definition, { chunk: 4 });
    const p = objective.dimension;
    const w = normals(p, "weights");
    const v = normals(p, "direction").map((value) => 0.1 * value);
    const at = <T>(shift: number, read: () => T): T => {
      objective.setWeights(w.map((value, i) => value + shift * v[i]));
      return read();
    };
    const product = (): Float64Array => {
      const out = new Float64Array(p);
      objective.hvp(v, out, 1);
      return out;
    };
    const h = 2 ** -9;
    const stencil = (read: () => Float64Array, step: number): Float64Array => {
      const [a, b, c, d] = [step, -step, 2 * step, -2 * step].map((shift) => at(shift, () => read().slice()));
      return a.map((value, i) => (8 * (value - b[i]) - (c[i] - d[i])) / (12 * step));
    };
    const agree = (exact: Float64Array, read: () => Float64Array): void => {
      const fine = stencil(read, h);
      const truncation = norm(fine.map((value, i) => value - stencil(read, 2 * h)[i]));
      const roundoff = (64 * EPS * norm(at(0, read))) / h;
      expect(truncation).toBeLessThan(1e-6 * norm(exact));
      expect(norm(exact.map((value, i) => value - fine[i]))).toBeLessThan(truncation + roundoff);
    };
    const slope = at(0, () => Float64Array.of(dot(objective.gradient(), v)));
    agree(slope, () => Float64Array.of(objective.loss()));
    agree(at(0, product), () => objective.gradient());
    const third = at(0, () => {
      const row = new Float64Array(p);
      objective.thirdDerivatives(v, 1, row);
      return row;
    });
    agree(third, product);
  });

  test("Hessian products are symmetric", () => {
    const objective = new Objective(definition, { chunk: 4 });
    const p = objective.dimension;
    const { products } = everything(objective);
    const vectors = normals(K * p, "vectors");
    const [u, v] = [columns(vectors, p, 0), columns(vectors, p, 1)];
    const [hu, hv] = [columns(products, p, 0), columns(products, p, 1)];
    const scale = absoluteDot(hu, v) + absoluteDot(hv, u);
    expect(Math.abs(dot(hu, v) - dot(hv, u))).toBeLessThan(100 * EPS * scale);
  });
});

test("third derivatives are symmetric in all three slots", () => {
  const objective = new Objective(network(1, 6));
  const p = objective.dimension;
  const { rows } = everything(objective);
  const vectors = normals(K * p, "vectors");
  const u = [0, 1, 2].map((i) => columns(vectors, p, i));
  const along = (i: number, j: number, k: number): number => dot(columns(rows, p, pairIndex(i, j, K)), u[k]);
  const scale =
    [0, 1, 2, 3, 4, 5].reduce((most, row) => Math.max(most, norm(columns(rows, p, row))), 0) * norm(u[0]);
  expect(Math.abs(along(0, 1, 2) - along(1, 2, 0))).toBeLessThan(200 * EPS * scale);
  expect(Math.abs(along(0, 1, 2) - along(0, 2, 1))).toBeLessThan(200 * EPS * scale);
  expect(Math.abs(along(0, 0, 1) - along(0, 1, 0))).toBeLessThan(200 * EPS * scale);
});

test("a zero vector and a loss without curvature give zeros", () => {
  const linear = new Objective({ parameters: { a: [3] }, loss: ({ a }) => sum(multiply(a, 2)) });
  linear.setWeights(Float64Array.of(1, 2, 3));
  const rows = new Float64Array(9).fill(7);
  linear.thirdDerivatives(Float64Array.of(0, 0, 0, 1, 0, 1), 2, rows);
  expect(rows).toEqual(new Float64Array(9));
  const products = new Float64Array(6).fill(7);
  linear.hvp(Float64Array.of(0, 0, 0, 1, 0, 1), products, 2);
  expect(products).toEqual(new Float64Array(6));
  expect(linear.gradient()).toEqual(Float64Array.of(2, 2, 2));
});

/** Counts what a run must not do again. */
function counted(definition: ExampleLoss): {
  definition: ExampleLoss;
  backend: Backend;
  counts: { traces: number; kernels: number };
} {
  const counts = { traces: 0, kernels: 0 };
  return {
    counts,
    definition: {
      ...definition,
      outputs: (parameters, batch) => {
        counts.traces++;
        return definition.outputs(parameters, batch);
      },
    },
    backend: {
      ...jsBackend,
      lower: (instruction) => {
        counts.kernels++;
        return jsBackend.lower(instruction);
      },
    },
  };
}

test("a change of k neither traces, plans nor lowers", () => {
  const { definition, backend, counts } = counted(network(2, 9));
  const objective = new Objective(definition, { backend, chunk: 3 });
  const p = objective.dimension;
  const { plan, graph } = objective;
  const before = { ...counts };
  for (let k = 1; k <= 10; k++) {
    objective.setWeights(normals(p, `weights ${k}`));
    objective.hvp(normals(k * p, "vectors"), new Float64Array(k * p), k);
    objective.thirdDerivatives(normals(k * p, "vectors"), k, new Float64Array((k * (k + 1) * p) / 2));
  }
  expect(counts).toEqual(before);
  expect(objective.plan).toBe(plan);
  expect(objective.graph).toBe(graph);
});

test.each([1, 2, 4])("a network of %i hidden layers costs the products of the analysis", (hidden) => {
  const chunks = 3;
  const objective = new Objective(network(hidden, 9), { chunk: 3 });
  const p = objective.dimension;
  const products = (): number => objective.profile().reduce((total, stage) => total + stage.products, 0);
  const cost = (work: () => void): number => {
    const before = products();
    work();
    return products() - before;
  };
  const gradient = 3 * (hidden + 1) - 1;
  const direction = 6 * hidden + 2;
  const secondOrder = 7 * hidden + 1;
  objective.setWeights(normals(p, "weights"));
  expect(cost(() => objective.loss())).toBe(chunks * (hidden + 1));
  expect(cost(() => objective.gradient())).toBe(chunks * (gradient - hidden - 1));
  for (const k of [1, 4]) {
    const vectors = normals(k * p, "vectors");
    expect(cost(() => objective.hvp(vectors, new Float64Array(k * p), k))).toBe(chunks * k * direction);
    const pairs = (k * (k + 1)) / 2;
    expect(cost(() => objective.thirdDerivatives(vectors, k, new Float64Array(pairs * p)))).toBe(
      chunks * (k * direction + pairs * secondOrder),
    );
    const both = () => objective.joint(vectors, k, new Float64Array(k * p), new Float64Array(pairs * p));
    expect(cost(both)).toBe(chunks * (k * direction + pairs * secondOrder));
  }
});

test.each([1, 3, 5])(
  "joint is hvp and thirdDerivatives to the bit, %i vectors of very different size",
  (k) => {
    const objective = new Objective(network(2, 9), { chunk: 4 });
    const p = objective.dimension;
    objective.setWeights(normals(p, "weights"));
    const vectors = normals(k * p, "vectors").map((entry, at) => entry * 10 ** (4 - 3 * Math.floor(at / p)));
    const [products, alone] = [0, 1].map(() => new Float64Array(k * p).fill(Number.NaN));
    const [rows, rowsAlone] = [0, 1].map(() => new Float64Array((k * (k + 1) * p) / 2).fill(Number.NaN));
    objective.joint(vectors, k, products, rows);
    objective.hvp(vectors, alone, k);
    objective.thirdDerivatives(vectors, k, rowsAlone);
    expect(products).toEqual(alone);
    expect(rows).toEqual(rowsAlone);
  },
);

test("powers of two in front of the vectors come out exactly", () => {
  const objective = new Objective(network(2, 9), { chunk: 4 });
  const p = objective.dimension;
  objective.setWeights(normals(p, "weights"));
  const vectors = normals(K * p, "vectors");
  const factors = [2 ** 40, 1, 2 ** -60];
  const [rows, scaledRows] = [0, 1].map(() => new Float64Array((K * (K + 1) * p) / 2));
  objective.thirdDerivatives(vectors, K, rows);
  const scaled = vectors.map((entry, at) => entry * factors[Math.floor(at / p)]);
  objective.thirdDerivatives(scaled, K, scaledRows);
  for (let i = 0; i < K; i++)
    for (let j = i; j < K; j++) {
      const row = pairIndex(i, j, K);
      const expected = columns(rows, p, row).map((entry) => entry * factors[i] * factors[j]);
      expect(columns(scaledRows, p, row)).toEqual(expected);
    }
});

test("a vector that is not finite shows in its own rows and pairs only", () => {
  const objective = new Objective(network(1, 5));
  const p = objective.dimension;
  objective.setWeights(normals(p, "weights"));
  const vectors = normals(2 * p, "vectors");
  const rows = new Float64Array(3 * p);
  objective.thirdDerivatives(vectors, 2, rows);
  const own = columns(rows, p, 0);
  vectors[p] = Number.NaN;
  objective.thirdDerivatives(vectors, 2, rows);
  expect(columns(rows, p, 0)).toEqual(own);
  for (const row of [1, 2]) expect(columns(rows, p, row).some(Number.isNaN)).toBe(true);
});

test("what depends on the weights alone runs once per chunk, through many products", () => {
  const objective = new Objective(network(2, 10), { chunk: 4 });
  const p = objective.dimension;
  const vectors = normals(2 * p, "vectors");
  for (let turn = 1; turn <= 2; turn++) {
    objective.setWeights(normals(p, `weights ${turn}`));
    for (let i = 0; i < 5; i++) objective.hvp(vectors, new Float64Array(2 * p), 2);
    objective.gradient();
    objective.loss();
    objective.thirdDerivatives(vectors, 2, new Float64Array(3 * p));
    const once = objective.plan.segments.slice(0, STAGES.direction).map(({ length }) => (length > 0 ? 3 : 0));
    expect(objective.profile().map(({ runs }) => runs)).toEqual(
      [...once, 3 * (5 * 2 + 2), 3 * 3].map((runs) => runs * turn),
    );
  }
});
