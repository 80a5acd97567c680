/** base/elementary/erfc.ts on two lanes, operation for operation; the derivation stands there. */
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
  negate,
  pairs,
  subtract,
  sum,
  withSign,
} from "./block.ts";
import { reduce, scale } from "./exponential.ts";

const LARGEST = 27.3;
/** The high word of ½. */
const HALF = 0x3fe00000;
const LAST_ROW = 16 * 6;
const ROW_BYTES = 96;
const SPLITTER = 2 ** 27 + 1;

/** The complementary error function, with the bits of base's `erfc`. */
export function erfc(b: Block, x: Code): Code {
  const a = b.keep(min(absolute(x), c(LARGEST)));
  const near = b.keep(f64x2.less(a, c(0.5)));
  const row = (lane: number): Code => {
    const past = i32.shiftRight(i32.subtract(i32x4.lane(a, lane), int(HALF)), int(16));
    const row = b.keepInteger(i32.add(past, int(1)));
    const positive = b.keepInteger(i32.select(row, int(0), i32.greater(row, int(0))));
    const within = i32.select(positive, int(LAST_ROW), i32.greater(int(LAST_ROW), positive));
    return b.keepInteger(i32.multiply(within, int(ROW_BYTES)));
  };
  const rows = [row(1), row(3)] as const;
  const T = [0, 1, 2, 3, 4, 5].flatMap((p) => pairs(b, rows, TABLES.erfc, p));
  const m = b.keep(choose(near, a, subtract(a, T[0])));
  const v = b.keep(choose(near, multiply(a, a), m));
  const v2 = b.keep(multiply(v, v));
  const v4 = b.keep(multiply(v2, v2));
  const low = sum(T[3], multiply(v, T[4]), multiply(v2, add(T[5], multiply(v, T[6]))));
  const middle = sum(T[7], multiply(v, T[8]), multiply(v2, add(T[9], multiply(v, T[10]))));
  const q = add(low, multiply(v4, add(middle, multiply(v4, T[11]))));
  const g = b.keep(add(choose(near, a, T[1]), add(T[2], multiply(m, q))));

  const split = b.keep(multiply(a, c(SPLITTER)));
  const s = b.keep(subtract(split, subtract(split, a)));
  const carried = b.keep(multiply(subtract(a, s), add(a, s)));
  const { e, top, bottom } = reduce(b, b.keep(negate(multiply(s, s))), b.keep(negate(carried)));
  const tail = b.keep(scale(b, add(multiply(top, g), multiply(bottom, g)), e));

  const below = b.keep(f64x2.less(x, c(0)));
  const nearby = subtract(c(1), withSign(g, x));
  return b.keep(choose(near, nearby, choose(below, subtract(c(2), tail), tail)));
}
