import { describe, expect, test } from "vitest";
import {
  add,
  compile,
  exp,
  type LossDefinition,
  matmul,
  multiply,
  Objective,
  type ObjectiveOptions,
  softplus,
  square,
  sum,
  type Tensor,
  tanh,
} from "../../../src/autodiff/index.ts";
import { EPS, Random } from "../../../src/base/index.ts";
import { SEED } from "../registry.ts";

const N = 11;
const K = 2;

const normals = (size: number, stream: string): Float64Array =>
  new Random(SEED, stream).fillNormal(new Float64Array(size));

interface Rows {
  readonly x: Float64Array;
  readonly weight: Float64Array;
}

const rowsOf = (count: number, weight = (_: number) => 1 / count): Rows => ({
  x: normals(count * 3, "x"),
  weight: Float64Array.from({ length: count }, (_, row) => weight(row)),
});

function loss({ x, weight }: Rows): LossDefinition {
  return {
    parameters: { a: [3, 4], b: [4, 1] },
    examples: {
      x: { data: x, shape: [3] },
    },
    outputs: (p, batch) => matmul(tanh(matmul(batch.x, p.a)), p.b),
    criterion: (outputs) => sum(softplus(square(outputs)), { axes: [1] }),
    rowWeights: weight,
  };
}

/** Loss, gradient, products, third derivatives and outputs, asked for in the given order. */
function results(objective: Objective, order: readonly number[] = [0, 1, 2, 3, 4]): Float64Array[] {
  const p = objective.dimension;
  const vectors = normals(K * p, "vectors");
  const asked = [
    () => Float64Array.of(objective.loss()),
    () => objective.gradient().slice(),
    () => {
      const products = new Float64Array(K * p);
      objective.hvp(vectors, products, K);
      return products;
    },
    () => {
      const rows = new Float64Array((K * (K + 1) * p) / 2);
      objective.thirdDerivatives(vectors, K, rows);
      return rows;
    },
    () => objective.outputs().slice(),
  ];
  objective.setWeights(normals(p, "weights"));
  const found: Float64Array[] = [];
  for (const i of order) found[i] = asked[i]();
  return found;
}

const evaluate = (rows: Rows, options?: ObjectiveOptions): Float64Array[] =>
  results(new Objective(loss(rows), options));

const largest = (values: Float64Array): number =>
  values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

test("every chunk size gives the same results up to the order of summation", () => {
  const whole = evaluate(rowsOf(N));
  for (let chunk = 1; chunk <= N + 2; chunk++)
    evaluate(rowsOf(N), { chunk }).forEach((values, i) => {
      const gap = largest(values.map((value, j) => value - whole[i][j]));
      expect(gap, `chunk ${chunk}, quantity ${i}`).toBeLessThan(100 * EPS * largest(whole[i]));
    });
});

test("one chunk size gives the same bits every time, with values kept or recomputed", () => {
  for (const chunk of [1, 3, 4, N]) {
    const kept = new Objective(loss(rowsOf(N)), { chunk });
    const recomputing = new Objective(loss(rowsOf(N)), { chunk, memory: 0 });
    // A single chunk is kept in any case: letting go of it would free nothing.
    expect([kept.keepsResiduals, recomputing.keepsResiduals]).toEqual([true, chunk === N]);
    const first = results(kept);
    expect(results(kept)).toEqual(first);
    expect(results(recomputing)).toEqual(first);
    expect(evaluate(rowsOf(N), { chunk })).toEqual(first);
  }
});

const orders = [
  [0, 1, 2, 3, 4],
  [4, 3, 2, 1, 0],
  [2, 0, 1, 4, 3],
  [1, 2, 0, 3, 4],
  [3, 1, 4, 0, 2],
];

describe.each([undefined, 0])("with a memory budget of %s bytes", (memory) => {
  test.each(orders)(
    "quantities do not depend on the order they are asked for in: %i %i %i %i %i",
    (...order) => {
      const objective = new Objective(loss(rowsOf(N)), { chunk: 3, memory });
      expect(results(objective, order)).toEqual(results(objective));
    },
  );

  test("a gradient that the loss computes on its way is found after the loss and before it", () => {
    // ∇ Σeʷ = eʷ, a value that the loss itself needs.
    const objective = new Objective({ parameters: { w: [3] }, loss: ({ w }) => sum(exp(w)) }, { memory });
    const w = Float64Array.of(0, 1, -2);
    objective.setWeights(w);
    objective.loss();
    const after = objective.gradient().slice();
    objective.setWeights(w);
    expect(objective.gradient()).toEqual(after);
    expect(after).toEqual(compile((x: Tensor) => exp(x), [[3]])(w));
  });
});

test("rows of weight 0 change nothing, to the bit", () => {
  const masked = new Set([0, 4, 5, N - 1]);
  const all = rowsOf(N, (row) => (masked.has(row) ? 0 : 1 / (N - masked.size)));
  const kept = Array.from({ length: N }, (_, row) => row).filter((row) => !masked.has(row));
  const left: Rows = {
    x: Float64Array.from(kept.flatMap((row) => [...all.x.subarray(3 * row, 3 * row + 3)])),
    weight: Float64Array.from(kept, (row) => all.weight[row]),
  };
  const [withMasked, without] = [evaluate(all, { chunk: 1 }), evaluate(left, { chunk: 1 })];
  expect(withMasked.slice(0, 4)).toEqual(without.slice(0, 4));
  expect(Float64Array.from(kept, (row) => withMasked[4][row])).toEqual(without[4]);
});

test("a short last chunk is filled with rows that contribute nothing", () => {
  const short = rowsOf(7);
  const filled: Rows = {
    x: Float64Array.from([...short.x, ...short.x.subarray(0, 3), ...short.x.subarray(0, 3)]),
    weight: Float64Array.from([...short.weight, 0, 0]),
  };
  const [a, b] = [evaluate(short, { chunk: 3 }), evaluate(filled, { chunk: 3 })];
  expect(a.slice(0, 4)).toEqual(b.slice(0, 4));
  expect(a[4]).toEqual(b[4].slice(0, 7));
});

test("examples are copied: changing the arrays afterwards changes nothing", () => {
  const rows = rowsOf(5);
  const objective = new Objective(loss(rows));
  const before = results(objective);
  rows.x.fill(9);
  rows.weight.fill(9);
  expect(results(objective)).toEqual(before);
});

test("parameters keep their order in the flat vector, and unused ones have zero derivatives", () => {
  const objective = new Objective({
    parameters: { first: [2], unused: [3], last: [] },
    loss: ({ first, last }) => add(sum(square(first)), multiply(last, 5)),
  });
  objective.setWeights(Float64Array.of(1, 2, 3, 4, 5, 6));
  expect(objective.loss()).toBe(1 + 4 + 30);
  expect(objective.gradient()).toEqual(Float64Array.of(2, 4, 0, 0, 0, 5));
  const product = new Float64Array(6);
  objective.hvp(Float64Array.of(1, 1, 1, 1, 1, 1), product, 1);
  expect(product).toEqual(Float64Array.of(2, 2, 0, 0, 0, 0));
});
