import { expect, test } from "vitest";
import { hypot, Random } from "../../src/base/index.ts";
import { exactly, integerSqrt } from "./elementary/exact.ts";

/** |h − √(x² + y²)| in units of the last place of h, by integers: nothing rounds but the root, at 2⁻⁶⁰ of it. */
function ulpError(x: number, y: number, h: number): number {
  const [a, b, c] = [x, y, h].map((value) => exactly(Math.abs(value)));
  const e = Math.min(a.e, b.e, c.e) - 80;
  const at = ({ m, e: own }: { m: bigint; e: number }) => m << BigInt(own - e);
  const root = integerSqrt(at(a) * at(a) + at(b) * at(b));
  const unit = 1n << BigInt(c.e - e);
  const difference = at(c) > root ? at(c) - root : root - at(c);
  return Number((difference * 1000n) / unit) / 1000;
}

test("hypot is within 1.25 ulp of the exact root, at every size", () => {
  const random = new Random(3, "hypot");
  let worst = 0;
  for (let i = 0; i < 4000; i++) {
    const exponent = Math.floor(-1020 + 2035 * random.uniform());
    const x = (1 + random.uniform()) * 2 ** exponent;
    const y = (1 + random.uniform()) * 2 ** Math.max(-1070, exponent - Math.floor(60 * random.uniform()));
    worst = Math.max(worst, ulpError(x, y, hypot(x, y)));
  }
  expect(worst).toBeGreaterThan(0.3);
  expect(worst).toBeLessThanOrEqual(1.25);
});

test("Pythagorean triples are exact, at every size and sign", () => {
  for (const [a, b, c] of [
    [3, 4, 5],
    [5, 12, 13],
    [20, 21, 29],
  ])
    for (const unit of [1, 2 ** -1060, 2 ** -800, 2 ** 300, 2 ** 1015]) {
      expect(hypot(a * unit, -b * unit)).toBe(c * unit);
      expect(hypot(-b * unit, a * unit)).toBe(c * unit);
    }
});

test("special values: infinities win over NaN, zeros are positive", () => {
  expect(hypot(Infinity, NaN)).toBe(Infinity);
  expect(hypot(NaN, -Infinity)).toBe(Infinity);
  expect(hypot(NaN, 1)).toBeNaN();
  expect(hypot(1, NaN)).toBeNaN();
  expect(Object.is(hypot(-0, 0), 0)).toBe(true);
  expect(hypot(Number.MAX_VALUE, Number.MAX_VALUE)).toBe(Infinity);
  expect(hypot(2 ** -1074, 0)).toBe(2 ** -1074);
});
