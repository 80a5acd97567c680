/** base/elementary/sine.ts and quarter-turns.ts on two lanes, operation for operation; the derivations stand there. */
import { HALF_PI_PARTS, QUARTERS_PER_RADIAN } from "../../base/index.ts";
import { type Caller, type Code, when } from "../emit/assembler.ts";
import { f64x2, i32, i32x4, i64x2, v128 } from "../emit/instructions.ts";
import { absolute, add, Block, c, choose, multiply, SIGN, subtract, sum } from "./block.ts";

const ROUNDER = 1.5 * 2 ** 52;
const LARGEST_SHORT = 2 ** 20;

interface Turns {
  /** Quarter turns, in the low words. */
  readonly n: Code;
  readonly y: Code;
  readonly y2: Code;
}

/** n·p subtracted from t, with the rounding error of the difference. */
function subtractExactly(b: Block, t: Code, product: Code): { difference: Code; error: Code } {
  const p = b.keep(product);
  const difference = b.keep(subtract(t, p));
  const back = b.keep(subtract(t, difference));
  const error = b.keep(add(subtract(t, add(difference, back)), subtract(back, p)));
  return { difference, error };
}

function quarterTurns(b: Block, x: Code): Turns {
  const [p1, p2, p3, p4] = HALF_PI_PARTS;
  const rounded = b.keep(add(multiply(x, c(QUARTERS_PER_RADIAN)), c(ROUNDER)));
  const n = b.keep(subtract(rounded, c(ROUNDER)));
  const t = b.keep(subtract(x, multiply(n, c(p1))));
  const first = subtractExactly(b, t, multiply(n, c(p2)));
  const second = subtractExactly(b, first.difference, multiply(n, c(p3)));
  const low = b.keep(subtract(add(first.error, second.error), multiply(n, c(p4))));
  const y = b.keep(add(second.difference, low));
  return { n: rounded, y, y2: b.keep(add(subtract(second.difference, y), low)) };
}

/** Pairs of coefficients of a polynomial in z: (c₀ + z·c₁) + z²·(c₂ + z·c₃). */
const cubic = (z: Code, z2: Code, [c0, c1, c2, c3]: readonly number[]): Code =>
  sum(c(c0), multiply(z, c(c1)), multiply(z2, add(c(c2), multiply(z, c(c3)))));

function nearSine(b: Block, y: Code, y2: Code, z: Code, z2: Code): Code {
  const low = cubic(z, z2, [-1 / 6, 1 / 120, -1 / 5040, 1 / 362880]);
  const high = cubic(z, z2, [-1 / 39916800, 1 / 6227020800, -1 / 1307674368000, 1 / 355687428096000]);
  const series = multiply(z, add(low, multiply(multiply(z2, z2), high)));
  const second = multiply(y2, subtract(c(1), multiply(c(0.5), z)));
  return b.keep(add(y, add(multiply(y, series), second)));
}

function nearCosine(b: Block, y: Code, y2: Code, z: Code, z2: Code): Code {
  const half = b.keep(multiply(c(0.5), z));
  const w = b.keep(subtract(c(1), half));
  const low = cubic(z, z2, [1 / 24, -1 / 720, 1 / 40320, -1 / 3628800]);
  const high = cubic(z, z2, [1 / 479001600, -1 / 87178291200, 1 / 20922789888000, -1 / 6402373705728000]);
  const series = multiply(z2, add(low, multiply(multiply(z2, z2), high)));
  const rest = subtract(subtract(c(1), w), half);
  return b.keep(add(w, add(rest, subtract(series, multiply(y, y2)))));
}

/** All ones where a bit of the low word is set. */
const bit = (n: Code, which: number): Code =>
  f64x2.notEqual(i64x2.shiftLeft(v128.and(n, i32x4.constant(1 << which, 0)), 52 - which), c(0));

/**
 * The sine (`ahead` 0) or cosine (1) of x. `definition`, the imported function of base, serves what is beyond 2²⁰ and
 * not finite: for those the reduction is in whole numbers of any length.
 */
export function wave(b: Block, x: Code, ahead: 0 | 1, definition: Caller): Code {
  const { n, y, y2 } = quarterTurns(b, x);
  const turns = b.keep(i64x2.add(n, i32x4.constant(ahead, 0)));
  const z = b.keep(multiply(y, y));
  const z2 = b.keep(multiply(z, z));
  const sine = nearSine(b, y, y2, z, z2);
  const size = choose(bit(turns, 0), nearCosine(b, y, y2, z, z2), sine);
  const value = v128.xor(size, v128.and(bit(turns, 1), SIGN));
  const near = ahead === 0 ? choose(f64x2.equal(x, c(0)), x, value) : value;

  const result = b.variable(near);
  const short = b.keep(f64x2.lessEqual(absolute(x), c(LARGEST_SHORT)));
  const rare = new Block(b.scope);
  const exact = f64x2.withHigh(f64x2.splat(definition(f64x2.low(x))), definition(f64x2.high(x)));
  rare.add(result.set(choose(short, result.get, exact)));
  b.add(when(i32.isZero(i64x2.all(short)), rare.statements));
  return result.get;
}
