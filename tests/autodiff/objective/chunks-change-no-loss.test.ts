import fc from "fast-check";
import { expect, test } from "vitest";
import {
  add,
  concatenate,
  cos,
  type ExampleLoss,
  jsBackend,
  logSumExp,
  matmul,
  max,
  mean,
  multiply,
  Objective,
  reshape,
  type Shape,
  select,
  sigmoid,
  sin,
  slice,
  softplus,
  square,
  stack,
  subtract,
  sum,
  type Tensor,
  take,
  tanh,
  transpose,
} from "../../../src/autodiff/index.ts";
import { isMisuse, Random } from "../../../src/base/index.ts";
import { wasm } from "../backends/bits.ts";

interface Case {
  readonly seed: number;
  readonly n: number;
  readonly features: number;
  readonly width: number;
  readonly operations: number;
  /** Rows of an example: none of their own, or several. */
  readonly rows: number;
  readonly masked: boolean;
  /** Where in the chain an operation that mixes examples comes, or never. */
  readonly coupledAt: number;
}

const cases: fc.Arbitrary<Case> = fc.record({
  seed: fc.nat(2 ** 31 - 1),
  n: fc.integer({ min: 2, max: 17 }),
  features: fc.integer({ min: 1, max: 4 }),
  width: fc.integer({ min: 1, max: 5 }),
  operations: fc.integer({ min: 1, max: 8 }),
  rows: fc.constantFrom(1, 1, 3),
  masked: fc.boolean(),
  coupledAt: fc.constantFrom(-1, -1, -1, 0, 1, 2),
});

/** Keeps the shape [n, rows, width]; every example stays to itself. */
const ALONE: readonly ((h: Tensor, w: Tensor) => Tensor)[] = [
  (h) => tanh(h),
  (h) => multiply(h, sigmoid(h)),
  (h) => softplus(sin(h)),
  (h, w) => matmul(h, w),
  (h) => subtract(h, mean(h, { axes: [2], keepAxes: true })),
  (h) => subtract(h, reshape(logSumExp(h), [...h.shape.slice(0, 2), 1])),
  (h) => add(h, cos(sum(h, { axes: [1], keepAxes: true }))),
  (h) => transpose(transpose(h, [2, 0, 1]), [1, 2, 0]),
  (h) =>
    concatenate(
      [
        slice(h, [0, 0, 0], [...h.shape.slice(0, 2), 1]),
        slice(h, [0, 0, 1], [...h.shape.slice(0, 2), h.shape[2] - 1]),
      ],
      2,
    ),
  (h) => matmul(tanh(matmul(h, h, { transposeB: true })), h),
];

/** Keeps the shape, and lets examples depend on each other or on how many there are. */
const COUPLED: readonly ((h: Tensor, w: Tensor) => Tensor)[] = [
  (h) => subtract(h, mean(h, { axes: [0], keepAxes: true })),
  (h) => add(h, sum(h, { axes: [0], keepAxes: true })),
  (h) => subtract(h, max(h, { axes: [0, 1], keepAxes: true })),
  (h) => multiply(h, 1 / h.shape[0]),
  (h) => stack(Array.from({ length: h.shape[0] }, (_, i) => take(h, 0, h.shape[0] - 1 - i))),
  (h) => reshape(transpose(reshape(h, [h.shape[0], -1])), h.shape),
  (h) =>
    reshape(
      matmul(
        tanh(matmul(reshape(h, [h.shape[0], -1]), reshape(h, [h.shape[0], -1]), { transposeB: true })),
        reshape(h, [h.shape[0], -1]),
      ),
      h.shape,
    ),
];

function lossOf({ seed, n, features, width, operations, rows, masked, coupledAt }: Case): ExampleLoss {
  const random = new Random(seed);
  const pick = <T>(list: readonly T[]): T => list[random.integer(list.length)];
  const chain = Array.from({ length: operations }, () => pick(ALONE));
  if (coupledAt >= 0) chain.splice(Math.min(coupledAt, operations), 0, pick(COUPLED));
  const shape: Shape = [rows, features];
  const weights = Float64Array.from({ length: n * rows }, () =>
    masked && random.integer(3) === 0 ? 0 : random.uniform() + 0.1,
  );
  weights[random.integer(weights.length)] = 0.5;
  const total = weights.reduce((s, entry) => s + entry, 0);
  const deep = random.integer(2) === 0;
  const apply = (h: Tensor, w: Tensor, from: number, to: number): Tensor =>
    chain.slice(from, to).reduce((x, step) => step(x, w), h);
  const half = Math.floor(chain.length / 2);
  return {
    parameters: { first: [features, width], inner: [width, width] },
    examples: {
      x: { data: random.fillNormal(new Float64Array(n * rows * features)), shape },
      y: { data: random.fillNormal(new Float64Array(n * rows)), shape: [rows] },
    },
    outputs: ({ first, inner }, { x }) => apply(matmul(x, first), inner, 0, deep ? chain.length : half),
    criterion(outputs, { y }) {
      // What is left of the chain uses no parameter here: a fixed matrix in place of it.
      const fixed = reshape(mean(outputs, { axes: [0, 1, 2] }), []);
      const h = deep ? outputs : apply(outputs, identity(fixed, width), half, chain.length);
      const error = subtract(sum(h, { axes: [2] }), y);
      return select(y, softplus(square(error)), square(error));
    },
    rowWeights: weights.map((entry) => entry / total),
  };
}

/** The identity matrix, from a tensor that only says which trace it belongs to. */
function identity(of: Tensor, width: number): Tensor {
  const one = of.trace.constant(1, [1, 1]);
  const zeros = (length: number): Tensor => of.trace.constant(0, [1, length]);
  return concatenate(
    Array.from({ length: width }, (_, i) =>
      concatenate(
        [zeros(i), one, zeros(width - 1 - i)].filter(({ shape }) => shape[1] > 0),
        1,
      ),
    ),
    0,
  );
}

const K = 2;

function evaluate(definition: ExampleLoss, chunk: number, seed: number, useWasm: boolean): Float64Array[] {
  const objective = new Objective(definition, { chunk, backend: useWasm ? wasm : jsBackend });
  const p = objective.dimension;
  const random = new Random(seed, "point");
  objective.setWeights(random.fillNormal(new Float64Array(p)).map((entry) => 0.5 * entry));
  const vectors = random.fillNormal(new Float64Array(K * p));
  const products = new Float64Array(K * p);
  const third = new Float64Array((K * (K + 1) * p) / 2);
  objective.joint(vectors, K, products, third);
  return [Float64Array.of(objective.loss()), objective.gradient().slice(), products, third];
}

const size = (x: Float64Array): number => Math.sqrt(x.reduce((total, entry) => total + entry * entry, 0));

test("loss, gradient, products and third derivatives do not depend on the chunk, or the loss is refused", () => {
  let taken = 0;
  let refused = 0;
  fc.assert(
    fc.property(cases, fc.boolean(), (given, useWasm) => {
      const definition = lossOf(given);
      let whole: Float64Array[];
      try {
        whole = evaluate(definition, given.n, given.seed, useWasm);
      } catch (error) {
        expect(given.coupledAt, String(error)).toBeGreaterThanOrEqual(0);
        expect(isMisuse(error), String(error)).toBe(true);
        expect((error as Error).message).toMatch(/examples|row/);
        refused++;
        return;
      }
      taken++;
      const scale = Math.max(...whole.map(size));
      for (const chunk of new Set([1, 2, 3, given.n - 1, Math.ceil(given.n / 2)]))
        evaluate(definition, chunk, given.seed, useWasm).forEach((values, i) => {
          // A quantity that cancels is judged by the largest of them.
          const gap = size(values.map((entry, j) => entry - whole[i][j]));
          expect(gap, `quantity ${i}, chunk ${chunk}`).toBeLessThanOrEqual(
            1e-12 * Math.max(size(whole[i]), 1e-3 * scale),
          );
        });
    }),
    { seed: 11, numRuns: 150 },
  );
  expect(taken).toBeGreaterThan(40);
  expect(refused).toBeGreaterThan(40);
});
