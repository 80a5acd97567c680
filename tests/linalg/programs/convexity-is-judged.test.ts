import { describe, expect, it } from "vitest";
import { EPS, Random } from "../../../src/base/index.ts";
import { advice, convexQuadraticProgram, type QuadraticProgram } from "../../../src/linalg/index.ts";
import { frobenius, gaussian, powerOfTen, withSpectrum } from "../cases.ts";
import { times } from "./program-cases.ts";

/** A box [1, 2]ⁿ in units t. */
function boxed(Q: Float64Array, c: Float64Array, t: ArrayLike<number>): QuadraticProgram {
  const n = c.length;
  const A = new Float64Array(2 * n * n);
  const b = new Float64Array(2 * n);
  for (let j = 0; j < n; j++) {
    A[j * n + j] = 1;
    A[(n + j) * n + j] = -1;
    b[j] = t[j];
    b[n + j] = -2 * t[j];
  }
  return { Q, c, A, b };
}

/** vᵀQv relative to Σ|v_i Q_ij v_j|. */
function curvatureAlong(Q: Float64Array, v: Float64Array): number {
  const n = v.length;
  let sum = 0;
  let size = 0;
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) {
      const term = v[i] * Q[i * n + j] * v[j];
      sum += term;
      size += Math.abs(term);
    }
  return sum / size;
}

describe("convexQuadraticProgram", () => {
  it("calls Q = −2 on [1, 2] non-convex", () => {
    const { status, value, stats } = convexQuadraticProgram(
      boxed(Float64Array.of(-2), Float64Array.of(0), [1]),
    );
    expect(status).toBe("non-convex");
    expect(value.direction![0] ** 2 * -2).toBeLessThan(0);
    expect(stats.curvature).toBe(-1);
    expect(advice[status]).toMatch(/negative curvature/);
  });

  it("finds a direction of negative curvature in any units, with and without constraints", () => {
    for (let seed = 0; seed < 600; seed++) {
      const random = new Random(seed, "indefinite");
      const n = 1 + random.integer(7);
      const [deep, spread] = seed % 3 ? [9, 1] : [2, 3];
      const depth = 10 ** (-deep * random.uniform());
      const spectrum = Float64Array.from({ length: n }, (_, i) => (i === 0 ? -depth : random.integer(3)));
      const Q = withSpectrum(random, spectrum);
      const t = Array.from({ length: n }, () => 1 / powerOfTen(random, spread));
      const size = powerOfTen(random, 100);
      const scaled = Q.map((entry, at) => (size * entry) / (t[Math.floor(at / n)] * t[at % n]));
      const c = gaussian(random, n).map((entry, j) => (size * entry) / t[j]);
      const given = seed % 2 ? boxed(scaled, c, t) : { Q: scaled, c };
      const { status, value, stats } = convexQuadraticProgram(given);
      const label = `n = ${n}, seed ${seed}, depth ${depth}`;
      expect(status, label).toBe("non-convex");
      expect(stats.curvature, label).toBeLessThan(0);
      expect(curvatureAlong(scaled, value.direction!), label).toBeLessThan(-n * EPS);
      expect(value.x.every(Number.isNaN), label).toBe(true);
    }
  });

  it("solves programs whose Q is semidefinite up to rounding errors", () => {
    for (let seed = 0; seed < 600; seed++) {
      const random = new Random(seed, "semidefinite");
      const n = 2 + random.integer(6);
      const rank = random.integer(n);
      const spectrum = Float64Array.from({ length: n }, (_, i) => (i < rank ? powerOfTen(random, 3) : 0));
      const Q = withSpectrum(random, spectrum);
      // The worst that rounding may leave: a multiple of the identity at roundoff level.
      for (let i = 0; i < n; i++) Q[i * (n + 1)] -= EPS * frobenius(spectrum);
      const c = gaussian(random, n);
      const { status, stats } = convexQuadraticProgram(boxed(Q, c, new Float64Array(n).fill(1)));
      expect(status, `n = ${n}, rank ${rank}, seed ${seed}: ${JSON.stringify(stats)}`).toBe("solved");
    }
    const noise = Float64Array.of(1, 0, 0, -EPS);
    expect(convexQuadraticProgram({ Q: noise, c: Float64Array.of(-1, 0) }).status).toBe("solved");
    expect(convexQuadraticProgram({ Q: noise, c: Float64Array.of(-1, -1) }).status).toBe("unbounded");
  });

  it("reaches the answer where a singular Q is large against c", () => {
    const { value, status } = convexQuadraticProgram({
      Q: Float64Array.of(0.36e6, 0.48e6, 0.48e6, 0.64e6),
      c: Float64Array.of(0.008, -0.006),
      A: Float64Array.of(0.8, -0.6, 1, 1),
      b: Float64Array.of(-1, -1),
    });
    expect(status).toBe("solved");
    expect(value.x[0]).toBeCloseTo(-0.8, 12);
    expect(value.x[1]).toBeCloseTo(0.6, 12);
    for (let seed = 0; seed < 2000; seed++) {
      const random = new Random(seed, "large singular");
      const n = 2 + random.integer(4);
      const p = 1 + random.integer(n + 4);
      const rank = 1 + random.integer(n - 1);
      const size = 10 ** (2 + 6 * random.uniform());
      const Q = new Float64Array(n * n);
      for (let e = 0; e < rank; e++) {
        const g = gaussian(random, n);
        for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) Q[i * n + j] += size * g[i] * g[j];
      }
      // c is a range part plus a positive combination of the rows, so that the program is bounded.
      const small = 10 ** (-2 * random.uniform());
      const A = gaussian(random, p * n);
      const c = times(Q, gaussian(random, n), n, n).map((entry) => (small * entry) / size);
      for (let i = 0; i < p; i++) {
        const weight = random.integer(2) ? small * random.uniform() : 0;
        for (let j = 0; j < n; j++) c[j] += weight * A[i * n + j];
      }
      const b = times(A, gaussian(random, n), p, n).map(
        (entry) => entry - random.integer(2) * random.uniform(),
      );
      const { status, stats } = convexQuadraticProgram({ Q, c, A, b });
      const { stationarity, roundoff } = stats.violations;
      const label = `n = ${n}, seed ${seed}: ${JSON.stringify(stats)}`;
      expect(status, label).toBe("solved");
      expect(stationarity, label).toBeLessThanOrEqual(Math.max(1e-10, roundoff));
    }
  });

  it("finds the vertex exactly where the fall of c along the null space of Q is orders smaller than Q", () => {
    // min s·(x + y)²/2 + e·(x − y) over −1 ≤ x ≤ 1: x = −1, y = 1 + e/s·…, known in closed form.
    for (const s of [1, 1e3, 1e6, 1e8])
      for (const e of [1, 1e-2, 1e-3]) {
        const { value, status } = convexQuadraticProgram({
          Q: Float64Array.of(s, s, s, s),
          c: Float64Array.of(e, -e),
          A: Float64Array.of(1, 0, -1, 0),
          b: Float64Array.of(-1, -1),
        });
        // At x = −1: s(x + y) = e.
        expect(status, `${s}, ${e}`).toBe("solved");
        expect(Math.abs(value.x[0] + 1), `${s}, ${e}`).toBeLessThanOrEqual(1e-12);
        expect(Math.abs(value.x[1] - 1 - e / s), `${s}, ${e}`).toBeLessThanOrEqual(1e-12);
        expect(Math.abs(value.inequality[0] - 2 * e), `${s}, ${e}`).toBeLessThanOrEqual(1e-6 * e);
      }
  });

  it("gives the same answer and certificate in units of 10^±150", () => {
    for (let seed = 0; seed < 200; seed++) {
      const random = new Random(seed, "units");
      const n = 1 + random.integer(5);
      const Q = withSpectrum(
        random,
        Float64Array.from({ length: n }, (_, i) => i % 3),
      );
      const base = boxed(Q, gaussian(random, n), new Float64Array(n).fill(1));
      const first = convexQuadraticProgram(base);
      const [a, f] = [Math.round(300 * (random.uniform() - 0.5)), Math.round(300 * (random.uniform() - 0.5))];
      const [x, objective] = [2 ** a, 2 ** f];
      const scaled = convexQuadraticProgram({
        Q: Q.map((entry) => ((entry * objective) / x) * (1 / x)),
        c: base.c.map((entry) => (entry * objective) / x),
        A: base.A,
        b: base.b!.map((entry) => entry * x),
      });
      expect([scaled.status, first.status], `seed ${seed}`).toEqual(["solved", "solved"]);
      expect(Array.from(scaled.value.x, (entry) => entry / x)).toEqual(Array.from(first.value.x));
      expect(scaled.stats.violations).toEqual(first.stats.violations);
    }
  });
});
