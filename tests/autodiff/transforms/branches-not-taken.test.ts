import { expect, test } from "vitest";
import { compile, grad, jvp, less, select, sqrt, sum, type Tensor } from "../../../src/autodiff/index.ts";

const positive = (x: Tensor): Tensor => less(0, x);
const resultReplaced = (x: Tensor): Tensor => select(positive(x), sqrt(x), 0);
const operandReplaced = (x: Tensor): Tensor => select(positive(x), sqrt(select(positive(x), x, 1)), 0);
const at = Float64Array.of(0, 4);

const gradientOf = (f: (x: Tensor) => Tensor): number[] =>
  Array.from(
    compile(
      grad((x: Tensor) => sum(f(x))),
      [[2]],
    )(at),
  );

test("in forward mode the branch not taken adds nothing, though its derivative is infinite", () => {
  const along = compile((x: Tensor, v: Tensor) => jvp(resultReplaced)(x, v)[1], [[2], [2]]);
  expect(Array.from(along(at, Float64Array.of(1, 1)))).toEqual([0, 0.25]);
});

test("in reverse mode 0·∞ is NaN; with the operand replaced, not the result, the gradient is right", () => {
  expect(gradientOf(resultReplaced)).toEqual([Number.NaN, 0.25]);
  expect(gradientOf(operandReplaced)).toEqual([0, 0.25]);
});
