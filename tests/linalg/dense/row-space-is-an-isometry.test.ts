import { expect, test } from "vitest";
import { Random } from "../../../src/base/index.ts";
import { rowSpace } from "../../../src/linalg/index.ts";

const random = new Random(20, "row space");
const normals = (count: number): Float64Array => Float64Array.from({ length: count }, () => random.normal());

/** left (rows × inner) times right (inner × columns). */
function product(left: Float64Array, right: Float64Array, rows: number, inner: number, columns: number) {
  const out = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++)
    for (let k = 0; k < inner; k++)
      for (let j = 0; j < columns; j++) out[i * columns + j] += left[i * inner + k] * right[k * columns + j];
  return out;
}

function transposed(a: Float64Array, rows: number, columns: number): Float64Array {
  return Float64Array.from({ length: a.length }, (_, at) => a[(at % rows) * columns + Math.floor(at / rows)]);
}

function largestDifference(a: Float64Array, b: Float64Array): number {
  return a.reduce((most, entry, i) => Math.max(most, Math.abs(entry - b[i])), 0);
}

const identity = (size: number): Float64Array =>
  Float64Array.from({ length: size * size }, (_, i) => (i % (size + 1) === 0 ? 1 : 0));

/** Rows of a rank, of lengths over many orders of magnitude where asked. */
function ofRank(count: number, n: number, rank: number, decades = 0): Float64Array {
  const rows = product(normals(count * rank), normals(rank * n), count, rank, n);
  return rows.map((entry, at) => entry * 10 ** ((decades * (Math.floor(at / n) % 7)) / 6 - decades / 2));
}

test.each([
  ["fewer rows than columns", 70, 200, 70, 0],
  ["more rows than columns", 130, 45, 45, 0],
  ["dependent rows", 150, 200, 40, 0],
  ["lengths over twelve decades", 80, 120, 80, 12],
  ["one row", 1, 9, 1, 0],
])(
  "%s: an orthonormal basis of their span, in which they have their coordinates",
  (_, count, n, rank, decades) => {
    const rows = ofRank(count, n, rank, decades);
    const found = rowSpace(rows, count, n);
    expect(found.rank).toBe(rank);
    const { basis, coordinates } = found;
    expect(
      largestDifference(product(basis, transposed(basis, rank, n), rank, n, rank), identity(rank)),
    ).toBeLessThan(1e-13);
    const again = product(coordinates, basis, count, rank, n);
    for (let i = 0; i < count; i++) {
      const row = rows.subarray(i * n, (i + 1) * n);
      expect(largestDifference(again.subarray(i * n, (i + 1) * n), row)).toBeLessThan(
        1e-13 * Math.hypot(...row),
      );
    }
  },
);

test("rows that differ by little from one another keep their differences", () => {
  const n = 300;
  const common = normals(n);
  const differences = normals(40 * n);
  const rows = Float64Array.from({ length: 40 * n }, (_, at) => common[at % n] + 1e-7 * differences[at]);
  const { rank, basis } = rowSpace(rows, 40, n);
  expect(rank).toBe(40);
  expect(
    largestDifference(product(basis, transposed(basis, rank, n), rank, n, rank), identity(rank)),
  ).toBeLessThan(1e-13);
});

test("rows of zeros and repeated rows add nothing", () => {
  const row = normals(50);
  const rows = new Float64Array(40 * 50);
  for (let i = 0; i < 40; i += 2) rows.set(row, i * 50);
  expect(rowSpace(rows, 40, 50).rank).toBe(1);
  expect(rowSpace(new Float64Array(100), 2, 50).rank).toBe(0);
});

test("it can be stopped", () => {
  expect(() => rowSpace(normals(1000), 10, 100, () => true)).toThrow("stopped");
});
