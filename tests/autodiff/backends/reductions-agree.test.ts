import { expect, test } from "vitest";
import { compile, type Tensor, transpose } from "../../../src/autodiff/index.ts";
import { Random } from "../../../src/base/index.ts";
import { firstDifference, NASTY, wasm } from "./bits.ts";

/** Mostly ordinary numbers, so that sums round, with some rows of nasty ones. */
function numbers(random: Random, count: number, nasty: number): Float64Array {
  return Float64Array.from({ length: count }, () =>
    random.uniform() < nasty ? NASTY[random.integer(NASTY.length)] : random.uniform() - 0.5,
  );
}

const AXES = [[0], [1], [2], [0, 1], [0, 2], [1, 2], [0, 1, 2]];
const SHAPES = [
  [1, 1, 1],
  [2, 3, 4],
  [3, 5, 7],
  [4, 4, 4],
  [1, 9, 2],
  [2, 1, 65],
  [5, 6, 1],
  [7, 2, 33],
  [3, 129, 2],
  [17, 3, 5],
];

test.each(["sum", "max"] as const)("%s over any axes of any view", (op) => {
  const random = new Random(21, op);
  for (const shape of SHAPES)
    for (const axes of AXES)
      for (const permutation of [
        [0, 1, 2],
        [2, 1, 0],
        [1, 2, 0],
        [0, 2, 1],
      ])
        for (const nasty of [0, 0.02, 1]) {
          const source = shape.map((_, axis) => shape[permutation.indexOf(axis)]);
          const f = (x: Tensor): Tensor => {
            const view = transpose(x, permutation);
            return view.trace.emit(op, [view], { axes });
          };
          const input = numbers(random, shape[0] * shape[1] * shape[2], nasty);
          const expected = compile(f, [source])(input);
          const actual = compile(f, [source], { backend: wasm })(input);
          expect(
            firstDifference(expected, actual),
            `${op} over ${axes} of [${shape}], permuted ${permutation}`,
          ).toBeUndefined();
        }
});

test("the largest of equal zeros is the first", () => {
  const f = (x: Tensor): Tensor => x.trace.emit("max", [x], { axes: [1] });
  const input = Float64Array.of(-0, 0, -1, 0, -0, -1, -3, -0, 0);
  const actual = compile(f, [[3, 3]], { backend: wasm })(input);
  expect([...actual].map((x) => Object.is(x, -0))).toEqual([true, false, true]);
});
