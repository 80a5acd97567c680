import { expect, test } from "vitest";
import {
  compile,
  gelu,
  grad,
  logSumExp,
  matmul,
  printGraph,
  printPlan,
  square,
  subtract,
  sum,
  type Tensor,
  trace,
} from "../../../src/autodiff/index.ts";

test("the gradient of a sum of squares is one product", () => {
  expect(
    printGraph(
      trace(
        grad((x: Tensor) => sum(square(x))),
        [3],
      ).graph,
    ),
  ).toMatchInlineSnapshot(`
    "%0 = input {name: "x0"} : [3]
    %1 = constant {value: 2} : [3]
    %2 = multiply %0 %1 : [3]
    return %2"
  `);
});

test("log-sum-exp is shifted by a finite maximum that derivatives do not see", () => {
  expect(printGraph(trace((x: Tensor) => logSumExp(x), [2, 3]).graph)).toMatchInlineSnapshot(`
    "%0 = input {name: "x0"} : [2, 3]
    %1 = max %0 {axes: [1]} : [2]
    %2 = reshape %1 {shape: [2,1]} : [2, 1]
    %3 = subtract %2 %2 : [2, 1]
    %4 = constant {value: 0} : [2, 1]
    %5 = equal %3 %4 : [2, 1]
    %6 = select %5 %2 %4 : [2, 1]
    %7 = stopGradient %6 : [2, 1]
    %8 = reshape %7 {shape: [2]} : [2]
    %9 = broadcast %8 {shape: [2,3], axes: [0]} : [2, 3]
    %10 = subtract %0 %9 : [2, 3]
    %11 = exp %10 : [2, 3]
    %12 = sum %11 {axes: [1]} : [2]
    %13 = log %12 : [2]
    %14 = add %8 %13 : [2]
    return %14"
  `);
});

test("the derivative of gelu shares the argument of its value", () => {
  expect(
    printGraph(trace((x: Tensor) => grad((y: Tensor) => sum(gelu(y)))(x), [4]).graph),
  ).toMatchInlineSnapshot(`
    "%0 = input {name: "x0"} : [4]
    %1 = constant {value: 0.5} : [4]
    %2 = constant {value: -0.7071067811865476} : [4]
    %3 = constant {value: -1.1283791670955126} : [4]
    %4 = multiply %0 %1 : [4]
    %5 = multiply %0 %2 : [4]
    %6 = erfc %5 : [4]
    %7 = multiply %5 %5 : [4]
    %8 = negate %7 : [4]
    %9 = exp %8 : [4]
    %10 = multiply %9 %3 : [4]
    %11 = multiply %4 %10 : [4]
    %12 = multiply %11 %2 : [4]
    %13 = multiply %6 %1 : [4]
    %14 = add %12 %13 : [4]
    return %14"
  `);
});

test("numbers that JSON cannot write are printed as they are", () => {
  const { graph } = trace(
    (x: Tensor) => [Number.NaN, -Infinity, -0].map((value) => x.trace.constant(value)),
    [],
  );
  expect(printGraph(graph)).toMatchInlineSnapshot(`
    "%0 = input {name: "x0"} : scalar
    %1 = constant {value: NaN} : scalar
    %2 = constant {value: -Infinity} : scalar
    %3 = constant {value: -0} : scalar
    return %1 %2 %3"
  `);
});

test("a plan reuses buffers and reads transposes in place", () => {
  const residual = (w: Tensor, x: Tensor, y: Tensor): Tensor => sum(square(subtract(matmul(x, w), y)));
  const { plan } = compile(grad(residual), [
    [4, 2],
    [8, 4],
    [8, 2],
  ]);
  expect(printPlan(plan)).toMatchInlineSnapshot(`
    "regions: 56, 8, 16, 1 entries
    segment 0: 4 instructions, 2 products, 288 flops
      r2+0 = matmul(r0+8, r0+0) : [8, 2]  %4
      r2+0 = subtract(r2+0, r0+40) : [8, 2]  %5
      r2+0 = multiply(r2+0, r3+0) : [8, 2]  %6
      r1+0 = matmul(r0+8, r2+0) : [4, 2]  %7"
  `);
});
