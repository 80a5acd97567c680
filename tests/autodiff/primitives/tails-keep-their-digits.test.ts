import { expect, test } from "vitest";
import {
  compile,
  gelu,
  grad,
  jvp,
  logSumExp,
  multiply,
  softmax,
  sum,
  type Tensor,
  tanh,
  vjp,
} from "../../../src/autodiff/index.ts";

/** f′, f″ and f‴ of a function of one number, in forward mode and with the last derivative in reverse mode. */
function derivatives(f: (x: Tensor) => Tensor, x: number): { forward: number[]; reverse: number[] } {
  const along = (g: (x: Tensor) => Tensor) => (y: Tensor) => jvp(g)(y, y.trace.constant(1, []))[1];
  const first = along(f);
  const second = along(first);
  const run = (g: (x: Tensor) => Tensor) => compile(g, [[]])(x)[0];
  return {
    forward: [run(first), run(second), run(along(second))],
    reverse: [run(grad(f)), run(grad(first)), run(grad(second))],
  };
}

function expectRelative(got: readonly number[], wanted: readonly number[], tolerance: number, label: string) {
  got.forEach((value, i) => {
    expect(Math.abs(value / wanted[i] - 1), `${label}, derivative ${i + 1}: ${value}`).toBeLessThan(
      tolerance,
    );
  });
}

test("derivatives of tanh keep their relative accuracy as far as doubles reach", () => {
  for (const x of [0.3, 2, 9, 18, 19.5, 25, 60, 300, -18, -200]) {
    // With E = e^{−2|x|}: tanh′ = 4E/(1+E)², tanh″ = −2 tanh tanh′, tanh‴ = tanh′(6 tanh² − 2).
    const E = Math.exp(-2 * Math.abs(x));
    const y = Math.sign(x) * ((1 - E) / (1 + E));
    const first = (4 * E) / ((1 + E) * (1 + E));
    const wanted = [first, -2 * y * first, first * (6 * y * y - 2)];
    const { forward, reverse } = derivatives(tanh, x);
    expectRelative(forward, wanted, 1e-13, `tanh at ${x}`);
    expectRelative(reverse, wanted, 1e-13, `tanh at ${x}, reverse`);
  }
});

test("gelu keeps its relative accuracy far below zero", () => {
  // x·Φ(x) by the continued fraction of Φ's tail, Φ(x) = φ(x)/(|x| + 1/(|x| + 2/(|x| + …))).
  for (const x of [-6, -8, -8.5, -12, -30]) {
    let fraction = -x;
    for (let level = 400; level > 0; level--) fraction = -x + level / fraction;
    const density = Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
    const value = (x * density) / fraction;
    const got = compile(gelu, [[]])(x)[0];
    expect(Math.abs(got / value - 1), `gelu at ${x}: ${got}`).toBeLessThan(1e-13 * x * x);
    // gelu′ = Φ + xφ and gelu″ = φ·(2 − x²), gelu‴ = φ·x·(x² − 4).
    const wanted = [density / fraction + x * density, density * (2 - x * x), density * x * (x * x - 4)];
    const { forward, reverse } = derivatives(gelu, x);
    expectRelative(forward, wanted, 1e-13 * x * x, `gelu at ${x}`);
    expectRelative(reverse, wanted, 1e-13 * x * x, `gelu at ${x}, reverse`);
  }
});

test("each row of softmax's derivatives sums to 0, and a weight near 1 keeps its derivative's digits", () => {
  const jacobian = compile(
    (x: Tensor, u: Tensor, c: Tensor) => [
      jvp((y: Tensor) => softmax(y))(x, u)[1],
      vjp((y: Tensor) => softmax(y))(x, c)[1],
    ],
    [[3], [3], [3]],
  );
  const logits = [40, 0, -3];
  const scale = Math.exp(0) + Math.exp(-40) + Math.exp(-43);
  const y = [1 / scale, Math.exp(-40) / scale, Math.exp(-43) / scale];
  const off = [y[1] + y[2], 0, 0];
  const wanted = y.map((a, i) => y.map((b, j) => (i === j ? a * (i === 0 ? off[0] : 1 - b) : -a * b)));
  for (let j = 0; j < 3; j++) {
    const unit = [0, 1, 2].map((i) => (i === j ? 1 : 0));
    const [column, row] = jacobian(logits, unit, unit);
    for (let i = 0; i < 3; i++) {
      expect(Math.abs(column[i] / wanted[i][j] - 1), `∂y${i}/∂x${j}`).toBeLessThan(1e-14);
      expect(Math.abs(row[i] / wanted[j][i] - 1), `∂y${j}/∂x${i}, reverse`).toBeLessThan(1e-14);
    }
    expect(Math.abs(row[0] + row[1] + row[2])).toBeLessThanOrEqual(1e-16 * Math.max(...row.map(Math.abs)));
  }
  const shifted = jacobian([1, 2, 0.5], [1, 1, 1], [0, 0, 0])[0];
  expect([...shifted]).toEqual([0, 0, 0]);
});

test("logSumExp has its limits at infinities", () => {
  const f = compile((x: Tensor) => logSumExp(x), [[3]]);
  expect(f([-Infinity, -Infinity, -Infinity])[0]).toBe(-Infinity);
  expect(f([Infinity, 0, 1])[0]).toBe(Infinity);
  expect(f([Infinity, -Infinity, 1])[0]).toBe(Infinity);
  expect(f([-Infinity, 2, -Infinity])[0]).toBe(2);
  expect(f([NaN, 2, 1])[0]).toBeNaN();
  expect(f([1000, 1000, -1000])[0]).toBeCloseTo(1000 + Math.LN2, 12);
  const gradient = compile(
    grad((x: Tensor) => sum(multiply(logSumExp(x), 1))),
    [[3]],
  );
  expect([...gradient([-Infinity, 2, -Infinity])]).toEqual([0, 1, 0]);
});
