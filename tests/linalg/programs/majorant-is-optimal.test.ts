import { describe, expect, it } from "vitest";
import { EPS, Random } from "../../../src/base/index.ts";
import {
  advice,
  cholesky,
  choleskySolve,
  diagonalMajorant,
  symmetricEigen,
} from "../../../src/linalg/index.ts";
import { frobenius, symmetric } from "../cases.ts";

/** A dense matrix as an operator. */
function operator(a: Float64Array, n: number) {
  return (vectors: Float64Array, products: Float64Array, count: number): void => {
    for (let j = 0; j < count; j++)
      for (let i = 0; i < n; i++) {
        let total = 0;
        for (let l = 0; l < n; l++) total += a[i * n + l] * vectors[j * n + l];
        products[j * n + i] = total;
      }
  };
}

/** A few directions up and a few down, on coordinates of very different sizes. */
function indefinite(random: Random, n: number, up: number, down: number, spread: number): Float64Array {
  const size = Float64Array.from({ length: n }, () => 10 ** (spread * (random.uniform() - 0.5)));
  const a = new Float64Array(n * n);
  for (let k = 0; k < up + down; k++) {
    const h = random.fillNormal(new Float64Array(n)).map((entry, l) => entry * size[l]);
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++) a[i * n + j] += (k < up ? 1 / (k + 1) : -0.3) * h[i] * h[j];
  }
  return a;
}

function objectiveOf(d: Float64Array, b: Float64Array): number {
  return d.reduce((total, entry, l) => total + 0.5 * (entry + (b[l] > 0 ? b[l] ** 2 / entry : 0)), 0);
}

/** λ_max of D^{-1/2}AD^{-1/2}, densely. */
function largestRatio(a: Float64Array, d: Float64Array): number {
  const n = d.length;
  const scaled = a.map((entry, at) => entry / Math.sqrt(d[Math.floor(at / n)] * d[at % n]));
  return symmetricEigen(scaled, n).values[n - 1];
}

/**
 * The same problem by a barrier method with dense inverses: Newton's method on ½Σ(d + b²/d) − μ log det(D − A) for
 * falling μ. Its gap is nμ.
 */
function byBarrier(a: Float64Array, b: Float64Array): number {
  const n = b.length;
  const { values } = symmetricEigen(a, n);
  const top = Math.max(values[n - 1], 0) + Math.max(...b) + 1e-3 * Math.abs(values[0]);
  let d = new Float64Array(n).fill(2 * top);
  const merit = (at: Float64Array, mu: number): number => {
    if (at.some((entry) => !(entry > 0))) return Number.POSITIVE_INFINITY;
    const slack = a.map((entry, i) => (i % (n + 1) === 0 ? at[i % n] : 0) - entry);
    const { factor, status } = cholesky(slack, n);
    if (status !== "solved") return Number.POSITIVE_INFINITY;
    let logs = 0;
    for (let l = 0; l < n; l++) logs += 2 * Math.log(factor[l * (n + 1)]);
    return objectiveOf(at, b) - mu * logs;
  };
  for (let mu = top; mu > 1e-11 * top; mu /= 4)
    for (let i = 0; i < 60; i++) {
      const slack = a.map((entry, at) => (at % (n + 1) === 0 ? d[at % n] : 0) - entry);
      const { factor } = cholesky(slack, n);
      const inverse = new Float64Array(n * n);
      for (let l = 0; l < n; l++) {
        inverse[l * (n + 1)] = 1;
        choleskySolve(factor, n, inverse.subarray(l * n, (l + 1) * n));
      }
      const hessian = inverse.map(
        (entry, at) => mu * entry * entry + (at % (n + 1) === 0 ? b[at % n] ** 2 / d[at % n] ** 3 : 0),
      );
      const step = Float64Array.from(
        d,
        (entry, l) => -0.5 * (1 - (b[l] / entry) ** 2) + mu * inverse[l * (n + 1)],
      );
      const slope = step.slice();
      choleskySolve(cholesky(hessian, n).factor, n, step);
      const decrement = step.reduce((total, entry, l) => total + entry * slope[l], 0);
      let length = 1;
      const here = merit(d, mu);
      while (
        length > 1e-10 &&
        !(
          merit(
            d.map((entry, l) => entry + length * step[l]),
            mu,
          ) <= here
        )
      )
        length /= 2;
      d = d.map((entry, l) => entry + length * step[l]);
      if (decrement < 1e-10 * mu || length <= 1e-10) break;
    }
  return objectiveOf(d, b);
}

describe("diagonalMajorant", () => {
  it("meets its conditions, recomputed densely, and the optimum of a barrier method", () => {
    for (let seed = 0; seed < 24; seed++) {
      const random = new Random(seed, "majorant");
      const n = 2 + (seed % 9);
      const a = indefinite(random, n, 1 + (seed % 3), seed % 2, seed % 4 === 3 ? 4 : 1);
      const scale = [0, 0.1, 1, 10][seed % 4];
      const b = random
        .fillNormal(new Float64Array(n))
        .map((entry, l) => scale * Math.abs(entry * a[l * (n + 1)]));
      const label = `seed ${seed}, n ${n}, weights ${scale}`;
      const { value, status, stats } = diagonalMajorant(n, operator(a, n), b);
      expect(status, `${label}: ${advice[status]}`).toBe("solved");
      const { d, columns, rank } = value;
      const raised = d.map(
        (entry, _l) => entry + 1e-9 * Math.max(...d) * (entry > 0 ? entry / Math.max(...d) : 1),
      );
      expect(largestRatio(a, raised), label).toBeLessThanOrEqual(1 + 1e-8);
      const Z = Float64Array.from({ length: n }, (_, l) =>
        Array.from({ length: rank }, (_, j) => columns[j * n + l] ** 2).reduce((x, y) => x + y, 0),
      );
      expect(Math.max(...Z), label).toBeLessThanOrEqual(1 + 1e-8);
      d.forEach((entry, l) => {
        if (entry > 0)
          expect(Math.abs(1 - Z[l] - (b[l] / entry) ** 2), `${label}, ${l}`).toBeLessThanOrEqual(1e-8);
      });
      const reference = byBarrier(a, b);
      // The barrier's point is feasible and off by at most nμ.
      expect(stats.objective, label).toBeLessThanOrEqual(reference * (1 + 1e-8));
      expect(stats.objective, label).toBeGreaterThanOrEqual(reference - 1e-7 * reference);
    }
  });

  it("diagonal A: d = max(b, A_ll)", () => {
    const random = new Random(1, "diagonal");
    const n = 30;
    const a = new Float64Array(n * n);
    for (let l = 0; l < n; l++) a[l * (n + 1)] = random.normal();
    const b = random.fillNormal(new Float64Array(n)).map((entry, l) => (l % 5 === 0 ? 0 : Math.abs(entry)));
    const { value, status } = diagonalMajorant(n, operator(a, n), b);
    expect(status).toBe("solved");
    value.d.forEach((entry, l) => {
      expect(Math.abs(entry - Math.max(b[l], a[l * (n + 1)])), String(l)).toBeLessThanOrEqual(
        1e-8 * Math.max(1, entry),
      );
    });
  });

  it("A = hhᵀ, b = 0: d_l = |h_l|·‖h‖₁", () => {
    const random = new Random(2, "rank one");
    const n = 200;
    const h = random.fillNormal(new Float64Array(n)).map((entry, l) => entry * 10 ** -(l % 4));
    const { value, status } = diagonalMajorant(
      n,
      (vectors, products, count) => {
        for (let j = 0; j < count; j++) {
          let along = 0;
          for (let l = 0; l < n; l++) along += h[l] * vectors[j * n + l];
          for (let l = 0; l < n; l++) products[j * n + l] = along * h[l];
        }
      },
      new Float64Array(n),
    );
    expect(status).toBe("solved");
    const total = h.reduce((sum, entry) => sum + Math.abs(entry), 0);
    value.d.forEach((entry, l) => {
      expect(Math.abs(entry / (Math.abs(h[l]) * total) - 1), String(l)).toBeLessThanOrEqual(1e-7);
    });
  });

  it("a slack constraint leaves d = b and Z = 0", () => {
    const random = new Random(3, "slack");
    const n = 12;
    const a = indefinite(random, n, 2, 1, 1);
    const row = Float64Array.from({ length: n }, (_, i) =>
      Array.from({ length: n }, (_, j) => Math.abs(a[i * n + j])).reduce((x, y) => x + y, 0),
    );
    const b = row.map((entry) => 1.1 * entry);
    const { value, status, stats } = diagonalMajorant(n, operator(a, n), b);
    expect(status).toBe("solved");
    expect(value.rank).toBe(0);
    expect(stats.excess).toBeLessThan(0);
    value.d.forEach((entry, l) => {
      expect(Math.abs(entry / b[l] - 1)).toBeLessThanOrEqual(1e-8);
    });
  });

  it("scales: A and b times a power of two give d times it", () => {
    const random = new Random(4, "scale");
    const n = 8;
    const a = indefinite(random, n, 2, 1, 1);
    const b = random.fillNormal(new Float64Array(n)).map(Math.abs);
    const one = diagonalMajorant(n, operator(a, n), b).value.d;
    for (const factor of [2 ** -40, 2 ** 40]) {
      const scaled = a.map((entry) => entry * factor);
      const other = diagonalMajorant(
        n,
        operator(scaled, n),
        b.map((entry) => entry * factor),
      ).value.d;
      other.forEach((entry, l) => {
        expect(Math.abs(entry / factor / one[l] - 1)).toBeLessThanOrEqual(1e-7);
      });
    }
  });

  it("weights without drive: d_l = 0 where A_ll < 0 and nothing else asks for more", () => {
    const known = diagonalMajorant(2, operator(Float64Array.of(-2, 0.5, 0.5, 1), 2), Float64Array.of(0, 1));
    expect(known.status).toBe("solved");
    expect(Math.abs(known.value.d[0])).toBeLessThanOrEqual(1e-9);
    expect(Math.abs(known.value.d[1] - 1.125)).toBeLessThanOrEqual(1e-9);
    for (let seed = 0; seed < 120; seed++) {
      const random = new Random(seed, "no drive");
      const n = 2 + random.integer(7);
      const a = symmetric(random, n);
      const b = random.fillNormal(new Float64Array(n)).map(Math.abs);
      const idle = 1 + random.integer(n);
      for (let l = 0; l < idle; l++) {
        b[l] = 0;
        a[l * (n + 1)] = -Math.abs(a[l * (n + 1)]) - 2 * random.uniform();
      }
      const label = `n = ${n}, ${idle} idle, seed ${seed}`;
      const { value, status, stats } = diagonalMajorant(n, operator(a, n), b);
      expect(status, `${label}: ${JSON.stringify(stats)}`).toBe("solved");
      const size = frobenius(a);
      const slack = a.map((entry, at) => (at % (n + 1) === 0 ? value.d[at % n] : 0) - entry);
      expect(symmetricEigen(slack, n).values[0] / size, label).toBeGreaterThanOrEqual(-1e-8);
      // Weak duality, recomputed: the objective is the least there is up to this gap.
      let dual = 0;
      for (let l = 0; l < n; l++) {
        let Z = 0;
        for (let j = 0; j < value.rank; j++) {
          const v = value.columns.subarray(j * n, (j + 1) * n);
          Z += v[l] ** 2;
          for (let i = 0; i < n; i++) dual += 0.5 * v[l] * a[l * n + i] * v[i];
        }
        expect(Z, label).toBeLessThanOrEqual(1 + 1e-8);
        dual += b[l] * Math.sqrt(Math.max(0, 1 - Z));
      }
      expect(objectiveOf(value.d, b) - dual, label).toBeLessThanOrEqual(1e-7 * size);
    }
  });

  it("gives the same answer in units of 10^±150", () => {
    const random = new Random(7, "units");
    const n = 6;
    const a = indefinite(random, n, 2, 1, 1);
    const b = random.fillNormal(new Float64Array(n)).map(Math.abs);
    const one = diagonalMajorant(n, operator(a, n), b);
    for (const factor of [2 ** -500, 2 ** 500]) {
      const scaled = a.map((entry) => entry * factor);
      const other = diagonalMajorant(
        n,
        operator(scaled, n),
        b.map((entry) => entry * factor),
      );
      expect(other.status).toBe("solved");
      expect(Math.abs(other.stats.objective / factor / one.stats.objective - 1)).toBeLessThanOrEqual(1e-8);
      other.value.d.forEach((entry, l) => {
        expect(Math.abs(entry / factor / one.value.d[l] - 1)).toBeLessThanOrEqual(1e-7);
      });
    }
  });

  it("starts from a nearby solution in fewer applications, to the same point", () => {
    const random = new Random(5, "warm");
    const n = 60;
    const a = indefinite(random, n, 4, 2, 1);
    const b = random.fillNormal(new Float64Array(n)).map((entry) => 0.3 * Math.abs(entry));
    const near = diagonalMajorant(
      n,
      operator(a, n),
      b.map((entry) => entry * (1 + 0.01 * random.normal())),
    );
    const cold = diagonalMajorant(n, operator(a, n), b);
    const warm = diagonalMajorant(n, operator(a, n), b, { initial: near.value });
    expect([cold.status, warm.status]).toEqual(["solved", "solved"]);
    expect(warm.stats.applications).toBeLessThan(cold.stats.applications);
    warm.value.d.forEach((entry, l) => {
      expect(Math.abs(entry / cold.value.d[l] - 1)).toBeLessThanOrEqual(1e-6);
    });
  });

  it("counts what it applies; needs nothing for n = 0; says not-finite; refuses what does not fit", () => {
    const a = indefinite(new Random(6), 5, 1, 1, 1);
    let counted = 0;
    const dense = operator(a, 5);
    const { stats } = diagonalMajorant(
      5,
      (vectors, products, count) => {
        counted += count;
        dense(vectors, products, count);
      },
      new Float64Array(5).fill(0.1),
    );
    expect(stats.applications).toBe(counted);
    expect(diagonalMajorant(0, () => {}, new Float64Array(0)).status).toBe("solved");
    const zero = diagonalMajorant(3, (_, products) => void products.fill(0), Float64Array.of(0, 1, 0));
    expect(zero.status).toBe("solved");
    expect(zero.value.d[1]).toBeCloseTo(1, 12);
    expect(zero.value.d[0]).toBeLessThanOrEqual(EPS);
    const broken = diagonalMajorant(3, (_, products) => void products.fill(Number.NaN), new Float64Array(3));
    expect(broken.status).toBe("not-finite");
    expect(() => diagonalMajorant(3, dense, new Float64Array(2))).toThrow(/3 weights/);
    expect(() => diagonalMajorant(2, dense, Float64Array.of(1, -1))).toThrow(/position 1/);
  });
});
