import { wasmBackend } from "../../../src/autodiff/backends/wasm/wasm.ts";
import type { Backend } from "../../../src/autodiff/index.ts";

/** The backend under test; the suite needs a host that has it. */
export const wasm = wasmBackend() as Backend;

/** Where two arrays differ in a bit, NaNs being all alike; undefined where they do not. */
export function firstDifference(expected: Float64Array, actual: Float64Array): string | undefined {
  if (expected.length !== actual.length) return `lengths ${expected.length} and ${actual.length}`;
  const at = expected.findIndex((value, i) => !Object.is(value, actual[i]));
  if (at < 0) return undefined;
  const zero = (x: number): string => (Object.is(x, -0) ? "-0" : String(x));
  return `entry ${at}: ${zero(expected[at])} on js, ${zero(actual[at])} on wasm`;
}

/** Numbers at which kernels go wrong: zeros of both signs, the ends of every range, subnormals, infinities, NaN. */
export const NASTY = [
  0,
  -0,
  1,
  -1,
  0.5,
  -0.5,
  Number.MIN_VALUE,
  -Number.MIN_VALUE,
  2 ** -1022,
  -(2 ** -1022),
  2 ** -1030,
  Number.MAX_VALUE,
  -Number.MAX_VALUE,
  Infinity,
  -Infinity,
  Number.NaN,
];
