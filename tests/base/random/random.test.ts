import { expect, test } from "vitest";
import { InputValueError, Random } from "../../../src/base/index.ts";

const draws = (random: Random, n: number) => Array.from({ length: n }, () => random.bits32());

/** Σ (observed − expected)²/expected, as a number of standard deviations of χ² from its mean. */
function chiSquareDeviation(counts: ArrayLike<number>, total: number): number {
  const expected = total / counts.length;
  let sum = 0;
  for (let i = 0; i < counts.length; i++) sum += (counts[i] - expected) ** 2 / expected;
  const freedom = counts.length - 1;
  return (sum - freedom) / Math.sqrt(2 * freedom);
}

test("the same seed and stream give the same numbers", () => {
  for (const seed of [0, 1, -1, 2 ** 31, 2 ** 40 + 7, Number.MAX_SAFE_INTEGER])
    expect(draws(new Random(seed, "w"), 64)).toEqual(draws(new Random(seed, "w"), 64));
});

test("different seeds and different streams give unrelated numbers", () => {
  const sources = [
    ...[0, 1, -1, 2, 2 ** 32, 2 ** 33, Number.MAX_SAFE_INTEGER].map((seed) => new Random(seed)),
    ...["a", "b", "ab", "ba", "weights", "data"].map((stream) => new Random(0, stream)),
  ];
  const sequences = sources.map((s) => draws(s, 4096));
  for (let i = 0; i < sequences.length; i++)
    for (let j = 0; j < i; j++) {
      const differing = sequences[i].reduce((sum, x, t) => sum + bitCount(x ^ sequences[j][t]), 0);
      const deviation = (differing - 16 * 4096) / Math.sqrt(8 * 4096);
      expect(Math.abs(deviation), `sequences ${j} and ${i}`).toBeLessThan(5);
    }
});

function bitCount(x: number): number {
  let count = 0;
  for (let rest = x >>> 0; rest !== 0; rest >>>= 1) count += rest & 1;
  return count;
}

test("every bit is set half of the time", () => {
  const random = new Random(11);
  const n = 20_000;
  const set = new Uint32Array(32);
  for (let i = 0; i < n; i++) {
    const x = random.bits32();
    for (let b = 0; b < 32; b++) set[b] += (x >>> b) & 1;
  }
  for (const count of set) expect(Math.abs(count - n / 2) / Math.sqrt(n / 4)).toBeLessThan(5);
});

test("uniform numbers lie in [0, 1) and fill it evenly", () => {
  const random = new Random(12);
  const n = 100_000;
  const counts = new Uint32Array(100);
  for (let i = 0; i < n; i++) {
    const x = random.uniform();
    expect(x >= 0 && x < 1).toBe(true);
    counts[Math.floor(100 * x)]++;
  }
  expect(Math.abs(chiSquareDeviation(counts, n))).toBeLessThan(5);
});

test("integers lie below their bound and are equally frequent", () => {
  const random = new Random(13);
  for (const bound of [1, 2, 3, 7, 100]) {
    const n = 1000 * bound;
    const counts = new Uint32Array(bound);
    for (let i = 0; i < n; i++) counts[random.integer(bound)]++;
    expect(counts.reduce((a, b) => a + b)).toBe(n);
    if (bound > 1) expect(chiSquareDeviation(counts, n), `bound ${bound}`).toBeLessThan(5);
  }
  for (let i = 0; i < 1000; i++)
    expect(Number.isSafeInteger(random.integer(Number.MAX_SAFE_INTEGER))).toBe(true);
});

test("normal numbers have the moments and the spread of the standard normal", () => {
  const n = 200_000;
  const x = new Random(14).fillNormal(new Float64Array(n));
  const moment = (p: number) => x.reduce((sum, v) => sum + v ** p, 0) / n;
  // The p-th moment of n samples has standard deviation √((E x²ᵖ − (E xᵖ)²)/n); E x², x⁴, x⁶, x⁸ = 1, 3, 15, 105.
  const deviation = (p: number, mean: number, variance: number) =>
    (moment(p) - mean) / Math.sqrt(variance / n);
  expect(Math.abs(deviation(1, 0, 1))).toBeLessThan(5);
  expect(Math.abs(deviation(2, 1, 2))).toBeLessThan(5);
  expect(Math.abs(deviation(3, 0, 15))).toBeLessThan(5);
  expect(Math.abs(deviation(4, 3, 96))).toBeLessThan(5);
  const beyondTwo = x.filter((v) => Math.abs(v) > 2).length;
  const p = 0.0455002638963584; // 2(1 − Φ(2)), Abramowitz and Stegun table 26.1
  expect(Math.abs(beyondTwo - n * p) / Math.sqrt(n * p * (1 - p))).toBeLessThan(5);
});

test("fillNormal equals repeated calls of normal", () => {
  const one = new Random(15);
  expect([...new Random(15).fillNormal(new Float64Array(50))]).toEqual(
    Array.from({ length: 50 }, () => one.normal()),
  );
});

test("all orders of four things are equally frequent", () => {
  const random = new Random(16);
  const n = 24_000;
  const counts = new Map<string, number>();
  for (let i = 0; i < n; i++) {
    const order = random.permutation(4).join("");
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  expect(counts.size).toBe(24);
  expect(Math.abs(chiSquareDeviation([...counts.values()], n))).toBeLessThan(5);
});

test("a permutation holds every index once", () => {
  const random = new Random(17);
  for (const n of [0, 1, 2, 1000])
    expect(random.permutation(n).sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i));
});

test("misuse is refused with a sentence", () => {
  expect(() => new Random(0.5)).toThrow(InputValueError);
  expect(() => new Random(Number.NaN)).toThrow(/Random: expected a seed that is an integer, got NaN/);
  for (const bound of [0, -1, 1.5, Infinity])
    expect(() => new Random(1).integer(bound)).toThrow(InputValueError);
});
