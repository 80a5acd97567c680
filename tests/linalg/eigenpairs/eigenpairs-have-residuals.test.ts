import { describe, expect, it } from "vitest";
import { EPS, Random } from "../../../src/base/index.ts";
import { advice, type BlockOperator, type EigenResult, lanczos, lobpcg } from "../../../src/linalg/index.ts";
import { countingDiagonal, freshResiduals, frobenius, orthogonalityRatio, symmetric } from "../cases.ts";

const TOLERANCE = 1e-10;

/** Spectra with a gap after the first four values (fewer if n is smaller), where convergence is owed. */
const gapped: Record<string, (i: number, n: number) => number> = {
  "edge of stability": (i) => (i < 4 ? 2 - 0.02 * i : 1.5 * Math.exp(-i / 8) + 0.01 * Math.cos(i)),
  decaying: (i) => 40 / (i + 1),
  "large negative end": (i) => (i < 4 ? 10 - i : -50 * Math.abs(Math.sin(i))),
  geometric: (i) => 2 ** -i,
  "double eigenvalue": (i) => (i < 2 ? 5 : i < 4 ? 3 : Math.cos(i)),
  identity: () => 1,
  zero: () => 0,
  "rank two": (i) => (i < 2 ? 1 : 0),
  huge: (i) => 1e300 / (i + 1),
  tiny: (i) => 1e-300 / (i + 1),
};

/** Recomputes every certificate of a converged result; the spectrum is known. */
function certify(
  result: EigenResult,
  apply: BlockOperator,
  n: number,
  expected: number[],
  norm: number,
  label: string,
) {
  const { value, status, stats } = result;
  expect(status, label).toBe("converged");
  expect(stats.verified, label).toBe(true);
  expect(orthogonalityRatio(value.vectors, value.count, n), label).toBeLessThanOrEqual(30);
  const residuals = freshResiduals(n, apply, value.values, value.vectors);
  residuals.forEach((residual, i) => {
    const bound = Math.max(2 * TOLERANCE * Math.abs(value.values[i]), 30 * EPS * norm);
    expect(residual, `${label}, pair ${i}`).toBeLessThanOrEqual(bound * (1 + TOLERANCE));
    // What the stats say is what there is, up to rounding.
    expect(Math.abs(residual - stats.residuals[i]), label).toBeLessThanOrEqual(30 * n * EPS * norm);
    expect(Math.abs(value.values[i] - expected[i]), `${label}, value ${i}`).toBeLessThanOrEqual(
      bound + 30 * EPS * norm,
    );
  });
}

for (const [name, f] of Object.entries(gapped))
  describe(`spectrum: ${name}`, () => {
    for (const n of [1, 2, 3, 5, 7, 12, 40, 400]) {
      const spectrum = Float64Array.from({ length: n }, (_, i) => f(i, n));
      const norm = Math.max(...spectrum.map(Math.abs));
      const descending = Array.from(spectrum).sort((a, b) => b - a);
      const ascending = [...descending].reverse();

      it(`lobpcg, n = ${n}`, () => {
        for (const count of new Set([1, 2, 4, n].filter((k) => k <= Math.min(n, 12))))
          for (const memory of [undefined, 3 * count]) {
            const { apply } = countingDiagonal(spectrum);
            const random = new Random(count, name);
            const result = lobpcg(n, apply, { count, random, memory, maxIterations: 300 });
            certify(result, apply, n, descending, norm, `${name}, n = ${n}, count ${count}, seed ${count}`);
          }
        const { apply } = countingDiagonal(spectrum.map((value) => -value));
        const smallest = lobpcg(n, apply, { count: 1, which: "smallest", maxIterations: 300 });
        certify(
          smallest,
          apply,
          n,
          descending.map((value) => -value),
          norm,
          `${name}, smallest`,
        );
      });

      it(`lanczos, n = ${n}`, () => {
        const multiple = name === "double eigenvalue";
        for (const largest of new Set([1, 2, 4, n].filter((k) => k <= Math.min(n, 12)))) {
          const { apply } = countingDiagonal(spectrum);
          const random = new Random(largest, name);
          const result = lanczos(n, apply, { largest, random, confirm: multiple });
          certify(
            result,
            apply,
            n,
            descending,
            norm,
            `${name}, n = ${n}, largest ${largest}, seed ${largest}`,
          );
        }
        if (n < 2 || n > 40) return;
        const { apply } = countingDiagonal(spectrum);
        const both = lanczos(n, apply, { largest: 1, smallest: 1, confirm: multiple });
        certify(both, apply, n, [descending[0], ascending[0]], norm, `${name}, n = ${n}, both ends`);
      });
    }
  });

describe("dense operators", () => {
  it("converges for full matrices from random and warm starts", () => {
    const n = 60;
    const random = new Random(3, "dense");
    const a = symmetric(random, n);
    const apply: BlockOperator = (vectors, products, count) => {
      for (let v = 0; v < count; v++)
        for (let i = 0; i < n; i++) {
          let sum = 0;
          for (let j = 0; j < n; j++) sum += a[i * n + j] * vectors[v * n + j];
          products[v * n + i] = sum;
        }
    };
    const cold = lobpcg(n, apply, { count: 3, random });
    const krylov = lanczos(n, apply, { largest: 3, random });
    expect(cold.status).toBe("converged");
    expect(krylov.status).toBe("converged");
    cold.value.values.forEach((value, i) => {
      expect(Math.abs(value - krylov.value.values[i])).toBeLessThanOrEqual(TOLERANCE * Math.abs(value));
    });
    for (let i = 0; i < a.length; i++) a[i] *= 1 + 1e-6;
    const warm = lobpcg(n, apply, { count: 3, random, initial: cold.value.vectors });
    expect(warm.status).toBe("converged");
    expect(warm.stats.applications).toBe(6);
  });
});

describe("honest reports", () => {
  const n = 500;
  const bulk = Float64Array.from({ length: n }, (_, i) => Math.cos((i * Math.PI) / (2 * n)) ** 0.01);

  it("says iteration-limit, with true residuals, where there is no gap", () => {
    const { apply } = countingDiagonal(bulk);
    for (const result of [
      lobpcg(n, apply, { count: 2, maxIterations: 5 }),
      lanczos(n, apply, { largest: 2, maxIterations: 10 }),
    ]) {
      expect(result.status).toBe("iteration-limit");
      expect(Math.max(...result.stats.relativeResiduals)).toBeGreaterThan(TOLERANCE);
      freshResiduals(n, apply, result.value.values, result.value.vectors).forEach((residual, i) => {
        expect(Math.abs(residual - result.stats.residuals[i])).toBeLessThanOrEqual(30 * n * EPS);
      });
    }
  });

  it("says stagnated when the operator is too noisy for the tolerance", () => {
    const { apply } = countingDiagonal(Float64Array.from({ length: n }, (_, i) => 1 / (i + 1)));
    const random = new Random(1, "noise");
    const noisy: BlockOperator = (vectors, products, count) => {
      apply(vectors, products, count);
      for (let i = 0; i < count * n; i++) products[i] += 1e-15 * random.normal();
    };
    const result = lobpcg(n, noisy, { count: 2, tolerance: 1e-16, maxIterations: 400 });
    expect(result.status).toBe("stagnated");
    expect(Math.max(...result.stats.relativeResiduals)).toBeLessThanOrEqual(1e-12);
  });

  it("says not-finite, at the start and later", () => {
    const { apply } = countingDiagonal(bulk);
    for (const good of [0, 3]) {
      let calls = 0;
      const failing: BlockOperator = (vectors, products, count) => {
        apply(vectors, products, count);
        if (++calls > good) products[0] = Number.NaN;
      };
      const block = lobpcg(n, failing, { count: 2 });
      calls = 0;
      const krylov = lanczos(n, failing, { largest: 2 });
      for (const result of [block, krylov]) {
        expect(result.status).toBe("not-finite");
        expect(result.stats.verified).toBe(false);
        expect(result.value.values.every(Number.isFinite)).toBe(good > 0);
      }
    }
    // The verification itself may be what fails.
    let calls = 0;
    const late = lobpcg(
      4,
      (vectors, products, count) => {
        products.set(vectors.subarray(0, count * 4));
        if (++calls > 1) products[0] = Number.POSITIVE_INFINITY;
      },
      { count: 4 },
    );
    expect(late.status).toBe("not-finite");
    const verifying: BlockOperator = (vectors, products, count) => {
      apply(vectors, products, count);
      if (count > 1) products[0] = Number.NaN;
    };
    expect(lanczos(n, verifying, { largest: 2, tolerance: 1e-2 }).status).toBe("not-finite");
  });

  it("stops when asked, and survives NaN, dependent and missing initial vectors", () => {
    const { apply } = countingDiagonal(Float64Array.from({ length: n }, (_, i) => 40 / (i + 1)));
    const seen: number[] = [];
    const stopped = lobpcg(n, apply, {
      count: 2,
      stop: ({ iterations }) => {
        seen.push(iterations);
        return iterations === 2;
      },
    });
    expect(stopped.status).toBe("stopped");
    expect(seen).toEqual([0, 1, 2]);
    const initial = new Float64Array(2 * n).fill(1);
    expect(lobpcg(n, apply, { count: 3, initial }).status).toBe("converged");
    expect(lobpcg(n, apply, { count: 3, initial: initial.fill(Number.NaN) }).status).toBe("converged");
    expect(lobpcg(n, apply, { count: 3, initial: new Float64Array(0) }).status).toBe("converged");
    expect(lanczos(n, apply, { largest: 1, initial: new Float64Array(n) }).status).toBe("converged");
  });

  it("has a sentence of advice for every status", () => {
    for (const sentence of Object.values(advice)) expect(sentence).toMatch(/^[A-Z].*\.$/);
  });
});

describe("misuse", () => {
  const { apply } = countingDiagonal([3, 2, 1]);
  it("throws with what was expected and given", () => {
    expect(() => lobpcg(3, apply, { count: 4 })).toThrow(/lobpcg: expected .* got 4/);
    expect(() => lobpcg(3, apply, { count: -1 })).toThrow(RangeError);
    expect(() => lobpcg(3, apply, { count: 1, initial: new Float64Array(4) })).toThrow(/length 3/);
    expect(() => lobpcg(3, apply, { count: 1, initial: new Float64Array(6) })).toThrow(/at most 1/);
    expect(() => lobpcg(3, apply, { count: 1, initialProducts: new Float64Array(3) })).toThrow(/one product/);
    expect(() => lobpcg(3, apply, { count: 1, tolerance: Number.NaN })).toThrow(/tolerance/);
    expect(() => lanczos(3, apply, { largest: 2, smallest: 2 })).toThrow(/at most n = 3/);
    expect(() => lanczos(3, apply, { largest: 0.5 })).toThrow(/integers/);
    expect(() => lanczos(3, apply, { largest: 1, initial: new Float64Array(2) })).toThrow(/length 3/);
  });

  it("returns nothing for no pairs", () => {
    for (const n of [0, 3])
      for (const result of [lobpcg(n, apply, { count: 0 }), lanczos(n, apply, {})]) {
        expect(result.status).toBe("converged");
        expect(result.value.values).toHaveLength(0);
        expect(result.stats.applications).toBe(0);
      }
  });
});

it("the basis stays orthonormal over many restarts", () => {
  const n = 300;
  const { apply } = countingDiagonal(Float64Array.from({ length: n }, (_, i) => 1 - (i / n) ** 2));
  const { value, stats } = lobpcg(n, apply, { count: 3, memory: 9, maxIterations: 300, tolerance: 1e-12 });
  expect(stats.iterations).toBeGreaterThan(30);
  expect(orthogonalityRatio(value.vectors, 3, n)).toBeLessThanOrEqual(30);
  expect(frobenius(value.values)).toBeLessThanOrEqual(Math.sqrt(3) * (1 + 1e-14));
});

it("lanczos finds every copy of a multiple eigenvalue among those it is asked for, at both ends", () => {
  for (const copies of [2, 5, 7]) {
    const n = 40;
    const d = Float64Array.from({ length: n }, (_, i) =>
      i < copies ? 3 : i < 2 * copies ? -2 : 1 / (i + 1),
    );
    const apply = (vectors: Float64Array, products: Float64Array, count: number) => {
      for (let at = 0; at < count * n; at++) products[at] = d[at % n] * vectors[at];
    };
    const { value, status } = lanczos(n, apply, { largest: copies + 1, smallest: copies });
    expect(status).toBe("converged");
    const wanted = [...Array(copies).fill(3), 1 / (2 * copies + 1), ...Array(copies).fill(-2)];
    wanted.forEach((eigenvalue, i) => {
      expect(Math.abs(value.values[i] - eigenvalue), `copy ${i} of ${copies}`).toBeLessThan(1e-12);
    });
  }
});
