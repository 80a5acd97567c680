/**
 * base/elementary/exponential.ts on two lanes, operation for operation; the derivations stand there. What differs is
 * how integers travel: n sits in the low words of the rounded sum, and 2^e is put together from exponent bits.
 */
import { STEP_HIGH, STEP_LOW, STEPS_PER_UNIT } from "../../base/index.ts";
import type { Code } from "../emit/assembler.ts";
import { TABLES } from "../emit/header.ts";
import { f64x2, i32x4, i64x2 } from "../emit/instructions.ts";
import {
  absolute,
  add,
  type Block,
  c,
  choose,
  divide,
  max,
  min,
  multiply,
  negate,
  only,
  pairs,
  rowOffsets,
  subtract,
  sum,
  withSign,
} from "./block.ts";

const ROUNDER = 1.5 * 2 ** 52;
const EXPONENT_BIAS = i32x4.constant(1023, 0);

/** e^y = 2^e (top + bottom), with e in the low words. */
export interface Reduced {
  readonly e: Code;
  readonly top: Code;
  readonly bottom: Code;
}

/** stepCount, stepRemainder, head and rest of a clamped y; `carried` is added to the remainder if given. */
export function reduce(b: Block, y: Code, carried?: Code): Reduced {
  const rounded = b.keep(add(multiply(y, c(STEPS_PER_UNIT)), c(ROUNDER)));
  const n = b.keep(subtract(rounded, c(ROUNDER)));
  const remainder = subtract(subtract(y, multiply(n, c(STEP_HIGH))), multiply(n, c(STEP_LOW)));
  const r = b.keep(carried ? add(remainder, carried) : remainder);
  const rows = rowOffsets(b, [i32x4.lane(rounded, 0), i32x4.lane(rounded, 2)], 0, 7, 4);
  const [top, tail] = pairs(b, rows, TABLES.exp, 0);
  const r2 = b.keep(multiply(r, r));
  const high = add(add(c(1 / 24), multiply(r, c(1 / 120))), multiply(r2, c(1 / 720)));
  const series = add(add(c(1 / 2), multiply(r, c(1 / 6))), multiply(r2, high));
  const p = add(r, multiply(r2, series));
  return {
    e: b.keep(i32x4.shiftRight(rounded, 7)),
    top,
    bottom: b.keep(add(tail, multiply(top, p))),
  };
}

/** 2^e for e in −1022 … 1023 in the low words. */
export const powerOfTwo = (e: Code): Code => i64x2.shiftLeft(i64x2.add(e, EXPONENT_BIAS), 52);

/** y·2^e, rounded once. */
export function scale(b: Block, y: Code, e: Code): Code {
  const half = b.keep(i32x4.shiftRight(e, 1));
  return multiply(multiply(y, powerOfTwo(half)), powerOfTwo(i32x4.subtract(e, half)));
}

/** eˣ, with the bits of base's `exp`. */
export function exp(b: Block, x: Code): Code {
  const y = b.keep(min(max(x, c(-746)), c(710)));
  const { e, top, bottom } = reduce(b, y);
  return b.keep(scale(b, add(top, bottom), e));
}

/** q + (rest − q·f)/(d + f) for q = size/d: the quotient (size + rest)/(d + f). */
function quotient(b: Block, size: Code, rest: Code, d: Code, f: Code): Code {
  const q = b.keep(divide(size, d));
  return add(q, divide(subtract(rest, multiply(q, f)), add(d, f)));
}

/** 1/(1 + e^{−x}), with the bits of base's `sigmoid`. */
export function sigmoid(b: Block, x: Code): Code {
  const { e, top, bottom } = reduce(b, b.keep(max(negate(absolute(x)), c(-746))));
  const factor = b.keep(powerOfTwo(i32x4.max(e, i32x4.constant(-200, 0))));
  const a = b.keep(multiply(top, factor));
  const d = b.keep(add(c(1), a));
  const f = b.keep(add(subtract(a, subtract(d, c(1))), multiply(bottom, factor)));
  const below = b.keep(f64x2.less(x, c(0)));
  const result = quotient(b, choose(below, top, c(1)), only(below, bottom), d, f);
  return b.keep(scale(b, result, only(below, e)));
}

/** The hyperbolic tangent, with the bits of base's `tanh`. */
export function tanh(b: Block, x: Code): Code {
  const size = b.keep(absolute(x));
  const { e, top, bottom } = reduce(b, b.keep(max(multiply(c(-2), size), c(-100))));
  const factor = b.keep(powerOfTwo(e));
  const a = b.keep(multiply(top, factor));
  const rest = b.keep(multiply(bottom, factor));
  const n = b.keep(subtract(c(1), a));
  const m = subtract(subtract(subtract(c(1), n), a), rest);
  const d = b.keep(add(c(1), a));
  const f = b.keep(add(subtract(a, subtract(d, c(1))), rest));
  const far = withSign(quotient(b, n, m, d, f), x);

  const u = b.keep(multiply(x, x));
  const u2 = b.keep(multiply(u, u));
  const low = sum(
    c(-1 / 3),
    multiply(u, c(2 / 15)),
    multiply(u2, add(c(-17 / 315), multiply(u, c(62 / 2835)))),
  );
  const high = sum(c(-1382 / 155925), multiply(u, c(21844 / 6081075)), multiply(u2, c(-929569 / 638512875)));
  // x itself where x is ±0: the sum would turn −0 into 0.
  const series = multiply(u, add(low, multiply(multiply(u2, u2), high)));
  const near = withSign(absolute(add(x, multiply(x, series))), x);
  return b.keep(choose(f64x2.less(size, c(1 / 8)), near, far));
}

/** 1/cosh² x, with the bits of base's `sechSquared`. */
export function sechSquared(b: Block, x: Code): Code {
  const { e, top, bottom } = reduce(b, b.keep(max(multiply(c(-2), absolute(x)), c(-746))));
  const factor = b.keep(powerOfTwo(i32x4.max(e, i32x4.constant(-200, 0))));
  const a = b.keep(multiply(top, factor));
  const d = b.keep(add(c(1), a));
  const f = b.keep(add(subtract(a, subtract(d, c(1))), multiply(bottom, factor)));
  const square = b.keep(add(multiply(d, d), multiply(f, add(multiply(c(2), d), f))));
  const quotients = add(divide(top, square), divide(bottom, square));
  return b.keep(scale(b, quotients, i32x4.subtract(e, i32x4.constant(-2, 0))));
}
