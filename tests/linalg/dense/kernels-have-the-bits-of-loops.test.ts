import { expect, test } from "vitest";
import { Random } from "../../../src/base/index.ts";
import {
  addCombined,
  borrow,
  combineInPlace,
  crossProducts,
  dot,
  innerProducts,
  PIECE,
} from "../../../src/linalg/dense/vectors.ts";

const LENGTHS = [1, 2, 3, 4, 5, 7, 64, 1025];
const COUNTS = [0, 1, 2, 3, 5, 8];

/** Numbers with signs, zeros of both signs, subnormals and sizes far apart. */
function nasty(random: Random, length: number): Float64Array {
  const x = random.fillNormal(new Float64Array(length));
  for (let i = 0; i < length; i += 7) x[i] = [0, -0, 5e-324, 1e150, -1e-150][Math.floor(i / 7) % 5];
  return x;
}

/** How many entries have other bits. */
const differing = (found: Float64Array, expected: Float64Array): number =>
  expected.reduce((count, entry, i) => count + (Object.is(found[i], entry) ? 0 : 1), 0);

test("block operations give the same bits on borrowed arrays as on plain ones", () => {
  const random = new Random(11, "kernels");
  let compared = 0;
  for (const n of LENGTHS)
    for (const m of COUNTS)
      for (const count of COUNTS) {
        const x = nasty(random, m * n);
        const y = nasty(random, count * n);
        const c = nasty(random, count * m);
        const inner = new Float64Array(m * count);
        innerProducts(x, 0, m, y, 0, count, n, inner);
        const sums = y.slice();
        addCombined(x, m, n, c, count, sums);
        const least = Math.min(m, count);
        const replaced = x.slice();
        combineInPlace(replaced, m, n, c, least);
        borrow(3 + (m + count) * n + count * PIECE, (space) => {
          const [left, right] = [
            space.subarray(3, 3 + m * n),
            space.subarray(3 + m * n, 3 + (m + count) * n),
          ];
          left.set(x);
          right.set(y);
          const found = new Float64Array(m * count);
          innerProducts(left, 0, m, right, 0, count, n, found);
          expect(differing(found, inner)).toBe(0);
          addCombined(left, m, n, c, count, right);
          expect(differing(right, sums)).toBe(0);
          combineInPlace(left, m, n, c, least, undefined, space.subarray(3 + (m + count) * n));
          expect(differing(left, replaced)).toBe(0);
          compared++;
        });
        const cross = crossProducts(x, m, y, count, n);
        const dots = cross.map((_, at) => dot(x, Math.floor(at / count) * n, y, (at % count) * n, n));
        expect(differing(cross, dots)).toBe(0);
      }
  expect(compared).toBe(LENGTHS.length * COUNTS.length ** 2);
});

test("inside a loan another one is a plain array of zeros, and what the first holds stays", () => {
  borrow(100, (outer) => {
    outer.fill(3);
    borrow(50, (inner) => {
      expect(inner.buffer).not.toBe(outer.buffer);
      expect(inner).toEqual(new Float64Array(50));
      inner.fill(4);
    });
    expect(outer).toEqual(new Float64Array(100).fill(3));
  });
});

test("a loan ends where its work throws, and a longer one may follow", () => {
  expect(() => borrow(10, () => expect.unreachable())).toThrow();
  borrow(10, (short) => borrow(10, (plain) => expect(plain.buffer).not.toBe(short.buffer)));
  for (const length of [10, 100_000, 20]) borrow(length, (space) => expect(space.length).toBe(length));
});
