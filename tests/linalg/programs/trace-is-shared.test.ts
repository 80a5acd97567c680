import { expect, test } from "vitest";
import { Random } from "../../../src/base/index.ts";
import { smat, svec, svecLength, symmetricEigen, traceConstrainedSdcp } from "../../../src/linalg/index.ts";
import { gaussian, gram, symmetric } from "../cases.ts";

test("X ⪰ 0 has the trace, and lies in the top eigenspace of M − B[X]", () => {
  for (let seed = 0; seed < 30; seed++) {
    const random = new Random(seed, "trace");
    const k = 1 + (seed % 5);
    const m = svecLength(k);
    const M = symmetric(random, k);
    // Every third B is singular.
    const B = gram(random, m, seed % 3 === 0 ? Math.max(1, m - 2) : m + 2).map(
      (entry) => entry * 10 ** (seed % 4),
    );
    const trace = 10 ** (2 * gaussian(random, 1)[0]);
    const label = `seed ${seed}, k ${k}`;
    const { value, status, stats } = traceConstrainedSdcp(k, M, B, trace);
    expect(status, label).toBe("solved");
    expect(stats.violation, label).toBeLessThanOrEqual(1e-9);
    const { X, level } = value;
    const diagonal = Array.from({ length: k }, (_, i) => X[i * (k + 1)]).reduce((x, y) => x + y, 0);
    expect(Math.abs(diagonal / trace - 1), label).toBeLessThanOrEqual(1e-12);
    expect(symmetricEigen(X, k).values[0], label).toBeGreaterThanOrEqual(-1e-10 * trace);
    const x = svec(X, k);
    const image = Float64Array.from({ length: m }, (_, i) =>
      x.reduce((sum, entry, j) => sum + B[i * m + j] * entry, 0),
    );
    const rest = smat(image, k).map((entry, at) => M[at] - entry);
    const { values } = symmetricEigen(rest, k);
    const size = Math.max(...values.map(Math.abs), ...image.map(Math.abs));
    expect(Math.abs(values[k - 1] - level), label).toBeLessThanOrEqual(1e-12 * size);
    const complement = rest.reduce(
      (sum, entry, at) => sum + X[at] * ((at % (k + 1) === 0 ? level : 0) - entry),
      0,
    );
    expect(Math.abs(complement), label).toBeLessThanOrEqual(1e-8 * trace * size);
  }
});

test("limits: nothing to share, one to take it, and B = 0", () => {
  expect(traceConstrainedSdcp(0, new Float64Array(0), new Float64Array(0), 1).status).toBe("solved");
  expect(traceConstrainedSdcp(1, Float64Array.of(3), Float64Array.of(2), 0.5).value).toMatchObject({
    X: Float64Array.of(0.5),
    level: 2,
  });
  const zero = traceConstrainedSdcp(2, Float64Array.of(1, 0, 0, 2), new Float64Array(9), 3);
  expect(zero.status).toBe("solved");
  [0, 0, 0, 3].forEach((entry, at) => {
    expect(Math.abs(zero.value.X[at] - entry)).toBeLessThanOrEqual(1e-9);
  });
  expect(() => traceConstrainedSdcp(1, Float64Array.of(1), Float64Array.of(1), -1)).toThrow(/trace ≥ 0/);
});
