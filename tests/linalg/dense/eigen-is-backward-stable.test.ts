import { EigenvalueDecomposition, Matrix } from "ml-matrix";
import { describe, expect, it } from "vitest";
import { EPS, Random } from "../../../src/base/index.ts";
import { symmetricEigen } from "../../../src/linalg/index.ts";
import { frobenius, nastyMatrices, orthogonalityRatio, symmetric } from "../cases.ts";

/** Largest ratio allowed, in units of n·ε·‖A‖ and n·ε. */
const LIMIT = 30;

/** ‖A V − V Λ‖/(n·ε·‖A‖), on A divided by its largest element so that nothing over- or underflows. */
function residualRatio(a: Float64Array, n: number, values: Float64Array, vectors: Float64Array): number {
  const size = a.reduce((largest, entry) => Math.max(largest, Math.abs(entry)), 0) || 1;
  const unit = a.map((entry) => entry / size);
  const difference = new Float64Array(n * n);
  for (let e = 0; e < n; e++)
    for (let i = 0; i < n; i++) {
      let sum = -(values[e] / size) * vectors[e * n + i];
      for (let j = 0; j < n; j++) sum += unit[i * n + j] * vectors[e * n + j];
      difference[e * n + i] = sum;
    }
  const scale = Math.max(1, n) * EPS * (frobenius(unit) || 1);
  // A matrix of subnormals cannot have eigenvalues known better than half of the smallest subnormal.
  const quantum = (n * 2 ** -1074) / size;
  return Math.max(0, frobenius(difference) - quantum) / scale;
}

describe("symmetricEigen", () => {
  for (const [name, generate] of Object.entries(nastyMatrices))
    it(`has small residuals and orthonormal vectors: ${name}`, () => {
      for (const n of [0, 1, 2, 3, 5, 21, 64, 200]) {
        const a = generate(new Random(n, name), n);
        const { values, vectors, status } = symmetricEigen(a, n);
        expect(status).toBe("solved");
        const label = `${name}, n = ${n}, seed ${n}`;
        expect(residualRatio(a, n, values, vectors), label).toBeLessThanOrEqual(LIMIT);
        expect(orthogonalityRatio(vectors, n, n), label).toBeLessThanOrEqual(LIMIT);
        expect(values.every((value, i) => i === 0 || values[i - 1] <= value)).toBe(true);
      }
    });

  it("keeps its vectors orthonormal when elements of all sizes down to the subnormal stand beside one another", () => {
    for (let seed = 0; seed < 3000; seed++) {
      const random = new Random(seed, "sizes");
      const n = 2 + random.integer(6);
      const a = new Float64Array(n * n);
      for (let i = 0; i < n; i++)
        for (let j = 0; j <= i; j++) {
          const exponent = [0, -300 - 24 * random.uniform(), -324 * random.uniform()][random.integer(3)];
          a[i * n + j] = a[j * n + i] = random.integer(8) === 0 ? 0 : random.normal() * 10 ** exponent;
        }
      const { values, vectors, status } = symmetricEigen(a, n);
      expect(status).toBe("solved");
      const label = `n = ${n}, seed ${seed}: ${a.join(", ")}`;
      expect(orthogonalityRatio(vectors, n, n), label).toBeLessThanOrEqual(LIMIT);
      expect(residualRatio(a, n, values, vectors), label).toBeLessThanOrEqual(LIMIT);
    }
    const pair = symmetricEigen(Float64Array.of(1, 1e-320, 1e-320, 1), 2);
    expect(orthogonalityRatio(pair.vectors, 2, 2)).toBeLessThanOrEqual(LIMIT);
  });

  it("agrees with ml-matrix on eigenvalues", () => {
    for (const n of [1, 4, 30, 90]) {
      const a = symmetric(new Random(n, "oracle"), n);
      const rows = Array.from({ length: n }, (_, i) => Array.from(a.subarray(i * n, (i + 1) * n)));
      const oracle = new EigenvalueDecomposition(new Matrix(rows), { assumeSymmetric: true });
      const expected = oracle.realEigenvalues.sort((x, y) => x - y);
      const { values } = symmetricEigen(a, n);
      const worst = Math.max(...expected.map((value, i) => Math.abs(value - values[i])));
      expect(worst / (n * EPS * frobenius(a)), `n = ${n}`).toBeLessThanOrEqual(LIMIT);
    }
  });

  it("knows the eigenvalues of the Laplacian", () => {
    const n = 50;
    const { values } = symmetricEigen(nastyMatrices.Laplacian(new Random(0), n), n);
    for (let i = 0; i < n; i++) {
      const exact = 4 * Math.sin(((i + 1) * Math.PI) / (2 * (n + 1))) ** 2;
      expect(Math.abs(values[i] - exact) / (n * EPS * 4)).toBeLessThanOrEqual(LIMIT);
    }
  });

  it("uses the symmetric part and leaves its argument alone", () => {
    const a = Float64Array.of(1, 5, 1, 2);
    const { values } = symmetricEigen(a, 2);
    expect(Array.from(a)).toEqual([1, 5, 1, 2]);
    expect(values[0] + values[1]).toBeCloseTo(3, 14);
    expect(values[0] * values[1]).toBeCloseTo(2 - 9, 13);
  });

  it("reports NaN and infinity, refuses wrong lengths", () => {
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const { status, values } = symmetricEigen(Float64Array.of(1, bad, bad, 1), 2);
      expect(status).toBe("not-finite");
      expect(Array.from(values)).toEqual([Number.NaN, Number.NaN]);
    }
    expect(() => symmetricEigen(new Float64Array(3), 2)).toThrow(/symmetricEigen: expected .* got 3/);
  });
});
