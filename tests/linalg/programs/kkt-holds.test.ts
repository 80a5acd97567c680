import { describe, expect, it } from "vitest";
import { Random } from "../../../src/base/index.ts";
import { convexQuadraticProgram, nnls, type QpResult } from "../../../src/linalg/index.ts";
import { frobenius, gaussian } from "../cases.ts";
import { nnlsCases, type QpCase, rescaled, solvablePrograms, times } from "./program-cases.ts";

const LIMIT = 1e-10;
const SEEDS = 60;

function transposeTimes(a: Float64Array, y: Float64Array, rows: number, cols: number): Float64Array {
  const x = new Float64Array(cols);
  for (let i = 0; i < rows; i++) for (let j = 0; j < cols; j++) x[j] += a[i * cols + j] * y[i];
  return x;
}

const row = (a: Float64Array, i: number, n: number) => a.subarray(i * n, (i + 1) * n);
const largest = (x: Iterable<number>) => Math.max(0, ...Array.from(x, Math.abs));

describe("nnls", () => {
  for (const [name, generate] of Object.entries(nnlsCases))
    it(`meets the optimality conditions: ${name}`, () => {
      for (let seed = 0; seed < SEEDS; seed++) {
        const { c, d, rows, cols } = generate(new Random(seed, name));
        const { value, status } = nnls(c, d, rows, cols);
        const label = `${name}, ${rows}×${cols}, seed ${seed}`;
        expect(status, label).toBe("solved");
        const residual = times(c, value.x, rows, cols).map((entry, i) => entry - d[i]);
        const gradient = transposeTimes(c, residual, rows, cols);
        const lengths = value.x.map((_, j) => frobenius(c.filter((_, at) => at % cols === j)));
        const size = frobenius(d) + lengths.reduce((sum, length, j) => sum + length * value.x[j], 0);
        value.x.forEach((x, j) => {
          expect(x, label).toBeGreaterThanOrEqual(0);
          const relative = gradient[j] / (lengths[j] * size || 1);
          expect(-relative, label).toBeLessThanOrEqual(LIMIT);
          if (x > 0) expect(Math.abs(relative), label).toBeLessThanOrEqual(LIMIT);
        });
      }
    });

  it("gives the same answer and certificate in any units", () => {
    for (const [name, generate] of Object.entries(nnlsCases))
      for (let seed = 0; seed < 20; seed++) {
        const random = new Random(seed, `${name} units`);
        const { c, d, rows, cols } = generate(random);
        const base = nnls(c, d, rows, cols);
        // Powers of two up to 10^±160 for the columns and 10^±80 for d, so that x stays within doubles.
        const units = Array.from({ length: cols }, () => 2 ** Math.round(530 * (2 * random.uniform() - 1)));
        const unit = 2 ** Math.round(265 * (2 * random.uniform() - 1));
        const scaled = nnls(
          c.map((entry, at) => entry * units[at % cols]),
          d.map((entry) => entry * unit),
          rows,
          cols,
        );
        const label = `${name}, seed ${seed}`;
        expect(scaled.status, label).toBe("solved");
        expect(Array.from(scaled.value.x), label).toEqual(
          Array.from(base.value.x, (x, j) => (x * unit) / units[j]),
        );
        const { dual, complementarity } = base.stats;
        expect(scaled.stats, label).toMatchObject({ dual, complementarity });
      }
  });

  it("says inaccurate, with a certificate that is not vacuous, where x leaves the doubles", () => {
    const { value, status, stats } = nnls(Float64Array.of(1e-200), Float64Array.of(1e200), 1, 1);
    expect(value.x[0]).toBe(Number.POSITIVE_INFINITY);
    expect(status).toBe("inaccurate");
    expect(stats.complementarity).toBe(Number.POSITIVE_INFINITY);
    const vanished = nnls(Float64Array.of(1e200), Float64Array.of(1e-200), 1, 1);
    expect(vanished.status).toBe("inaccurate");
    expect(vanished.stats.dual).toBeGreaterThan(0.1);
  });

  it("handles empty problems, bad data and the iteration limit", () => {
    const none = new Float64Array(0);
    expect(nnls(none, none, 0, 0).status).toBe("solved");
    expect(nnls(none, Float64Array.of(1), 1, 0).stats.residual).toBe(1);
    expect(nnls(Float64Array.of(Number.NaN), Float64Array.of(1), 1, 1).status).toBe("not-finite");
    expect(nnls(Float64Array.of(1), Float64Array.of(1), 1, 1, 0).status).toBe("iteration-limit");
    expect(() => nnls(none, none, 1, 1)).toThrow(/nnls: expected C of 1×1/);
  });
});

/** The four conditions, recomputed; each relative to the terms that should cancel. */
function violation({ Q, c, A, b, E, f }: QpCase, { value }: QpResult): Record<string, number> {
  const n = c.length;
  const { x, inequality, equality } = value;
  const scale = (a: Float64Array, i: number, bound: number) =>
    frobenius(row(a, i, n)) * frobenius(x) + Math.abs(bound) || 1;
  const excess = times(A, x, b.length, n).map((entry, i) => entry - b[i]);
  const miss = times(E, x, f.length, n).map((entry, i) => entry - f[i]);
  const curvature = times(Q, x, n, n);
  const pull = transposeTimes(A, inequality, b.length, n);
  transposeTimes(E, equality, f.length, n).forEach((entry, j) => {
    pull[j] += entry;
  });
  const terms = largest([...curvature, ...c, ...pull]) || 1;
  const products = excess.map((entry, i) => inequality[i] * entry);
  const productScale =
    excess.reduce((sum, _, i) => sum + Math.abs(inequality[i]) * scale(A, i, b[i]), 0) || 1;
  return {
    primal: largest([
      ...excess.map((e, i) => Math.min(0, e) / scale(A, i, b[i])),
      ...miss.map((e, i) => e / scale(E, i, f[i])),
    ]),
    dual: Math.max(0, -Math.min(0, ...inequality)) / (largest(inequality) || 1),
    stationarity: largest(curvature.map((entry, j) => entry + c[j] - pull[j])) / terms,
    complementarity: products.reduce((sum, entry) => sum + Math.abs(entry), 0) / productScale,
  };
}

describe("convexQuadraticProgram", () => {
  for (const [name, generate] of Object.entries(solvablePrograms))
    it(`meets the optimality conditions: ${name}`, () => {
      for (let seed = 0; seed < SEEDS; seed++) {
        const given = generate(new Random(seed, name));
        const result = convexQuadraticProgram(given);
        const label = `${name}, n = ${given.c.length}, ${given.b.length} + ${given.f.length} constraints, seed ${seed}`;
        expect(result.status, label).toBe("solved");
        for (const [condition, amount] of Object.entries(violation(given, result)))
          expect(amount, `${label}: ${condition}`).toBeLessThanOrEqual(LIMIT);
      }
    });

  it("proves infeasibility", () => {
    for (let seed = 0; seed < SEEDS; seed++) {
      const random = new Random(seed, "infeasible");
      const base = solvablePrograms[seed % 2 ? "definite" : "linear"](random);
      const n = base.c.length;
      // A positive combination of constraints that must be at least 1, and at most 0.
      const weights = gaussian(random, base.b.length).map(Math.abs);
      const combined = transposeTimes(base.A, weights, base.b.length, n).map((entry) => -entry);
      const total = weights.reduce((sum, weight, i) => sum + weight * base.b[i], 0);
      if (frobenius(combined) === 0) continue;
      const contradictory = {
        ...base,
        A: Float64Array.from([...base.A, ...combined]),
        b: Float64Array.from([...base.b, 0.1 - total]),
      };
      const given = seed % 3 ? contradictory : rescaled(random, contradictory, 4);
      const { value, status } = convexQuadraticProgram(given);
      expect(status, `seed ${seed}`).toBe("infeasible");
      const { inequality, equality } = value;
      expect(Math.min(...inequality)).toBeGreaterThanOrEqual(0);
      const pull = transposeTimes(given.A, inequality, given.b.length, n);
      transposeTimes(given.E, equality, given.f.length, n).forEach((entry, j) => {
        pull[j] += entry;
      });
      const scale = inequality.reduce((sum, u, i) => sum + u * frobenius(row(given.A, i, n)), 0);
      expect(frobenius(pull) / scale, `seed ${seed}`).toBeLessThanOrEqual(1e-9);
      const sum =
        inequality.reduce((s, u, i) => s + u * given.b[i], 0) +
        equality.reduce((s, v, i) => s + v * given.f[i], 0);
      expect(sum).toBeGreaterThan(0);
    }
  });

  it("proves unboundedness", () => {
    for (let seed = 0; seed < SEEDS; seed++) {
      const random = new Random(seed, "unbounded");
      const n = 2 + random.integer(6);
      const p = random.integer(6);
      // v is a null vector of Q along which every constraint relaxes and the objective falls.
      const v = gaussian(random, n);
      const size = frobenius(v);
      v.forEach((_, j) => {
        v[j] /= size;
      });
      const along = (x: Float64Array) => x.reduce((sum, entry, j) => sum + entry * v[j], 0);
      const g = gaussian(random, n * n);
      for (let i = 0; i < n; i++) {
        const part = along(row(g, i, n));
        for (let j = 0; j < n; j++) g[i * n + j] -= part * v[j];
      }
      const Q = new Float64Array(n * n);
      if (seed % 2)
        for (let e = 0; e < n; e++)
          for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) Q[i * n + j] += g[e * n + i] * g[e * n + j];
      const A = gaussian(random, p * n);
      for (let i = 0; i < p; i++)
        if (along(row(A, i, n)) < 0)
          row(A, i, n).forEach((_, j, r) => {
            r[j] = -r[j];
          });
      const c = gaussian(random, n);
      if (along(c) > 0)
        c.forEach((_, j) => {
          c[j] = -c[j];
        });
      const { value, status } = convexQuadraticProgram({ Q, c, A, b: gaussian(random, p) });
      expect(status, `n = ${n}, seed ${seed}`).toBe("unbounded");
      const direction = value.direction!;
      const length = frobenius(direction);
      expect(c.reduce((sum, entry, j) => sum + entry * direction[j], 0)).toBeLessThan(0);
      expect(frobenius(times(Q, direction, n, n))).toBeLessThanOrEqual(1e-9 * frobenius(Q) * length);
      times(A, direction, p, n).forEach((entry, i) => {
        expect(entry).toBeGreaterThanOrEqual(-1e-9 * frobenius(row(A, i, n)) * length);
      });
    }
  });

  it("handles empty problems, bad data and the iteration limit", () => {
    const none = new Float64Array(0);
    expect(convexQuadraticProgram({ Q: none, c: none }).status).toBe("solved");
    expect(convexQuadraticProgram({ Q: Float64Array.of(2), c: Float64Array.of(-4) }).value.x[0]).toBeCloseTo(
      2,
      14,
    );
    const zero = Float64Array.of(0);
    expect(convexQuadraticProgram({ Q: zero, c: zero, A: zero, b: Float64Array.of(1) }).status).toBe(
      "infeasible",
    );
    expect(convexQuadraticProgram({ Q: zero, c: zero, E: zero, f: zero }).status).toBe("solved");
    expect(convexQuadraticProgram({ Q: zero, c: Float64Array.of(1) }).status).toBe("unbounded");
    expect(convexQuadraticProgram({ Q: Float64Array.of(Number.NaN), c: zero }).status).toBe("not-finite");
    const one = Float64Array.of(1);
    expect(convexQuadraticProgram({ Q: one, c: one, A: one, b: one }, 0).status).toBe("iteration-limit");
    expect(() => convexQuadraticProgram({ Q: none, c: one })).toThrow(/Q of 1×1/);
    expect(() => convexQuadraticProgram({ Q: one, c: one, A: one })).toThrow(/A of 0×1/);
  });
});
