import type { PrimitiveName, Shape } from "../src/autodiff/index.ts";
import { onBackends } from "./kernels.ts";
import { digits, type Measured, measured, percent, progress, Table } from "./table.ts";
import { compareTimes, type Times } from "./timing.ts";

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

/** Nanoseconds per entry of elementwise primitives, reductions and copies. */
export function elementwise(): void {
  console.log("\n### Elementwise primitives, reductions, copies\n");
  console.log(`Nanoseconds per entry of a ${SIDE} × ${SIDE} array.\n`);
  const table = new Table(["primitive", "js", "wasm", "best", "spread", "wasm over js"]);
  for (const [op, params, shapes, shape] of CASES) {
    progress(`elementwise ${op}`);
    const [js, wasm] = onBackends(["js", "wasm"], op, params, shapes, shape);
    const [plain, fast] = compareTimes([js, wasm]);
    const perEntry = ({ median, spread }: Times): Measured => ({
      ...measured((1e6 * median) / SIDE ** 2, "less"),
      spread,
    });
    table.row(
      `${op}${"axes" in params ? ` over axis ${params.axes}` : ""}`,
      perEntry(plain),
      perEntry(fast),
      digits((1e6 * fast.best) / SIDE ** 2),
      percent(fast.spread),
      digits(plain.median / fast.median),
    );
  }
  table.print();
}
