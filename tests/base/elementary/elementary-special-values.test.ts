import { afterEach, expect, test, vi } from "vitest";
import {
  cos,
  erf,
  exp,
  expm1,
  log,
  log1p,
  pow,
  sigmoid,
  sin,
  softplus,
  tanh,
} from "../../../src/base/index.ts";

const functions = { cos, erf, exp, expm1, log, log1p, sigmoid, sin, softplus, tanh };
const TINY = Number.MIN_VALUE;
const HUGE = Number.MAX_VALUE;

afterEach(() => {
  vi.restoreAllMocks();
});

test.each(Object.entries(functions))("%s passes NaN through", (_, f) => {
  expect(f(NaN)).toBe(NaN);
});

test.each(Object.entries({ erf, expm1, log1p, sin, tanh }))(
  "%s keeps ±0 and the smallest subnormals",
  (name, f) => {
    expect(f(0)).toBe(0);
    expect(f(-0)).toBe(-0);
    expect(f(-TINY)).toBe(-TINY);
    expect(f(TINY), name).toBe(TINY);
  },
);

const values: readonly (readonly [name: keyof typeof functions, x: number, value: number])[] = [
  ["exp", 0, 1],
  ["exp", -0, 1],
  ["exp", TINY, 1],
  ["exp", -Infinity, 0],
  ["exp", Infinity, Infinity],
  ["exp", 709.79, Infinity],
  ["exp", HUGE, Infinity],
  ["exp", -745.13, TINY],
  ["exp", -745.2, 0],
  ["exp", -HUGE, 0],
  ["expm1", -Infinity, -1],
  ["expm1", -HUGE, -1],
  ["expm1", -50, -1],
  ["expm1", Infinity, Infinity],
  ["expm1", 709.79, Infinity],
  ["log", 1, 0],
  ["log", 0, -Infinity],
  ["log", -0, -Infinity],
  ["log", -TINY, NaN],
  ["log", -Infinity, NaN],
  ["log", Infinity, Infinity],
  ["log1p", -1, -Infinity],
  ["log1p", -1 - 2 ** -52, NaN],
  ["log1p", -Infinity, NaN],
  ["log1p", Infinity, Infinity],
  ["tanh", Infinity, 1],
  ["tanh", -Infinity, -1],
  ["tanh", HUGE, 1],
  ["tanh", -20, -1],
  ["erf", Infinity, 1],
  ["erf", -Infinity, -1],
  ["erf", HUGE, 1],
  ["erf", -6, -1],
  ["sigmoid", 0, 0.5],
  ["sigmoid", -0, 0.5],
  ["sigmoid", Infinity, 1],
  ["sigmoid", -Infinity, 0],
  ["sigmoid", -745.13, TINY],
  ["sigmoid", -HUGE, 0],
  ["sigmoid", HUGE, 1],
  ["softplus", Infinity, Infinity],
  ["softplus", -Infinity, 0],
  ["softplus", HUGE, HUGE],
  ["softplus", -745.13, TINY],
  ["softplus", -HUGE, 0],
  ["sin", Infinity, NaN],
  ["sin", -Infinity, NaN],
  ["cos", 0, 1],
  ["cos", -0, 1],
  ["cos", TINY, 1],
  ["cos", Infinity, NaN],
  ["cos", -Infinity, NaN],
];

test.each(values)("%s(%d) = %d", (name, x, value) => {
  expect(functions[name](x)).toBe(value);
});

test("pow follows the special cases of ECMAScript", () => {
  const bases = [0, TINY, 0.5, 1, 1.5, 2, 3, HUGE, Infinity, NaN].flatMap((x) => [x, -x]);
  const exponents = [0, TINY, 0.5, 1, 2, 3, 2 ** 53 - 1, 2 ** 53, 2 ** 60 + 256, HUGE, Infinity, NaN].flatMap(
    (y) => [y, -y],
  );
  const exactOrLimit = (v: number) => Number.isNaN(v) || v === 0 || !Number.isFinite(v) || Math.abs(v) === 1;
  let count = 0;
  for (const x of bases)
    for (const y of exponents) {
      const standard = x ** y;
      if (!exactOrLimit(standard)) continue;
      count++;
      expect(pow(x, y), `pow(${Object.is(x, -0) ? "-0" : x}, ${y})`).toBe(standard);
    }
  expect(count).toBeGreaterThan(300);
});

test("no result depends on the engine's own elementary functions", () => {
  const engine = [
    "exp",
    "expm1",
    "log",
    "log1p",
    "log2",
    "log10",
    "pow",
    "sinh",
    "cosh",
    "tanh",
    "cbrt",
    "sin",
    "cos",
    "tan",
  ] as const;
  for (const name of engine)
    vi.spyOn(Math, name).mockImplementation(() => {
      throw new Error(`Math.${name} was called`);
    });
  for (let x = -800; x <= 800; x += 0.37) {
    for (const f of Object.values(functions)) f(x);
    pow(Math.abs(x), 1.7);
  }
});
