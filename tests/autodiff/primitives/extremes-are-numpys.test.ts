import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  abs,
  absolute,
  argmax,
  argmin,
  clip,
  compile,
  grad,
  hvp,
  jvp,
  maximum,
  min,
  minimum,
  multiply,
  type Operand,
  select,
  selectBackend,
  square,
  sum,
  type Tensor,
  where,
} from "../../../src/autodiff/index.ts";
import { eigh, symmetricEigen } from "../../../src/linalg/index.ts";

const SPECIAL = [
  0,
  -0,
  1,
  -1,
  2,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  1e308,
  -1e308,
];
const entry = fc.oneof(
  fc.constantFrom(...SPECIAL),
  // Ties of smaller numbers are halved inexactly, as is said.
  fc.double().filter((x) => x === 0 || !(Math.abs(x) < 2 ** -1021)),
);
const matrix = fc
  .tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 6 }))
  .chain(([rows, columns]) =>
    fc
      .tuple(
        fc.array(entry, { minLength: rows * columns, maxLength: rows * columns }),
        fc.array(entry, { minLength: rows * columns, maxLength: rows * columns }),
      )
      .map(([a, b]) => ({ rows, columns, a: Float64Array.from(a), b: Float64Array.from(b) })),
  );
const BACKENDS = (["js", "wasm"] as const).map((name) => selectBackend(name).backend);

/** Equal as numbers: 0 and −0 are, NaN and NaN are. */
const same = (a: number, b: number): boolean => a === b || (Number.isNaN(a) && Number.isNaN(b));

/** The first largest, NaN before all, as numpy has it. */
const first = (row: Float64Array, better: (a: number, b: number) => boolean): number => {
  const nan = row.findIndex(Number.isNaN);
  return nan >= 0 ? nan : row.reduce((best, x, i) => (better(x, row[best]) ? i : best), 0);
};

describe.each(BACKENDS.map((backend) => [backend.name, backend] as const))("on %s", (_, backend) => {
  test.each([
    ["maximum", maximum, Math.max],
    ["minimum", minimum, Math.min],
  ])("%s takes the right one, and NaN where there is one", (_, f, expected) => {
    fc.assert(
      fc.property(matrix, ({ rows, columns, a, b }) => {
        const shape = [rows, columns];
        const got = compile((x: Tensor, y: Tensor) => f(x, y), [shape, shape], { backend })(a, b);
        return got.every((value, i) => same(value, expected(a[i], b[i])));
      }),
      { numRuns: 60 },
    );
  });

  test("clip, min, argmax and argmin agree with their definitions", () => {
    fc.assert(
      fc.property(matrix, ({ rows, columns, a }) => {
        const f = (x: Tensor) => [clip(x, -1, 2), min(x, { axes: [1] }), argmax(x), argmin(x)] as const;
        const [clipped, least, at, low] = compile(f, [[rows, columns]], { backend })(
          a,
        ) as unknown as Float64Array[];
        const row = (i: number) => a.subarray(i * columns, (i + 1) * columns);
        return (
          clipped.every((value, i) => same(value, Math.min(Math.max(a[i], -1), 2))) &&
          least.every((value, i) => same(value, Math.min(...row(i)))) &&
          at.every((value, i) => value === first(row(i), (x, y) => x > y)) &&
          low.every((value, i) => value === first(row(i), (x, y) => x < y))
        );
      }),
      { numRuns: 60 },
    );
  });
});

test("argmax along another axis, of three", () => {
  const x = Float64Array.of(0, 5, 7, 1, 3, 9, 2, 4);
  expect([...compile((t: Tensor) => argmax(t, 1), [[2, 2, 2]])(x)]).toEqual([1, 0, 0, 0]);
  expect([...compile((t: Tensor) => argmax(t, 0), [[2, 2, 2]])(x)]).toEqual([1, 1, 0, 1]);
  expect(() => compile((t: Tensor) => argmax(t), [[2, 0]])).toThrow(
    /argmax: expected an axis with at least one/,
  );
});

const slopes = (f: (x: Tensor) => Tensor, at: readonly number[]): number[] => [
  ...compile(
    grad((x: Tensor) => sum(f(x))),
    [[at.length]],
  )(Float64Array.from(at)),
];

test("derivatives are those of the side taken, and halves where two tie", () => {
  expect(slopes((x) => maximum(x, 1), [0, 1, 2])).toEqual([0, 0.5, 1]);
  expect(slopes((x) => minimum(x, 1), [0, 1, 2])).toEqual([1, 0.5, 0]);
  expect(slopes((x) => clip(x, -1, 2), [-3, -1, 0, 2, 4])).toEqual([0, 0.5, 1, 0.5, 0]);
  expect(slopes((x) => maximum(x, multiply(x, -1)), [-2, 0, 3])).toEqual([-1, 0, 1]);
  expect(slopes((x) => min(x), [3, 1, 1, 2]).map((slope) => slope + 0)).toEqual([0, 0.5, 0.5, 0]);
  expect(slopes((x) => multiply(x, argmax(x)), [3, 1, 8])).toEqual([2, 2, 2]);
});

test("forward and second derivatives go through the side taken", () => {
  const f = (x: Tensor): Tensor => sum(square(maximum(x, 1)));
  const x = Float64Array.of(0, 3);
  const v = Float64Array.of(1, 1);
  expect([...compile((y: Tensor, u: Tensor) => jvp(f)(y, u)[1], [[2], [2]])(x, v)]).toEqual([6]);
  expect([...compile(hvp(f), [[2], [2]])(x, v)]).toEqual([0, 2]);
});

test("numpy's names mean the same functions", () => {
  const names: readonly (readonly [unknown, unknown])[] = [
    [abs, absolute],
    [where, select],
    [eigh, symmetricEigen],
  ];
  for (const [alias, own] of names) expect(alias).toBe(own);
  const bothNumbers = (a: Operand, b: Operand): unknown => maximum(a, b);
  expect(() => bothNumbers(1, 2)).toThrow(/expected at least one tensor/);
});
