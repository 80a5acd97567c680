import { describe, expect, it } from "vitest";
import { EPS, Random } from "../../../src/base/index.ts";
import {
  convexQuadraticProgram,
  sdcp,
  smat,
  svec,
  svecIndex,
  svecLength,
  symmetricEigen,
} from "../../../src/linalg/index.ts";
import {
  frobenius,
  gaussian,
  gram,
  powerOfTen,
  type SdcpCase,
  solvableSdcps,
  symmetric,
  withSpectrum,
} from "../cases.ts";

const LIMIT = 1e-10;
const SEEDS = { 1: 10, 2: 20, 3: 20, 5: 15, 8: 6, 13: 2, 20: 1 };

/** The three conditions for X, recomputed with the symmetric part of B. */
function violations({ k, a, b }: SdcpCase, x: Float64Array): Record<string, number> {
  const m = svecLength(k);
  const coordinates = svec(x, k);
  const image = Float64Array.from({ length: m }, (_, i) =>
    coordinates.reduce((sum, entry, j) => sum + 0.5 * (b[i * m + j] + b[j * m + i]) * entry, 0),
  );
  const y = smat(image, k).map((entry, at) => entry + 0.5 * (a[at] + a[(at % k) * k + Math.floor(at / k)]));
  const [sizeX, sizeA] = [frobenius(x) || 1, frobenius(a) || 1];
  return {
    "X ⪰ 0": Math.max(0, -symmetricEigen(x, k).values[0]) / sizeX,
    "Y ⪰ 0": Math.max(0, -symmetricEigen(y, k).values[0]) / sizeA,
    "⟨X, Y⟩ = 0": Math.abs(x.reduce((sum, entry, at) => sum + entry * y[at], 0)) / (sizeX * sizeA),
  };
}

describe("sdcp", () => {
  for (const [name, generate] of Object.entries(solvableSdcps))
    it(`meets the conditions: ${name}`, () => {
      for (const [size, seeds] of Object.entries(SEEDS))
        for (let seed = 0; seed < seeds; seed++) {
          const k = Number(size);
          const given = generate(new Random(seed, `${name} ${k}`), k);
          const { value, status, stats } = sdcp(k, given.a, given.b);
          const label = `${name}, k = ${k}, seed ${seed}`;
          expect(status, label).toBe("solved");
          expect(stats.repair.clipped).toBeLessThanOrEqual(name.startsWith("slightly") ? 1e-2 : 0);
          if (stats.repair.clipped > 0) continue;
          for (const [condition, amount] of Object.entries(violations(given, value.X)))
            expect(amount, `${label}: ${condition}`).toBeLessThanOrEqual(LIMIT);
        }
    });

  it("reaches roundoff where the solution is nondegenerate", () => {
    for (let seed = 0; seed < 30; seed++) {
      const k = 2 + (seed % 5);
      const given = solvableSdcps["negative A"](new Random(seed, "polish"), k);
      const { value, stats } = sdcp(k, given.a, given.b);
      const worst = Math.max(...Object.values(violations(given, value.X)));
      const scale = EPS * k * Math.max(1, stats.roundoff / EPS);
      expect(worst / scale, `k = ${k}, seed ${seed}`).toBeLessThanOrEqual(30);
    }
  });

  it("converges from a warm start in fewer steps, to the same point", () => {
    for (let seed = 0; seed < 20; seed++) {
      const random = new Random(seed, "warm");
      const given = solvableSdcps["negative A"](random, 5);
      const first = sdcp(5, given.a, given.b);
      const noise = gaussian(random, 25);
      const initial = first.value.X.map((entry, i) => entry * (1 + 1e-6 * noise[i]));
      const again = sdcp(5, given.a, given.b, { initial });
      expect(again.status).toBe("solved");
      expect(again.stats.iterations).toBeLessThan(first.stats.iterations);
      const distance = frobenius(again.value.X.map((entry, i) => entry - first.value.X[i]));
      expect(distance).toBeLessThanOrEqual(LIMIT * frobenius(first.value.X));
    }
  });

  it("has the closed solution of A = [[2, −2], [−2, 1]] with B = diag(0, 1, 1)", () => {
    const { value, status } = sdcp(
      2,
      Float64Array.of(2, -2, -2, 1),
      Float64Array.of(0, 0, 0, 0, 1, 0, 0, 0, 1),
    );
    expect(status).toBe("solved");
    // X = p(y, z)ᵀ(y, z) of rank one with Y(y, z) = 0 for Y = [[2, X₀₁ − 2], [X₀₁ − 2, 1 + X₁₁]].
    const [x00, x01, , x11] = value.X;
    expect(Math.abs(x00 * x11 - x01 * x01)).toBeLessThanOrEqual(1e-9);
    expect(Math.abs(2 * (1 + x11) - (2 - x01) ** 2)).toBeLessThanOrEqual(1e-9);
    expect(Math.abs(2 * x00 - (2 - x01) * x01)).toBeLessThanOrEqual(1e-9);
  });

  it("gives the same bits in units of 10^±150", () => {
    for (let seed = 0; seed < 24; seed++) {
      const random = new Random(seed, "units");
      const k = 1 + random.integer(4);
      const given = solvableSdcps[seed % 2 ? "random" : "degenerate"](random, k + 1);
      const [unitA, unitB] = [0, 0].map(() => 2 ** Math.round(250 * (2 * random.uniform() - 1)));
      const first = sdcp(given.k, given.a, given.b);
      const other = sdcp(
        given.k,
        given.a.map((entry) => entry * unitA),
        given.b.map((entry) => entry * unitB),
      );
      expect(other.status).toBe(first.status);
      expect(Array.from(other.value.X, (entry) => (entry / unitA) * unitB)).toEqual(
        Array.from(first.value.X),
      );
      expect(other.stats.violations).toEqual(first.stats.violations);
    }
    const large = sdcp(1, Float64Array.of(-1e200), Float64Array.of(1e-200));
    expect([large.status, large.value.X[0]]).toEqual(["inaccurate", Number.POSITIVE_INFINITY]);
  });

  it("returns zero at once when A is positive semidefinite", () => {
    const a = gram(new Random(1), 4, 6);
    const { value, status, stats } = sdcp(4, a, new Float64Array(100));
    expect(status).toBe("solved");
    expect(stats).toMatchObject({ iterations: 0, method: "closed form" });
    expect(value.X.every((entry) => entry === 0)).toBe(true);
    expect(sdcp(0, new Float64Array(0), new Float64Array(0)).status).toBe("solved");
  });

  it("has the closed form for k = 1", () => {
    for (let seed = 0; seed < 20; seed++) {
      const random = new Random(seed, "scalar");
      const a = random.normal() * powerOfTen(random, 8);
      const b = powerOfTen(random, 8);
      expect(sdcp(1, Float64Array.of(a), Float64Array.of(b)).value.X[0]).toBe(Math.max(0, -a / b));
    }
  });

  it("commutes with rotations", () => {
    const k = 4;
    const random = new Random(2, "rotation");
    const given = solvableSdcps["negative A"](random, k);
    const reflected = withSpectrum(random, [1, 1, 1, -1]);
    const turn = (s: Float64Array) => {
      const result = new Float64Array(k * k);
      for (let i = 0; i < k; i++)
        for (let j = 0; j < k; j++)
          for (let p = 0; p < k; p++)
            for (let q = 0; q < k; q++)
              result[i * k + j] += reflected[p * k + i] * s[p * k + q] * reflected[q * k + j];
      return result;
    };
    const m = svecLength(k);
    const turnRows = (b: Float64Array) => {
      const result = new Float64Array(m * m);
      for (let r = 0; r < m; r++) {
        const image = svec(turn(smat(b.slice(r * m, (r + 1) * m), k)), k);
        for (let c = 0; c < m; c++) result[c * m + r] = image[c];
      }
      return result;
    };
    const turned = sdcp(k, turn(given.a), turnRows(turnRows(given.b)));
    const expected = turn(sdcp(k, given.a, given.b).value.X);
    const distance = frobenius(turned.value.X.map((entry, i) => entry - expected[i]));
    expect(distance).toBeLessThanOrEqual(LIMIT * frobenius(expected));
  });

  it("contains nonnegative quadratic programs as its diagonal case", () => {
    for (let seed = 0; seed < 30; seed++) {
      const random = new Random(seed, "diagonal");
      const k = 2 + random.integer(5);
      const m = svecLength(k);
      const Q = gram(random, k, k + 1);
      const c = gaussian(random, k);
      const a = new Float64Array(k * k);
      const b = new Float64Array(m * m);
      for (let i = 0; i < m; i++) b[i * m + i] = 1;
      const identity = new Float64Array(k * k);
      for (let i = 0; i < k; i++) {
        a[i * k + i] = c[i];
        identity[i * k + i] = 1;
        for (let j = 0; j < k; j++) b[svecIndex(k, i, i) * m + svecIndex(k, j, j)] = Q[i * k + j];
      }
      const { value, status } = sdcp(k, a, b);
      const program = convexQuadraticProgram({ Q, c, A: identity, b: new Float64Array(k) });
      expect([status, program.status]).toEqual(["solved", "solved"]);
      const scale = frobenius(program.value.x) || 1;
      for (let i = 0; i < k; i++)
        expect(
          Math.abs(value.X[i * k + i] - program.value.x[i]) / scale,
          `k = ${k}, seed ${seed}`,
        ).toBeLessThanOrEqual(1e-8);
    }
  });

  it("says unsolvable, with a proof, where nothing holds A back", () => {
    for (const k of [1, 2, 3, 6])
      for (let seed = 0; seed < 12; seed++) {
        const random = new Random(seed, `unsolvable ${k}`);
        const m = svecLength(k);
        const a = symmetric(random, k);
        a[0] = -1 - random.uniform();
        // B does not see the matrix E_00, along which A is negative.
        const b = seed % 2 ? gram(random, m, m) : new Float64Array(m * m);
        for (let i = 0; i < m; i++) b[i] = b[i * m] = 0;
        const size = powerOfTen(random, 8);
        const { value, status } = sdcp(
          k,
          a.map((entry) => entry * size),
          b,
        );
        const label = `k = ${k}, seed ${seed}`;
        expect(status, label).toBe("unsolvable");
        const direction = value.direction!;
        const image = svec(direction, k).map((_, i, d) =>
          d.reduce((sum, entry, j) => sum + b[i * m + j] * entry, 0),
        );
        const descent = -direction.reduce((sum, entry, at) => sum + entry * a[at], 0);
        expect(symmetricEigen(direction, k).values[0]).toBeGreaterThanOrEqual(
          -k * EPS * frobenius(direction),
        );
        expect(descent, label).toBeGreaterThan(0);
        // Every solution would have ‖X‖ ≥ ⟨−A, D⟩/‖B[D]‖.
        expect(frobenius(image) * frobenius(a), label).toBeLessThanOrEqual(
          1e-7 * descent * (frobenius(b) || 1),
        );
      }
  });

  it("clips a B that is not positive semidefinite, and says by how much", () => {
    const k = 3;
    const m = svecLength(k);
    const random = new Random(4, "clip");
    const spectrum = Float64Array.from({ length: m }, (_, i) => (i === 0 ? -0.1 : 1));
    const { value, status, stats } = sdcp(k, symmetric(random, k), withSpectrum(random, spectrum));
    expect(status).toBe("solved");
    expect(Math.abs(stats.repair.clipped - 0.1 / frobenius(spectrum))).toBeLessThanOrEqual(30 * m * EPS);
    expect(Math.max(...Object.values(stats.violations))).toBeLessThanOrEqual(LIMIT);
    expect(value.Y.every(Number.isFinite)).toBe(true);
  });

  it("is honest where rounding forbids the tolerance", () => {
    let inaccurate = 0;
    for (let seed = 0; seed < 40; seed++) {
      const random = new Random(seed, "entries");
      const k = 2 + (seed % 4);
      const m = svecLength(k);
      const a = symmetric(random, k);
      for (let i = 0; i < k; i++)
        for (let j = 0; j <= i; j++) a[i * k + j] = a[j * k + i] = a[i * k + j] * powerOfTen(random, 8);
      const b = withSpectrum(
        random,
        Float64Array.from({ length: m }, () => powerOfTen(random, 8)),
      );
      const { value, status, stats } = sdcp(k, a, b);
      const worst = Math.max(...Object.values(stats.violations));
      if (status === "unsolvable") continue;
      expect(value.X.every(Number.isFinite)).toBe(true);
      expect(status === "solved").toBe(worst <= LIMIT);
      expect(worst, `k = ${k}, seed ${seed}`).toBeLessThanOrEqual(Math.max(LIMIT, 30 * stats.roundoff));
      if (status === "inaccurate") inaccurate++;
    }
    expect(inaccurate).toBeGreaterThan(0);
  });

  it("reports NaN, refuses wrong lengths", () => {
    const [a, b] = [new Float64Array(4).fill(-1), new Float64Array(9).fill(1)];
    for (const bad of [Number.NaN, Number.NEGATIVE_INFINITY]) {
      expect(
        sdcp(
          2,
          a.map(() => bad),
          b,
        ).status,
      ).toBe("not-finite");
      expect(
        sdcp(
          2,
          a,
          b.map(() => bad),
        ).status,
      ).toBe("not-finite");
    }
    expect(() => sdcp(2, a, a)).toThrow(/B of 3×3/);
    expect(() => sdcp(3, a, b)).toThrow(/A of 3×3/);
    expect(() => sdcp(2, a, b, { initial: b })).toThrow(/initial X of 2×2/);
  });
});
