/** base/elementary/logarithm.ts on two lanes, operation for operation; the derivations stand there. */
import { LN2_HIGH, LN2_LOW, SMALLEST_NORMAL } from "../../base/index.ts";
import { type Code, when } from "../emit/assembler.ts";
import { TABLES } from "../emit/header.ts";
import { f64x2, i32, i32x4, i64x2, v128 } from "../emit/instructions.ts";
import {
  absolute,
  add,
  Block,
  c,
  choose,
  max,
  min,
  multiply,
  negate,
  only,
  pairs,
  rowOffsets,
  subtract,
} from "./block.ts";
import { exp, powerOfTwo, reduce } from "./exponential.ts";

const OFFSET = 0x3fe61000;
const SPLIT_Z = 1.5 * 2 ** 21;
const SPLIT_R = 1.5 * 2 ** 18;
/** The exponent field and sign in the high words. */
const EXPONENT = i32x4.constant(0, -(2 ** 20));

/** A number as the sum of two, the second small against the first. */
export interface HeadAndTail {
  readonly head: Code;
  readonly tail: Code;
}

/**
 * logHead(u, carried, shift) with its tail. The exponent e of u = z·2^e is subtracted from u's exponent bits, which is
 * what multiplying by 2^−e does; lanes that are not positive and normal give numbers without meaning.
 */
export function logParts(b: Block, u: Code, carried?: Code, shift?: Code): HeadAndTail {
  const distance = b.keep(i32x4.subtract(u, i32x4.constant(0, OFFSET)));
  const exponent = b.keep(v128.and(distance, EXPONENT));
  const z = b.keep(i32x4.subtract(u, exponent));
  const e = f64x2.fromIntegers(v128.shuffleWords(i32x4.shiftRight(exponent, 20), exponent, [1, 3, 1, 3]));
  const k = b.keep(shift ? add(e, shift) : e);
  const rows = rowOffsets(b, [i32x4.lane(distance, 1), i32x4.lane(distance, 3)], 13, 7, 5);
  const [reciprocal, tableHigh] = pairs(b, rows, TABLES.log, 0);
  const [tableLow] = pairs(b, rows, TABLES.log, 1);

  const z1 = b.keep(subtract(add(z, c(SPLIT_Z)), c(SPLIT_Z)));
  const rHigh = b.keep(subtract(multiply(z1, reciprocal), c(1)));
  const left = subtract(z, z1);
  const down = (x: Code): Code => multiply(x, i32x4.subtract(c(1), exponent));
  const rLow = b.keep(multiply(carried ? add(left, down(carried)) : left, reciprocal));
  const r = b.keep(add(rHigh, rLow));
  const r2 = subtract(rLow, subtract(r, rHigh));

  const w = b.keep(add(multiply(k, c(LN2_HIGH)), tableHigh));
  const w2 = add(multiply(k, c(LN2_LOW)), tableLow);
  const s = b.keep(add(w, r));
  const sError = subtract(r, subtract(s, w));

  const r1 = b.keep(subtract(add(r, c(SPLIT_R)), c(SPLIT_R)));
  const square = b.keep(multiply(multiply(c(0.5), r1), r1));
  const squareLow = multiply(multiply(c(0.5), subtract(r, r1)), add(r, r1));
  const head = b.keep(subtract(s, square));
  const hError = subtract(subtract(s, head), square);

  const rr = b.keep(multiply(r, r));
  const last = subtract(c(1 / 7), multiply(r, c(1 / 8)));
  const p = add(
    subtract(c(1 / 3), multiply(r, c(1 / 4))),
    multiply(rr, add(subtract(c(1 / 5), multiply(r, c(1 / 6))), multiply(rr, last))),
  );
  const small = subtract(multiply(multiply(r, rr), p), squareLow);
  return { head, tail: b.keep(add(add(hError, sError), add(add(r2, w2), small))) };
}

/** As `logParts`, of a positive number that may be subnormal. */
export function logPartsOfAny(b: Block, x: Code): HeadAndTail {
  const tiny = b.keep(f64x2.less(x, c(SMALLEST_NORMAL)));
  const u = b.keep(choose(tiny, multiply(x, c(2 ** 54)), x));
  return logParts(b, u, undefined, only(tiny, c(-54)));
}

/** The natural logarithm, with the bits of base's `log`. */
export function log(b: Block, x: Code): Code {
  const { head, tail } = logPartsOfAny(b, x);
  const inside = v128.and(f64x2.greater(x, c(0)), f64x2.less(x, c(Infinity)));
  const outside = choose(
    f64x2.equal(x, c(0)),
    c(-Infinity),
    choose(f64x2.greater(x, c(0)), x, c(Number.NaN)),
  );
  return b.keep(choose(inside, add(head, tail), outside));
}

/** log(1 + eˣ), with the bits of base's `softplus`. */
export function softplus(b: Block, x: Code): Code {
  const y = b.keep(negate(absolute(x)));
  const { e, top, bottom } = reduce(b, b.keep(max(y, c(-64))));
  const factor = b.keep(powerOfTwo(e));
  const a = b.keep(multiply(top, factor));
  const rest = b.keep(multiply(bottom, factor));
  const v = b.keep(add(a, rest));
  const u = b.keep(add(c(1), v));
  const carried = add(subtract(v, subtract(u, c(1))), subtract(rest, subtract(v, a)));
  const { head, tail } = logParts(b, u, b.keep(carried));
  const ramp = b.keep(max(x, c(0)));
  const big = b.keep(max(ramp, head));
  const small = min(ramp, head);
  const total = b.keep(add(big, small));
  const near = add(total, add(subtract(small, subtract(total, big)), tail));

  // Beyond ±40, and for NaN: x or e^x. Rare, so the second exponential is branched over.
  const result = b.variable(near);
  const within = b.keep(f64x2.greaterEqual(y, c(-40)));
  const far = new Block(b.scope);
  const outer = far.keep(choose(f64x2.greater(x, c(40)), x, exp(far, x)));
  far.add(result.set(choose(within, result.get, outer)));
  b.add(when(i32.isZero(i64x2.all(within)), far.statements));
  return result.get;
}
