import { expect, test } from "vitest";
import {
  ERF_TABLE,
  ERFC_TABLE,
  EXP_TABLE,
  HALF_PI_PARTS,
  LN2_HIGH,
  LN2_LOW,
  LOG_TABLE,
  QUARTERS_PER_RADIAN,
  STEP_HIGH,
  STEP_LOW,
  STEPS_PER_UNIT,
  TWO_OVER_PI_WORDS,
} from "../../../src/base/index.ts";
import {
  add,
  divide,
  type Exact,
  exactErf,
  exactErfc,
  exactExp,
  exactLog,
  exactly,
  HALF_PI_WIDE,
  multiply,
} from "./exact.ts";

const LN2 = exactLog(exactly(2));

/** log₂ of |high + low − value|/|value|. */
function relativeDistance(high: number, low: number, value: Exact): number {
  const difference = add(add(exactly(high), exactly(low)), { m: -value.m, e: value.e });
  const ratio = divide(difference, value);
  const digits = (ratio.m < 0n ? -ratio.m : ratio.m).toString(2).length;
  return ratio.m === 0n ? -Infinity : digits + ratio.e;
}

/** Number of bits from the leading to the last one. */
function width(x: number): number {
  let { m } = exactly(Math.abs(x));
  while (m !== 0n && m % 2n === 0n) m /= 2n;
  return m.toString(2).length;
}

test("the constants are log 2 in two parts whose products with integers are exact", () => {
  const step = divide(LN2, exactly(128));
  expect(relativeDistance(LN2_HIGH, LN2_LOW, LN2)).toBeLessThan(-90);
  expect(relativeDistance(STEP_HIGH, STEP_LOW, step)).toBeLessThan(-85);
  expect(relativeDistance(STEPS_PER_UNIT, 0, divide(exactly(1), step))).toBeLessThan(-52);
  expect(width(LN2_HIGH)).toBeLessThanOrEqual(53 - 11);
  expect(width(STEP_HIGH)).toBeLessThanOrEqual(53 - 18);
});

test("EXP_TABLE holds 2^(j/128) as double-doubles", () => {
  expect(EXP_TABLE.length).toBe(256);
  expect([EXP_TABLE[0], EXP_TABLE[1]]).toEqual([1, 0]);
  for (let j = 1; j < 128; j++) {
    const [high, low] = EXP_TABLE.subarray(2 * j);
    expect(high + low).toBe(high);
    const value = exactExp(divide(multiply(LN2, exactly(j)), exactly(128)));
    expect(relativeDistance(high, low, value), `j = ${j}`).toBeLessThan(-104);
  }
});

test("LOG_TABLE holds short reciprocals and their logarithms", () => {
  expect(LOG_TABLE.length).toBe(384);
  for (let i = 0; i < 128; i++) {
    const [reciprocal, high, low] = LOG_TABLE.subarray(3 * i);
    expect(reciprocal * 2 ** 12).toBe(Math.round(reciprocal * 2 ** 12));
    expect(high * 2 ** 42).toBe(Math.round(high * 2 ** 42));
    const value = exactLog(exactly(reciprocal));
    if (reciprocal === 1) expect(high + low).toBe(0);
    else expect(relativeDistance(-high, -low, value), `i = ${i}`).toBeLessThan(-85);
  }
});

test("ERF_TABLE holds erf at the centres as double-doubles", () => {
  expect(ERF_TABLE.length).toBe(45 * 12);
  for (let i = 1; i < 45; i++) {
    const [high, low] = ERF_TABLE.subarray(12 * i);
    expect(high + low).toBe(high);
    expect(relativeDistance(high, low, exactErf(exactly((i + 3.5) / 8))), `row ${i}`).toBeLessThan(-104);
  }
});

test("ERFC_TABLE holds e^{a²} erfc(a) at the centres as double-doubles, 16 centres to a binade", () => {
  expect(ERFC_TABLE.length).toBe(97 * 12);
  for (let i = 1; i < 97; i++) {
    const [centre, high, low] = ERFC_TABLE.subarray(12 * i);
    expect(centre).toBe(2 ** (Math.floor((i - 1) / 16) - 1) * (1 + (((i - 1) % 16) + 0.5) / 16));
    expect(high + low).toBe(high);
    if (centre > 27) continue;
    const a = exactly(centre);
    const square = multiply(a, a);
    const value = divide(exactErfc(a), exactExp({ m: -square.m, e: square.e }));
    expect(relativeDistance(high, low, value), `row ${i}`).toBeLessThan(-104);
  }
});

test("HALF_PI_PARTS add up to π/2 and have short heads; TWO_OVER_PI_WORDS continue its reciprocal", () => {
  const [p1, p2, p3, p4] = HALF_PI_PARTS;
  for (const part of [p1, p2, p3]) expect(width(part)).toBeLessThanOrEqual(53 - 20);
  const sum = [p1, p2, p3].map(exactly).reduce(add);
  expect(relativeDistance(p4, 0, add(HALF_PI_WIDE, { m: -sum.m, e: sum.e }))).toBeLessThan(-52);
  expect(relativeDistance(QUARTERS_PER_RADIAN, 0, divide(exactly(1), HALF_PI_WIDE))).toBeLessThan(-52);
  const words = TWO_OVER_PI_WORDS.reduce((bits, word) => (bits << 32n) | BigInt(word), 0n);
  const product = words * HALF_PI_WIDE.m;
  const one = 1n << BigInt(32 * TWO_OVER_PI_WORDS.length - HALF_PI_WIDE.e);
  expect(one - product).toBeGreaterThan(0n);
  expect(one - product).toBeLessThanOrEqual(HALF_PI_WIDE.m);
});
