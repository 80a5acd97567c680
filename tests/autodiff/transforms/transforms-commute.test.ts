import fc from "fast-check";
import { expect, test } from "vitest";
import {
  absolute,
  add,
  compile,
  exp,
  grad,
  hvp,
  jvp,
  log,
  max,
  multiply,
  power,
  relu,
  sin,
  square,
  stopGradient,
  sum,
  type Tensor,
  tanh,
  thirdDirectional,
  valueAndGrad,
  vjp,
} from "../../../src/autodiff/index.ts";
import { inline, newPlainTrace, simplify } from "../../../src/autodiff/transforms/simplify.ts";
import { EPS, Random } from "../../../src/base/index.ts";
import { interpret } from "../interpreter.ts";
import { smoothFunction } from "../random-graphs.ts";
import { absoluteDot, dot, draw, SEED } from "../registry.ts";

const SHAPE = [3, 4];
const SIZE = 12;

const functions = fc.record({ seed: fc.nat(2 ** 31 - 1), size: fc.integer({ min: 3, max: 15 }) });

interface Drawn {
  readonly seed: number;
  readonly size: number;
}

/** For random smooth functions f and points x, u, v, w. */
function forFunctions(
  check: (f: (x: Tensor) => Tensor, ...points: Float64Array[]) => void,
  numRuns = 60,
): void {
  fc.assert(
    fc.property(functions, ({ seed, size }: Drawn) => {
      const random = new Random(seed, "points");
      const points = Array.from({ length: 4 }, () => draw("any", SIZE, random));
      check(smoothFunction(seed, size), ...points);
    }),
    { seed: SEED, numRuns },
  );
}

const largest = (values: Float64Array): number =>
  values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

/** Asserts that arrays agree up to the rounding of some hundreds of operations on values of their size. */
function close(a: Float64Array, b: Float64Array, scale = 0): void {
  const size = Math.max(largest(a), largest(b), scale);
  expect(largest(a.map((value, i) => value - b[i]))).toBeLessThanOrEqual(1000 * EPS * size);
}

test("the gradient of a simplified function is the simplified gradient", () => {
  forFunctions((f, x) => {
    const plain = newPlainTrace();
    const input = plain.input("x", SHAPE);
    const gradient = plain.graph([input], [grad(f)(input)]);
    const ofSimplified = compile(grad(f), [SHAPE]);
    const [unsimplified] = interpret(gradient, [x]);
    expect(interpret(simplify(gradient), [x])[0]).toEqual(unsimplified);
    close(ofSimplified(x), unsimplified);
    const again = compile((y: Tensor) => inline(y.trace, gradient, [y])[0], [SHAPE]);
    expect(again(x)).toEqual(unsimplified);
  });
});

test("vjp is the transpose of jvp", () => {
  forFunctions((f, x, v) => {
    const g = (point: Tensor): Tensor => multiply(tanh(point), f(point));
    const pushed = compile((p: Tensor, d: Tensor) => jvp(g)(p, d)[1], [SHAPE, SHAPE])(x, v);
    const ct = pushed.map((_, i) => Math.cos(i));
    const pulled = compile((p: Tensor, c: Tensor) => vjp(g)(p, c)[1], [SHAPE, SHAPE])(x, ct);
    const scale = absoluteDot(pushed, ct) + absoluteDot(pulled, v);
    expect(Math.abs(dot(pushed, ct) - dot(pulled, v))).toBeLessThanOrEqual(1000 * EPS * scale);
  });
});

test("hvp is symmetric and the gradient of the directional derivative", () => {
  forFunctions((f, x, u, v) => {
    const product = compile(hvp(f), [SHAPE, SHAPE]);
    const [hu, hv] = [product(x, u), product(x, v)];
    const scale = SIZE * largest(hu) * largest(v) + SIZE * largest(hv) * largest(u);
    expect(Math.abs(dot(hu, v) - dot(hv, u))).toBeLessThanOrEqual(1000 * EPS * scale);
    const slope = (p: Tensor, d: Tensor): Tensor => sum(multiply(grad(f)(p), d));
    close(compile((p: Tensor, d: Tensor) => grad(slope)(p, d), [SHAPE, SHAPE])(x, u), hu);
    const forward = (p: Tensor, d: Tensor): Tensor => jvp(f)(p, d)[1];
    close(compile((p: Tensor, d: Tensor) => grad(forward)(p, d), [SHAPE, SHAPE])(x, u), hu);
  });
});

test("thirdDirectional is symmetric in its three slots and the gradient of uᵀHv", () => {
  forFunctions((f, x, u, v, w) => {
    const third = compile(thirdDirectional(f), [SHAPE, SHAPE, SHAPE]);
    const [uv, vu, vw, uw] = [third(x, u, v), third(x, v, u), third(x, v, w), third(x, u, w)];
    close(uv, vu);
    const scale = 4 * SIZE * Math.max(...[uv, vw, uw].map(largest));
    expect(Math.abs(dot(uv, w) - dot(vw, u))).toBeLessThanOrEqual(1000 * EPS * scale);
    expect(Math.abs(dot(uv, w) - dot(uw, v))).toBeLessThanOrEqual(1000 * EPS * scale);
    const form = (p: Tensor, a: Tensor, b: Tensor): Tensor => sum(multiply(hvp(f)(p, b), a));
    const gradient = (p: Tensor, a: Tensor, b: Tensor): Tensor => grad(form)(p, a, b);
    close(compile(gradient, [SHAPE, SHAPE, SHAPE])(x, u, v), uv);
  }, 40);
});

const scalar = (f: (x: Tensor) => Tensor): ((x: number) => number) => {
  const run = compile(f, [[]]);
  return (x) => run(x)[0];
};

test("nested derivatives keep their variables apart", () => {
  // d/dx (x · d/dy (x·y)) = d/dx x² = 2x; confusing the two perturbations gives x or 3x.
  const product = (x: Tensor): Tensor => multiply(x, grad((y: Tensor) => multiply(x, y))(x));
  expect(scalar(grad(product))(5)).toBe(10);
  expect(scalar((x) => jvp(product)(x, x.trace.constant(1))[1])(5)).toBe(10);
  // d/dx (x · d/dy (x + y)) = 1, at y = x too.
  const sums = (x: Tensor): Tensor => multiply(x, jvp((y: Tensor) => add(x, y))(x, x.trace.constant(1))[1]);
  expect(scalar(grad(sums))(3)).toBe(1);
  // The inner function sees x through its closure, as part of its own argument's point, and as an argument.
  const mixed = (x: Tensor): Tensor =>
    grad((y: Tensor) => multiply(multiply(x, y), square(y)))(multiply(x, 2));
  expect(scalar(mixed)(3)).toBe(3 * 3 * 36);
  // mixed(x) = x·3(2x)² = 12x³.
  expect(scalar(grad(mixed))(3)).toBe(36 * 9);
  expect(scalar(grad(grad(mixed)))(3)).toBe(72 * 3);
  // A subexpression of the closure that equals one of the body is not differentiated.
  const shared = (x: Tensor): Tensor => {
    const outside = exp(x);
    return grad((y: Tensor) => multiply(outside, exp(y)))(x);
  };
  const e = scalar((x) => exp(x))(1);
  expect(scalar(shared)(1)).toBe(e * e);
});

test("a tensor may be point, direction and cotangent at once", () => {
  expect(scalar((x) => jvp((y: Tensor) => square(y))(x, x)[1])(3)).toBe(18);
  expect(scalar((x) => vjp((y: Tensor) => square(y))(x, x)[1])(3)).toBe(18);
  expect(scalar((x) => hvp((y: Tensor) => multiply(square(y), y))(x, x))(3)).toBe(54);
  // The same tensor as two leaves of the argument: each leaf has its own partial derivative.
  const both = compile(
    (x: Tensor) =>
      grad((point: { a: Tensor; b: Tensor }) => multiply(point.a, square(point.b)))({ a: x, b: x }),
    [[]],
  );
  expect(both(3)).toEqual({ a: Float64Array.of(9), b: Float64Array.of(18) });
});

test("stopGradient is a constant for every order", () => {
  const f = (x: Tensor): Tensor => multiply(x, stopGradient(square(x)));
  expect(scalar(f)(3)).toBe(27);
  expect(scalar(grad(f))(3)).toBe(9);
  expect(scalar(grad(grad(f)))(3)).toBe(0);
});

test("at ties the derivative of max is shared equally", () => {
  const gradient = compile(
    grad((x: Tensor) => max(x)),
    [[4]],
  );
  expect(gradient(Float64Array.of(1, 5, 5, 0))).toEqual(Float64Array.of(0, 0.5, 0.5, 0));
  expect(gradient(Float64Array.of(2, 2, 2, 2))).toEqual(Float64Array.of(0.25, 0.25, 0.25, 0.25));
});

test("relu and absolute have derivative 0 at 0; NaN passes", () => {
  const ramp = compile((x: Tensor) => vjp(relu)(x, x.trace.constant(1, [4])), [[4]]);
  const x = Float64Array.of(-1, 0, 2, Number.NaN);
  expect(ramp(x)).toEqual([Float64Array.of(0, 0, 2, Number.NaN), Float64Array.of(0, 0, 1, 1)]);
  const size = compile((y: Tensor) => vjp(absolute)(y, y.trace.constant(1, [4])), [[4]]);
  expect(size(x)).toEqual([Float64Array.of(1, 0, 2, Number.NaN), Float64Array.of(-1, 0, 1, Number.NaN)]);
});

test("powers at 0 have the derivatives of their limits, in reverse mode of forward mode too", () => {
  const byBase = (n: number) => scalar(grad((x: Tensor) => power(x, n)));
  expect([byBase(0)(0), byBase(1)(0), byBase(2)(0), byBase(3)(0)]).toEqual([0, 1, 0, 0]);
  const gradient = compile(
    grad((p: Tensor[]) => sum(power(p[0], p[1]))),
    [[[3], [3]]],
  );
  const [base, exponent] = gradient([Float64Array.of(0, 0, 2), Float64Array.of(2, 0, 3)]);
  expect(base).toEqual(Float64Array.of(0, 0, 12));
  expect(exponent).toEqual(Float64Array.of(0, 0, 8 * scalar((x) => log(x))(2)));
  const second = compile(
    (a: Tensor, b: Tensor) => {
      const along = (p: Tensor[]): Tensor => jvp((q: Tensor[]) => power(q[0], q[1]))(p, p)[1];
      return grad((p: Tensor[]) => sum(along(p)))([a, b]);
    },
    [[1], [1]],
  );
  for (const part of second(Float64Array.of(0), Float64Array.of(3))) expect(part).toEqual(Float64Array.of(0));
});

test("outputs that do not depend on the argument, or are the argument, have derivatives 0 and 1", () => {
  const run = compile(
    (x: Tensor, y: Tensor) => {
      const f = (p: Tensor): Tensor[] => [p, y, p.trace.constant(2, [2]), sin(p), p];
      return {
        pushed: jvp(f)(x, y),
        pulled: vjp(f)(x, [y, y, y, x, y])[1],
        flat: valueAndGrad((_: Tensor) => sum(y))(x),
      };
    },
    [[2], [2]],
  );
  const x = Float64Array.of(0, 0);
  const y = Float64Array.of(3, 5);
  const zero = Float64Array.of(0, 0);
  const two = Float64Array.of(2, 2);
  const { pushed, pulled, flat } = run(x, y);
  expect(pushed[0]).toEqual([x, y, two, zero, x]);
  expect(pushed[1]).toEqual([y, zero, zero, y, y]);
  expect(pulled).toEqual(Float64Array.of(6, 10));
  expect(flat).toEqual([Float64Array.of(8), zero]);
});

test("trees of arguments and values keep their form through every transform", () => {
  type Point = { layers: { w: Tensor; b: Tensor }[]; scale: Tensor };
  const f = ({ layers, scale }: Point): Tensor =>
    multiply(scale, sum(layers.reduce((h, { w, b }) => tanh(add(multiply(h, w), b)), scale)));
  const shapes = { layers: [0, 1].map(() => ({ w: [2], b: [2] })), scale: [] };
  const numbers = (base: number) => ({
    layers: [0, 1].map((i) => ({ w: [base + i, 1], b: [0.5, -base] })),
    scale: 0.3 * base,
  });
  const direction = compile((p: Point, v: Point) => hvp(f)(p, v), [shapes, shapes]);
  const result = direction(numbers(1), numbers(0.4));
  expect(Object.keys(result)).toEqual(["layers", "scale"]);
  expect(result.layers.map((layer) => [layer.w.length, layer.b.length])).toEqual([
    [2, 2],
    [2, 2],
  ]);
  const along = compile(
    (p: Point, u: Point, v: Point) => {
      const [, slope] = jvp((q: Point) => jvp(f)(q, u)[1])(p, v);
      return slope;
    },
    [shapes, shapes, shapes],
  );
  const [, { layers, scale }] = [0, numbers(-0.7)];
  const contracted =
    layers.reduce(
      (total, layer, i) =>
        total +
        dot(Float64Array.from(layer.w), result.layers[i].w) +
        dot(Float64Array.from(layer.b), result.layers[i].b),
      0,
    ) +
    scale * result.scale[0];
  const [other] = along(numbers(1), numbers(-0.7), numbers(0.4));
  expect(Math.abs(contracted - other)).toBeLessThanOrEqual(200 * EPS * Math.max(1, Math.abs(other)));
});
