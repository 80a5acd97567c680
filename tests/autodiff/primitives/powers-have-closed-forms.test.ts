import { expect, test } from "vitest";
import { compile, grad, jvp, max, power, sum, type Tensor, vjp } from "../../../src/autodiff/index.ts";

/**
 * Partial derivatives of aᵇ by its closed form, from the Taylor coefficients of e^{b log a} as a polynomial in the steps
 * of a and b, for a > 0: ∂ₐ = b a^{b−1}, ∂ₐ∂_b = a^{b−1}(1 + b log a), ∂ₐ²∂_b = a^{b−2}(2b − 1 + b(b − 1) log a),
 * ∂ₐ∂_b² = a^{b−1} log a (2 + b log a), ∂_b³ = aᵇ log³ a.
 */
const closedForms = (a: number, b: number) => {
  const l = Math.log(a);
  return {
    a: b * a ** (b - 1),
    b: a ** b * l,
    aa: b * (b - 1) * a ** (b - 2),
    ab: a ** (b - 1) * (1 + b * l),
    bb: a ** b * l * l,
    aaa: b * (b - 1) * (b - 2) * a ** (b - 3),
    aab: a ** (b - 2) * (2 * b - 1 + b * (b - 1) * l),
    abb: a ** (b - 1) * l * (2 + b * l),
    bbb: a ** b * l ** 3,
  };
};

const along = { a: [1, 0], b: [0, 1] } as const;

/** One partial derivative by nested forward mode, and with the last one in reverse mode. */
function partial(name: string, a: number, b: number): { forward: number; reverse: number } {
  type Pair = [Tensor, Tensor];
  const f = ([x, y]: Pair): Tensor => power(x, y);
  const forward = [...name].reduce<(p: Pair, dirs: readonly Pair[]) => Tensor>(
    (g, _, level) => (p, dirs) => jvp((q: Pair) => g(q, dirs))(p, dirs[level])[1],
    (p) => f(p),
  );
  const inner = [...name.slice(1)].reduce<(p: Pair, dirs: readonly Pair[]) => Tensor>(
    (g, _, level) => (p, dirs) => jvp((q: Pair) => g(q, dirs))(p, dirs[level])[1],
    (p) => f(p),
  );
  const shapes = [[[], []], [...name].map(() => [[], []])] as const;
  const directions = [...name].map((letter) => along[letter as "a" | "b"]);
  const numbers = (list: readonly (readonly number[])[]) => list.map(([x, y]) => [x, y]);
  const run = compile((p: Pair, dirs: Pair[]) => ({ value: forward(p, dirs) }), shapes as never);
  const back = compile(
    (p: Pair, dirs: Pair[]) => grad((q: Pair) => inner(q, dirs.slice(1)))(p),
    shapes as never,
  );
  const gradient = back([a, b], numbers(directions)) as unknown as Float64Array[];
  return {
    forward: (run([a, b], numbers(directions)) as { value: Float64Array }).value[0],
    reverse: gradient[name[0] === "a" ? 0 : 1][0],
  };
}

test.each([
  [2, 0],
  [0.3, 0],
  [1.7, 1],
  [0.4, 2],
  [3, -1.5],
  [0.9, 0.5],
])("all partial derivatives of aᵇ to the third order at a = %d, b = %d", (a, b) => {
  for (const [name, value] of Object.entries(closedForms(a, b))) {
    const { forward, reverse } = partial(name, a, b);
    const scale = 1e-13 * (1 + Math.abs(value));
    expect(Math.abs(forward - value), `${name} forward`).toBeLessThanOrEqual(scale);
    expect(Math.abs(reverse - value), `${name} reverse`).toBeLessThanOrEqual(scale);
  }
});

test("at a = 0 the limits hold: a whole power has its whole derivatives, also where both are 0", () => {
  for (const b of [0, 1, 2, 3]) {
    expect(partial("a", 0, b).forward).toBe(b === 1 ? 1 : 0);
    expect(partial("a", 0, b).reverse).toBe(b === 1 ? 1 : 0);
    expect(partial("aa", 0, b).forward).toBe(b === 2 ? 2 : 0);
    expect(partial("aa", 0, b).reverse).toBe(b === 2 ? 2 : 0);
  }
});

test("the gradient of a maximum is NaN where the maximum is, never a silent 0", () => {
  const gradient = compile((x: Tensor) => grad((y: Tensor) => sum(max(y, { axes: [1] })))(x), [[2, 3]]);
  const [first, second] = [gradient(Float64Array.of(1, NaN, 2, 5, 4, 5)).slice(0, 3), [0.5, 0, 0.5]];
  expect([...first].every(Number.isNaN)).toBe(true);
  expect([...gradient(Float64Array.of(1, NaN, 2, 5, 4, 5)).slice(3)]).toEqual(second);
  expect([...gradient(Float64Array.of(1, Infinity, 2, -Infinity, 4, 4))]).toEqual([0, 1, 0, 0, 0.5, 0.5]);
  const tangent = compile(
    (x: Tensor, c: Tensor) => vjp((y: Tensor) => max(y, { axes: [0] }))(x, c)[1],
    [[2], []],
  );
  expect([...tangent(Float64Array.of(NaN, 3), 1)].every(Number.isNaN)).toBe(true);
});
