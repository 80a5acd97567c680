import type { Random } from "../../../src/base/index.ts";
import type { QuadraticProgram } from "../../../src/linalg/index.ts";
import { gaussian, gram, powerOfTen } from "../cases.ts";

export interface NnlsCase {
  readonly c: Float64Array;
  readonly d: Float64Array;
  readonly rows: number;
  readonly cols: number;
}

export function times(a: Float64Array, x: Float64Array, rows: number, cols: number): Float64Array {
  return Float64Array.from({ length: rows }, (_, i) => {
    let sum = 0;
    for (let j = 0; j < cols; j++) sum += a[i * cols + j] * x[j];
    return sum;
  });
}

function plainNnls(random: Random, widest = 15): NnlsCase {
  const [rows, cols] = [1 + random.integer(20), 1 + random.integer(widest)];
  return { c: gaussian(random, rows * cols), d: gaussian(random, rows), rows, cols };
}

/** Nonnegative least squares problems. */
export const nnlsCases: Record<string, (random: Random) => NnlsCase> = {
  random: (random) => plainNnls(random),
  wide: (random) => plainNnls(random, 50),
  "repeated columns": (random) => {
    const given = plainNnls(random);
    return {
      ...given,
      c: given.c.map((entry, at) => (at % given.cols > 0 ? given.c[at - (at % 2)] : entry)),
    };
  },
  "rank deficient": (random) => {
    const { rows, cols, d } = plainNnls(random);
    const rank = 1 + random.integer(3);
    const [left, right] = [gaussian(random, rows * rank), gaussian(random, rank * cols)];
    const c = new Float64Array(rows * cols);
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < cols; j++)
        for (let e = 0; e < rank; e++) c[i * cols + j] += left[i * rank + e] * right[e * cols + j];
    return { c, d, rows, cols };
  },
  "degenerate: exact fit": (random) => {
    const given = plainNnls(random);
    const x = gaussian(random, given.cols).map((entry) => Math.max(0, entry));
    return { ...given, d: times(given.c, x, given.rows, given.cols) };
  },
  "columns 1e-8 to 1e8": (random) => {
    const given = plainNnls(random);
    const sizes = Array.from({ length: given.cols }, () => powerOfTen(random, 8));
    const size = powerOfTen(random, 8);
    return {
      ...given,
      c: given.c.map((entry, at) => entry * sizes[at % given.cols]),
      d: given.d.map((e) => e * size),
    };
  },
  "nearly parallel columns": (random) => {
    const given = plainNnls(random);
    const c = given.c.slice();
    for (let at = 0; at < c.length; at++)
      if (at % given.cols > 0) c[at] = c[at - (at % given.cols)] + 1e-7 * c[at];
    return { ...given, c, d: given.d.map((entry) => Math.abs(entry)) };
  },
  "zero matrix": (random) => {
    const given = plainNnls(random);
    return { ...given, c: new Float64Array(given.c.length) };
  },
};

export interface QpCase extends QuadraticProgram {
  readonly A: Float64Array;
  readonly b: Float64Array;
  readonly E: Float64Array;
  readonly f: Float64Array;
}

interface QpShape {
  /** rank of Q, from n */
  readonly rank: (n: number) => number;
  /** plant a solution: c is chosen so that x₀ satisfies the optimality conditions */
  readonly planted: boolean;
}

/**
 * A feasible program around a random point x₀, half of whose inequalities are tight there, often more than n
 * (degenerate), with a random subset of them carrying multipliers (no strict complementarity).
 */
function program(random: Random, { rank, planted }: QpShape): QpCase {
  const n = 1 + random.integer(10);
  const p = random.integer(20);
  const q = random.integer(Math.min(3, n));
  const Q = gram(random, n, rank(n));
  const [A, E, x] = [gaussian(random, p * n), gaussian(random, q * n), gaussian(random, n)];
  const slack = Array.from({ length: p }, () => (random.uniform() < 0.5 ? 0 : random.uniform()));
  const b = times(A, x, p, n).map((value, i) => value - slack[i]);
  const f = times(E, x, q, n);
  let c = gaussian(random, n);
  if (planted) {
    c = times(Q, x, n, n).map((value) => -value);
    for (let i = 0; i < p; i++) {
      const weight = slack[i] === 0 && random.uniform() < 0.7 ? random.uniform() : 0;
      for (let j = 0; j < n; j++) c[j] += weight * A[i * n + j];
    }
    for (let i = 0; i < q; i++) {
      const weight = random.normal();
      for (let j = 0; j < n; j++) c[j] += weight * E[i * n + j];
    }
  }
  return { Q, c, A, b, E, f };
}

/** Variables and constraints in units 10^±range. */
export function rescaled(random: Random, given: QpCase, range: number): QpCase {
  const n = given.c.length;
  const t = Array.from({ length: n }, () => powerOfTen(random, range / 2));
  const s = Array.from({ length: given.b.length }, () => powerOfTen(random, range));
  const [sizeX, sizeF] = [powerOfTen(random, range / 2), powerOfTen(random, range)];
  return {
    Q: given.Q.map((entry, at) => entry * t[Math.floor(at / n)] * t[at % n] * (sizeF / sizeX ** 2)),
    c: given.c.map((entry, j) => entry * t[j] * (sizeF / sizeX)),
    A: given.A.map((entry, at) => entry * s[Math.floor(at / n)] * t[at % n]),
    b: given.b.map((entry, i) => entry * s[i] * sizeX),
    E: given.E.map((entry, at) => entry * t[at % n]),
    f: given.f.map((entry) => entry * sizeX),
  };
}

/** Appends copies of the inequalities: every active set with a pair of them is dependent. */
function doubled(given: QpCase): QpCase {
  const twice = (array: Float64Array, factor: number) =>
    Float64Array.from([...array, ...array.map((entry) => factor * entry)]);
  return { ...given, A: twice(given.A, 3), b: twice(given.b, 3) };
}

/** Quadratic programs that have a solution. */
export const solvablePrograms: Record<string, (random: Random) => QpCase> = {
  definite: (random) => program(random, { rank: (n) => n + 2, planted: false }),
  "definite, degenerate": (random) => program(random, { rank: (n) => n + 2, planted: true }),
  singular: (random) => program(random, { rank: (n) => random.integer(n), planted: true }),
  linear: (random) => program(random, { rank: () => 0, planted: true }),
  "repeated constraints": (random) =>
    doubled(program(random, { rank: (n) => random.integer(n + 1), planted: true })),
  "badly scaled": (random) => rescaled(random, program(random, { rank: (n) => n + 2, planted: true }), 8),
  "badly scaled, singular": (random) =>
    rescaled(random, program(random, { rank: (n) => random.integer(n), planted: true }), 8),
};
