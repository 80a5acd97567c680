/** `npx tsx bench/elementwise.ts`: nanoseconds per entry of elementwise primitives, reductions and copies. */
import type { PrimitiveName, Shape } from "../src/autodiff/index.ts";
import { onBothBackends } from "./kernels.ts";
import { compareTimes, machine } from "./timing.ts";

const SIDE = 128;
const SQUARE = [SIDE, SIDE];
const whole = (op: PrimitiveName, operands: number): [PrimitiveName, object, Shape[], Shape] => [
  op,
  {},
  Array.from({ length: operands }, () => SQUARE),
  SQUARE,
];

const CASES: readonly (readonly [PrimitiveName, object, Shape[], Shape])[] = [
  whole("add", 2),
  whole("multiply", 2),
  whole("divide", 2),
  whole("select", 3),
  whole("sqrt", 1),
  whole("exp", 1),
  whole("log", 1),
  whole("tanh", 1),
  whole("sigmoid", 1),
  whole("softplus", 1),
  whole("erf", 1),
  whole("sin", 1),
  whole("power", 2),
  ["sum", { axes: [0] }, [SQUARE], [SIDE]],
  ["sum", { axes: [1] }, [SQUARE], [SIDE]],
  ["max", { axes: [1] }, [SQUARE], [SIDE]],
  ["transpose", { permutation: [1, 0] }, [SQUARE], SQUARE],
];

console.log(machine());
console.log(`nanoseconds per entry of a ${SIDE} × ${SIDE} array: median, best, spread`);
for (const [op, params, shapes, shape] of CASES) {
  const { js, wasm } = onBothBackends(op, params, shapes, shape);
  const [plain, fast] = compareTimes([js, wasm]);
  const perEntry = (milliseconds: number): string => ((1e6 * milliseconds) / SIDE ** 2).toFixed(2);
  console.log(
    `${op}${"axes" in params ? ` over axis ${params.axes}` : ""}`.padEnd(18),
    `js ${perEntry(plain.median)}, ${perEntry(plain.best)}`.padEnd(16),
    `wasm ${perEntry(fast.median)}, ${perEntry(fast.best)}`.padEnd(18),
    `± ${(100 * fast.spread).toFixed(0)} %`.padEnd(8),
    `${(plain.median / fast.median).toFixed(1)} times faster`,
  );
}
