import { describe, expect, it } from "vitest";
import { EPS, Random } from "../../../src/base/index.ts";
import {
  applyQ,
  applyQTransposed,
  cholesky,
  choleskySolve,
  qr,
  smat,
  solveUpper,
  svec,
  svecIndex,
  svecLength,
} from "../../../src/linalg/index.ts";
import { frobenius, gaussian, gram, orthogonalityRatio, powerOfTen, symmetric } from "../cases.ts";

const LIMIT = 30;

describe("cholesky", () => {
  it("reproduces positive definite matrices, graded ones included", () => {
    for (const n of [0, 1, 2, 7, 40])
      for (let seed = 0; seed < 10; seed++) {
        const random = new Random(seed, "cholesky");
        const t = Array.from({ length: n }, () => powerOfTen(random, seed));
        const a = gram(random, n, n + 5).map((entry, at) => entry * t[Math.floor(at / n)] * t[at % n]);
        const { factor, status } = cholesky(a, n);
        expect(status).toBe("solved");
        // Backward stable element by element: |A − LLᵀ|_ij ≤ c·n·ε·√(a_ii·a_jj) (Higham, Theorem 10.3).
        for (let i = 0; i < n; i++)
          for (let j = 0; j <= i; j++) {
            let sum = -a[i * n + j];
            for (let e = 0; e <= j; e++) sum += factor[i * n + e] * factor[j * n + e];
            const scale = (n + 1) * EPS * Math.sqrt(a[i * n + i] * a[j * n + j]);
            expect(Math.abs(sum) / scale, `n = ${n}, seed ${seed}`).toBeLessThanOrEqual(LIMIT);
          }
        const x = gaussian(random, n).map((entry, i) => entry / (t[i] * t[i]));
        const right = Float64Array.from({ length: n }, (_, i) =>
          x.reduce((sum, entry, j) => sum + a[i * n + j] * entry, 0),
        );
        const scale = frobenius(a) * frobenius(x) || 1;
        choleskySolve(factor, n, right);
        const residual = right.map((_, i) =>
          right.reduce((sum, entry, j) => sum + a[i * n + j] * (entry - x[j]), 0),
        );
        expect(frobenius(residual) / (scale * (n + 1) * EPS)).toBeLessThanOrEqual(LIMIT);
      }
  });

  it("says what is not positive definite or not finite", () => {
    expect(cholesky(Float64Array.of(1, 2, 2, 1), 2).status).toBe("not-positive-definite");
    expect(cholesky(new Float64Array(4), 2).status).toBe("not-positive-definite");
    expect(cholesky(Float64Array.of(Number.NaN), 1).status).toBe("not-finite");
    expect(() => cholesky(new Float64Array(12), 3)).toThrow(/cholesky: expected .*3×3/);
  });
});

describe("qr", () => {
  for (const pivot of [false, true])
    it(`reproduces the columns with an orthogonal Q${pivot ? ", pivoting" : ""}`, () => {
      for (const [rows, cols, rank] of [
        [0, 0, 0],
        [1, 1, 1],
        [5, 0, 0],
        [9, 4, 4],
        [4, 9, 4],
        [12, 8, 3],
        [30, 30, 30],
      ])
        for (let seed = 0; seed < 5; seed++) {
          const random = new Random(seed, "qr");
          const left = gaussian(random, rank * rows);
          const columns = new Float64Array(cols * rows);
          for (let j = 0; j < cols; j++)
            for (let e = 0; e < rank; e++) {
              const c = random.normal();
              for (let i = 0; i < rows; i++) columns[j * rows + i] += c * left[e * rows + i];
            }
          const factored = qr(columns, rows, cols, pivot);
          if (pivot) expect(factored.rank, `${rows}×${cols}, seed ${seed}`).toBe(rank);
          const difference = new Float64Array(rows * cols);
          factored.order.forEach((from, j) => {
            const column = factored.r.slice(j * rows, (j + 1) * rows);
            expect(column.subarray(j + 1).every((entry) => entry === 0)).toBe(true);
            applyQ(factored, column);
            for (let i = 0; i < rows; i++) difference[j * rows + i] = column[i] - columns[from * rows + i];
          });
          const scale = (frobenius(columns) || 1) * Math.max(1, rows) * EPS;
          expect(frobenius(difference) / scale).toBeLessThanOrEqual(LIMIT);
          const q = new Float64Array(rows * rows);
          for (let i = 0; i < rows; i++) {
            q[i * rows + i] = 1;
            applyQTransposed(factored, q.subarray(i * rows, (i + 1) * rows));
          }
          expect(orthogonalityRatio(q, rows, rows)).toBeLessThanOrEqual(LIMIT);
        }
    });

  it("keeps Q orthogonal for elements from subnormal to the largest", () => {
    for (let seed = 0; seed < 300; seed++) {
      const random = new Random(seed, "qr sizes");
      const [rows, cols] = [2 + random.integer(6), 1 + random.integer(4)];
      const size = [1e307, 1e-318, 1][random.integer(3)];
      const columns = gaussian(random, rows * cols).map(
        (entry) => entry * size * (random.integer(2) ? 1 : 10 ** (-300 * random.uniform())),
      );
      const factored = qr(columns, rows, cols);
      const q = new Float64Array(rows * rows);
      for (let i = 0; i < rows; i++) {
        q[i * rows + i] = 1;
        applyQTransposed(factored, q.subarray(i * rows, (i + 1) * rows));
      }
      expect(orthogonalityRatio(q, rows, rows), `seed ${seed}`).toBeLessThanOrEqual(LIMIT);
    }
  });

  it("solves triangular systems", () => {
    const factored = qr(Float64Array.of(2, 0, 1, 3), 2, 2);
    const x = Float64Array.of(4, 6);
    applyQTransposed(factored, x);
    solveUpper(factored, 2, x);
    expect(x[0]).toBeCloseTo(1, 14);
    expect(x[1]).toBeCloseTo(2, 14);
  });
});

describe("svec", () => {
  it("is an isometry with inverse smat, in the documented order", () => {
    for (const k of [0, 1, 2, 5, 9]) {
      const random = new Random(k, "svec");
      const [x, y] = [symmetric(random, k), symmetric(random, k)];
      const inner = (u: Float64Array, v: Float64Array) => u.reduce((sum, entry, i) => sum + entry * v[i], 0);
      const scale = (1 + frobenius(x) * frobenius(y)) * EPS * (k + 1);
      expect(Math.abs(inner(x, y) - inner(svec(x, k), svec(y, k))) / scale).toBeLessThanOrEqual(LIMIT);
      const back = smat(svec(x, k), k);
      expect(frobenius(back.map((entry, i) => entry - x[i])) / scale).toBeLessThanOrEqual(LIMIT);
      const places = new Set<number>();
      for (let i = 0; i < k; i++) for (let j = i; j < k; j++) places.add(svecIndex(k, i, j));
      expect(Array.from(places)).toEqual(Array.from({ length: svecLength(k) }, (_, i) => i));
    }
  });
});
