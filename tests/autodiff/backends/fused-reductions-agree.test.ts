import { expect, test } from "vitest";
import {
  add,
  broadcastTo,
  compile,
  exp,
  multiply,
  reshape,
  type Shape,
  sizeOf,
  sum,
  type Tensor,
  transpose,
} from "../../../src/autodiff/index.ts";
import { isGroup } from "../../../src/autodiff/plan/plan.ts";
import { Random } from "../../../src/base/index.ts";
import { firstDifference, NASTY, wasm } from "./bits.ts";

const SEED = 81;

/** A chain over x [a, b, c, d], y (its axes reversed in memory) and z [1, b, 1, d], and sums of two of its values. */
const chain =
  (axes: readonly number[], keeps: boolean) =>
  (x: Tensor, reversed: Tensor, small: Tensor): Tensor[] => {
    const y = transpose(reversed, [3, 2, 1, 0]);
    const z = broadcastTo(small, x.shape);
    const first = multiply(add(x, y), z);
    const second = multiply(exp(multiply(first, 0.25)), x);
    return [sum(first, { axes }), sum(second, { axes }), ...(keeps ? [second] : [])];
  };

const SHAPES: readonly Shape[] = [
  [1, 1, 1, 16],
  [2, 3, 4, 16],
  [3, 5, 2, 17],
  [2, 1, 7, 33],
  [16, 2, 3, 9],
  [1, 19, 5, 7],
  [6, 3, 20, 1],
  [2, 2, 65, 18],
  [40, 1, 1, 1],
  [5, 4, 8, 8],
];
const AXES = [[3], [2], [1], [0], [2, 3], [1, 2], [0, 1], [1, 2, 3], [0, 1, 2], [0, 1, 2, 3], [0, 2], [1, 3]];

test.each([0, 0.05])(
  "chains with fused reductions, %s of the numbers nasty: the js backend's bits",
  (nasty) => {
    const random = new Random(SEED, `nasty ${nasty}`);
    const numbers = (count: number): Float64Array =>
      Float64Array.from({ length: count }, () =>
        random.uniform() < nasty ? NASTY[random.integer(NASTY.length)] : random.normal(),
      );
    let fused = 0;
    for (const shape of SHAPES)
      for (const axes of AXES)
        for (const keeps of [false, true]) {
          const shapes = [shape, [...shape].reverse(), [1, shape[1], 1, shape[3]]] as const;
          const inputs = shapes.map((lengths) => numbers(sizeOf(lengths)));
          const f = chain(axes, keeps);
          const expected = compile(f, shapes)(...inputs);
          const actual = compile(f, shapes, { backend: wasm });
          fused += actual.plan.segments[0].filter(
            (item) => isGroup(item) && item.outputs.some((output) => output.axes),
          ).length;
          const results = actual(...inputs);
          results.forEach((result, i) => {
            const what = `result ${i}, [${shape}] over ${axes}, seed ${SEED}`;
            expect(firstDifference(expected[i], result), what).toBeUndefined();
          });
        }
    expect(fused).toBeGreaterThan(80);
  },
);

test("a sum that the chain reads back, as a layer norm does, is fused with the chain before it and not with the one after", () => {
  const random = new Random(SEED, "norm");
  const f = (x: Tensor): Tensor => {
    const [rows, width] = x.shape;
    const total = sum(multiply(x, x), { axes: [1] });
    return multiply(x, broadcastTo(reshape(total, [rows, 1]), [rows, width]));
  };
  const input = Float64Array.from({ length: 7 * 37 }, () => random.normal());
  const shapes = [[7, 37]] as const;
  expect(
    firstDifference(compile(f, shapes)(input), compile(f, shapes, { backend: wasm })(input)),
  ).toBeUndefined();
});
