import { describe, expect, it } from "vitest";
import { EPS, Random } from "../../../src/base/index.ts";
import { lanczos, lobpcg } from "../../../src/linalg/index.ts";
import { countingDiagonal } from "../cases.ts";

const n = 600;
const spectrum = Float64Array.from({ length: n }, (_, i) => 40 / (i + 1) + 0.01 * Math.cos(i));

describe("lobpcg", () => {
  it("applies the operator to count vectors at the start, at most count per iteration, and count to verify", () => {
    for (const count of [1, 3, 8])
      for (const memory of [3 * count, 12 * count]) {
        const { apply, counts } = countingDiagonal(spectrum);
        const { stats, status } = lobpcg(n, apply, { count, memory, random: new Random(count) });
        expect(status).toBe("converged");
        expect(stats.applications).toBe(counts.vectors);
        expect(counts.calls).toBe(stats.iterations + 2);
        expect(counts.largest).toBe(count);
        expect(stats.verifications).toBe(count);
        expect(stats.applications).toBeLessThanOrEqual(count * (stats.iterations + 2));
      }
  });

  it("applies it to exactly count vectors per iteration while no pair has converged", () => {
    for (const iterations of [0, 1, 4, 7]) {
      const { apply, counts } = countingDiagonal(spectrum);
      const options = { count: 3, maxIterations: iterations, tolerance: 1e-13, looseTolerance: 1e-13 };
      const { stats, status } = lobpcg(n, apply, options);
      expect(status).toBe("iteration-limit");
      expect(stats.iterations).toBe(iterations);
      expect(stats.applications).toBe(3 * (iterations + 2));
      expect(counts.vectors).toBe(stats.applications);
    }
  });

  it("saves the start with known products and the end without verification", () => {
    const { apply, counts } = countingDiagonal(spectrum);
    const cold = lobpcg(n, apply, { count: 4 });
    counts.vectors = 0;
    const { vectors: initial, products: initialProducts } = cold.value;
    const known = lobpcg(n, apply, { count: 4, initial, initialProducts, verify: false });
    expect(known.status).toBe("converged");
    expect(known.stats).toMatchObject({ iterations: 0, applications: 0, verified: false });
    expect(counts.vectors).toBe(0);
    const more = lobpcg(n, apply, { count: 5, initial, initialProducts, maxIterations: 0, verify: false });
    expect(more.stats.applications).toBe(1);
    expect(counts.vectors).toBe(1);
  });

  it("with `rounding` applies it afresh only where the tolerance is near roundoff; residuals hold either way", () => {
    for (const count of [1, 4])
      for (const tolerance of [1e-6, 1e-10, 1e-15]) {
        const { apply } = countingDiagonal(spectrum);
        const { value, stats } = lobpcg(n, apply, {
          count,
          tolerance,
          verify: "rounding",
          maxIterations: 400,
        });
        expect(stats.verifications > 0).toBe(tolerance < 1e-14);
        expect(stats.verified).toBe(true);
        for (let i = 0; i < count; i++) {
          let squares = 0;
          for (let l = 0; l < n; l++)
            squares += ((spectrum[l] - value.values[i]) * value.vectors[i * n + l]) ** 2;
          const bound = 0.01 * tolerance * 2 * value.values[i] + 20 * EPS * spectrum[0];
          expect(Math.abs(Math.sqrt(squares) - stats.residuals[i])).toBeLessThanOrEqual(bound);
        }
      }
  });

  it("finds out by verification when the products given were wrong, and mends it", () => {
    const { apply, counts } = countingDiagonal(spectrum);
    const initial = new Random(5).fillNormal(new Float64Array(2 * n));
    const initialProducts = initial.map((entry) => 7 * entry);
    const { value, status, stats } = lobpcg(n, apply, { count: 2, initial, initialProducts });
    expect(status).toBe("converged");
    expect(Math.abs(value.values[0] - spectrum[0])).toBeLessThanOrEqual(1e-9 * spectrum[0]);
    expect(stats.applications).toBe(counts.vectors);
    expect(stats.verifications).toBeGreaterThan(2);
  });

  it("spends less when only the leading pairs are required", () => {
    const all = countingDiagonal(spectrum);
    lobpcg(n, all.apply, { count: 6 });
    const few = countingDiagonal(spectrum);
    const threshold = (spectrum[1] + spectrum[2]) / 2;
    const { status, stats } = lobpcg(n, few.apply, {
      count: 6,
      required: (values) => values.filter((value) => value > threshold).length,
    });
    expect(status).toBe("converged");
    expect(stats.required).toBe(2);
    stats.relativeResiduals.forEach((residual, i) => {
      expect(residual).toBeLessThanOrEqual(i < 2 ? 1e-10 : 1e-3);
    });
    expect(few.counts.vectors).toBeLessThan(all.counts.vectors);
  });

  it("uses no more applications with more memory", () => {
    const plain = countingDiagonal(spectrum);
    lobpcg(n, plain.apply, { count: 4, memory: 12 });
    const roomy = countingDiagonal(spectrum);
    lobpcg(n, roomy.apply, { count: 4, memory: 40 });
    expect(roomy.counts.vectors).toBeLessThanOrEqual(plain.counts.vectors);
  });
});

describe("lanczos", () => {
  it("applies the operator once per iteration, and to all pairs to verify", () => {
    for (const verify of [true, false]) {
      const { apply, counts } = countingDiagonal(spectrum);
      const { stats, status } = lanczos(n, apply, { largest: 4, verify });
      expect(status).toBe("converged");
      expect(stats.verifications).toBe(verify ? 4 : 0);
      expect(stats.applications).toBe(stats.iterations + stats.verifications);
      expect(counts.vectors).toBe(stats.applications);
    }
  });
});
