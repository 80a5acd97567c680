/** base/elementary/erf.ts on two lanes, operation for operation; the derivation stands there. */
import type { Code } from "../emit/assembler.ts";
import { TABLES } from "../emit/header.ts";
import { f64x2, i32, i32x4, int } from "../emit/instructions.ts";
import {
  absolute,
  add,
  type Block,
  c,
  choose,
  min,
  multiply,
  pairs,
  subtract,
  sum,
  withSign,
} from "./block.ts";

const BELOW_SIX = 6 - 2 ** -50;
const ROW_BYTES = 96;

/** The error function, with the bits of base's `erf`. */
export function erf(b: Block, x: Code): Code {
  const a = b.keep(min(absolute(x), c(BELOW_SIX)));
  const n = b.keep(i32x4.truncate(multiply(c(8), a)));
  const near = b.keep(f64x2.less(a, c(0.5)));
  const row = (lane: number): Code => {
    const past = b.keepInteger(i32.subtract(i32x4.lane(n, lane), int(3)));
    return b.keepInteger(i32.multiply(i32.select(past, int(0), i32.greater(past, int(0))), int(ROW_BYTES)));
  };
  const rows = [row(0), row(1)] as const;
  const t = b.keep(subtract(a, multiply(add(f64x2.fromIntegers(n), c(0.5)), c(0.125))));
  const m = choose(near, a, t);
  const v = b.keep(choose(near, multiply(a, a), t));
  const v2 = b.keep(multiply(v, v));
  const v4 = b.keep(multiply(v2, v2));
  const T = [0, 1, 2, 3, 4, 5].flatMap((p) => pairs(b, rows, TABLES.erf, p));
  const low = sum(T[2], multiply(v, T[3]), multiply(v2, add(T[4], multiply(v, T[5]))));
  const middle = sum(T[6], multiply(v, T[7]), multiply(v2, add(T[8], multiply(v, T[9]))));
  const q = add(low, multiply(v4, add(middle, multiply(v4, add(T[10], multiply(v, T[11]))))));
  return b.keep(withSign(add(choose(near, a, T[0]), add(T[1], multiply(m, q))), x));
}
