import fc from "fast-check";
import { expect, test } from "vitest";
import {
  add,
  compile,
  full,
  type Graph,
  hvp,
  logSumExp,
  matmul,
  multiply,
  negate,
  power,
  printGraph,
  simplify,
  square,
  subtract,
  sum,
  type Tensor,
  tanh,
  thirdDirectional,
  trace,
  transpose,
} from "../../../src/autodiff/index.ts";
import { newPlainTrace } from "../../../src/autodiff/transforms/simplify.ts";
import { interpret } from "../interpreter.ts";
import { build, randomGraphs } from "../random-graphs.ts";
import { SEED } from "../registry.ts";

const primitives = (graph: Graph): string[] =>
  graph.nodes.map((node) => node.op).filter((op) => !["input", "constant", "literal"].includes(op));

test("a simplified graph gives the bits of the plain one, NaN, infinities and signed zeros included", () => {
  fc.assert(
    fc.property(randomGraphs, (drawn) => {
      const { graph, inputs } = build({ ...drawn, plain: true });
      const simplified = simplify(graph);
      expect(simplified.nodes.length).toBeLessThanOrEqual(graph.nodes.length);
      expect(interpret(simplified, inputs)).toEqual(interpret(graph, inputs));
    }),
    { seed: SEED, numRuns: 500 },
  );
});

test("simplify is idempotent", () => {
  fc.assert(
    fc.property(randomGraphs, (drawn) => {
      const once = simplify(build({ ...drawn, plain: true }).graph);
      expect(printGraph(simplify(once))).toBe(printGraph(once));
    }),
    { seed: SEED, numRuns: 200 },
  );
});

test("a product with zero keeps NaN, infinities and the sign of zero", () => {
  const run = compile((x: Tensor) => [multiply(x, 0), subtract(x, x), add(x, 0)], [[5]]);
  const x = Float64Array.of(Number.NaN, Infinity, -Infinity, -1, -0);
  expect(run(x)).toEqual([
    Float64Array.of(Number.NaN, Number.NaN, Number.NaN, -0, -0),
    Float64Array.of(Number.NaN, Number.NaN, Number.NaN, 0, 0),
    Float64Array.of(Number.NaN, Infinity, -Infinity, -1, 0),
  ]);
});

test("constant factors are regrouped only where that rounds nothing", () => {
  const chain = (x: Tensor) => [
    multiply(multiply(x, 0.1), 3),
    multiply(multiply(x, 0.1), 4),
    multiply(multiply(x, 0.25), 0.3),
  ];
  const x = Float64Array.from({ length: 50 }, (_, i) => 0.37 * (i - 20));
  expect(compile(chain, [[50]])(x)).toEqual([
    x.map((value) => value * 0.1 * 3),
    x.map((value) => value * 0.1 * 4),
    x.map((value) => value * 0.25 * 0.3),
  ]);
  expect(primitives(trace(chain, [50]).graph)).toEqual(["multiply", "multiply", "multiply", "multiply"]);
});

test("equal subexpressions are one node, whatever the order of a product or sum", () => {
  const { graph } = trace(
    (a: Tensor, b: Tensor) =>
      add(multiply(tanh(add(a, b)), tanh(add(b, a))), multiply(tanh(add(b, a)), tanh(add(a, b)))),
    [2],
    [2],
  );
  expect(primitives(graph).sort()).toEqual(["add", "add", "multiply", "tanh"]);
});

test("tangents that are zero by structure leave no node", () => {
  const linear = trace((x: Tensor, v: Tensor) => hvp((w: Tensor) => sum(multiply(w, 3)))(x, v), [4], [4]);
  expect(primitives(linear.graph)).toEqual([]);
  const cubic = trace(
    (x: Tensor, u: Tensor, v: Tensor) =>
      thirdDirectional((w: Tensor, c: Tensor) => sum(multiply(square(w), c)))(x, u, v, full(x, 2, [4])),
    [4],
    [4],
    [4],
  );
  expect(primitives(cubic.graph)).toEqual([]);
});

test("inverse operations cancel and transposes become flags", () => {
  const { graph } = trace(
    (a: Tensor, b: Tensor) => [
      negate(negate(a)),
      power(a, 1),
      transpose(transpose(a)),
      matmul(transpose(a), transpose(b)),
    ],
    [2, 3],
    [4, 2],
  );
  expect(primitives(graph)).toEqual(["matmul"]);
});

test("nodes that no output needs are dropped", () => {
  const plain = newPlainTrace();
  const x = plain.input("x", [3]);
  logSumExp(x);
  expect(plain.graph([x], [tanh(x)]).nodes.length).toBe(2);
});
