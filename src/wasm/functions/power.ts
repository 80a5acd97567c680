/** base/elementary/power.ts on two lanes, operation for operation; the derivation stands there. */
import type { Code } from "../emit/assembler.ts";
import { f64x2, v128 } from "../emit/instructions.ts";
import {
  absolute,
  add,
  type Block,
  c,
  choose,
  max,
  min,
  multiply,
  only,
  SIGN,
  subtract,
  sum,
} from "./block.ts";
import { reduce, scale } from "./exponential.ts";
import { logPartsOfAny } from "./logarithm.ts";

const SPLITTER = 2 ** 27 + 1;
const LARGEST_POWER = 2 ** 70;

/** The upper half of a number's bits, by Dekker's split. */
function upper(b: Block, x: Code): Code {
  const split = b.keep(multiply(x, c(SPLITTER)));
  return b.keep(subtract(split, subtract(split, x)));
}

function positivePower(b: Block, x: Code, y: Code): Code {
  const power = b.keep(min(max(y, c(-LARGEST_POWER)), c(LARGEST_POWER)));
  const { head, tail } = logPartsOfAny(b, x);
  const l = b.keep(add(head, tail));
  const l2 = subtract(tail, subtract(l, head));
  const power1 = upper(b, power);
  const power2 = b.keep(subtract(power, power1));
  const l1 = upper(b, l);
  const rest = b.keep(subtract(l, l1));
  const product = b.keep(multiply(power, l));
  const productLow = sum(
    subtract(multiply(power1, l1), product),
    multiply(power1, rest),
    multiply(power2, l1),
    multiply(power2, rest),
    multiply(power, l2),
  );
  const p = b.keep(min(max(product, c(-746)), c(710)));
  const { e, top, bottom } = reduce(b, p, only(f64x2.equal(p, product), productLow));
  return scale(b, add(top, bottom), e);
}

/** aᵇ, with the bits of base's `pow`. */
export function pow(b: Block, x: Code, y: Code): Code {
  const size = b.keep(absolute(x));
  const whole = b.keep(f64x2.equal(f64x2.floor(y), y));
  const twice = multiply(c(2), f64x2.floor(f64x2.divide(y, c(2))));
  const odd = b.keep(v128.and(whole, f64x2.notEqual(twice, y)));
  const zero = b.keep(f64x2.equal(size, c(0)));
  const extreme = b.keep(v128.or(zero, f64x2.equal(size, c(Infinity))));
  const small = v128.not(v128.xor(zero, f64x2.greater(y, c(0))));
  const magnitude = choose(extreme, choose(small, c(0), c(Infinity)), positivePower(b, size, y));
  const signed = b.keep(v128.xor(magnitude, v128.and(v128.and(odd, x), SIGN)));

  const noRoot = v128.andNot(f64x2.less(x, c(0)), v128.or(whole, extreme));
  const isNumber = v128.and(f64x2.equal(x, x), f64x2.equal(y, y));
  const undecided = v128.and(f64x2.equal(size, c(1)), f64x2.equal(absolute(y), c(Infinity)));
  const defined = v128.andNot(isNumber, v128.or(undecided, noRoot));
  return b.keep(choose(f64x2.equal(y, c(0)), c(1), choose(defined, signed, c(Number.NaN))));
}
