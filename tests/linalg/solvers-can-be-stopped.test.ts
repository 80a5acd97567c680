import { expect, test } from "vitest";
import { Random, type ShouldStop, Stopped } from "../../src/base/index.ts";
import {
  convexQuadraticProgram,
  diagonalMajorant,
  lanczos,
  lobpcg,
  SubspaceHistory,
  sdcp,
  svecLength,
  symmetricEigen,
  traceConstrainedSdcp,
} from "../../src/linalg/index.ts";
import { countingDiagonal, symmetric } from "./cases.ts";

const N = 200;
const spectrum = Float64Array.from({ length: N }, (_, i) => 2 / (1 + i / 5));
const random = (): Random => new Random(1, "stopping");

/** A problem of 5×5 with a positive definite B and A with both signs. */
const K = 5;
const M = svecLength(K);
const a = symmetric(random(), K);
const b = Float64Array.from({ length: M * M }, (_, at) => (at % (M + 1) === 0 ? 1 + (at % 3) : 0));

/** The least majorant of a random matrix of both signs, in which many columns are needed. */
function majorant(shouldStop: ShouldStop) {
  const n = 30;
  const matrix = symmetric(random(), n);
  const apply = (vectors: Float64Array, products: Float64Array, count: number): void => {
    for (let j = 0; j < count; j++)
      for (let i = 0; i < n; i++) {
        let sum = 0;
        for (let l = 0; l < n; l++) sum += matrix[i * n + l] * vectors[j * n + l];
        products[j * n + i] = sum;
      }
  };
  return diagonalMajorant(n, apply, new Float64Array(n).fill(0.1), { shouldStop });
}

/** A singular program with many bounds that become active one after the other. */
function program(shouldStop: ShouldStop) {
  const n = 12;
  const Q = Float64Array.from({ length: n * n }, (_, at) => (at % (n + 1) === 0 ? (at / (n + 1)) % 3 : 0));
  const c = Float64Array.from({ length: n }, (_, i) => 1 + i);
  const A = Float64Array.from({ length: n * n }, (_, at) => (at % (n + 1) === 0 ? 1 : 0));
  return convexQuadraticProgram({ Q, c, A, b: new Float64Array(n).fill(-1) }, undefined, shouldStop);
}

/** Each with as many looks as it says at least: the iterations, or the order of a matrix. */
const SOLVERS: Readonly<Record<string, (shouldStop: ShouldStop) => number>> = {
  lobpcg: (shouldStop) =>
    lobpcg(N, countingDiagonal(spectrum).apply, { count: 4, random: random(), shouldStop }).stats.iterations,
  lanczos: (shouldStop) =>
    lanczos(N, countingDiagonal(spectrum).apply, { largest: 4, random: random(), shouldStop }).stats
      .iterations,
  symmetricEigen: (shouldStop) => symmetricEigen(symmetric(random(), 20), 20, shouldStop).values.length - 1,
  sdcp: (shouldStop) => sdcp(K, a, b, { shouldStop }).stats.iterations,
  convexQuadraticProgram: (shouldStop) => program(shouldStop).stats.iterations,
  traceConstrainedSdcp: (shouldStop) =>
    traceConstrainedSdcp(K, a, b, 1, undefined, shouldStop).stats.iterations,
  diagonalMajorant: (shouldStop) => majorant(shouldStop).stats.iterations,
};

test.each(Object.keys(SOLVERS))(
  "%s looks in every iteration, and ends at each look where it is told to",
  (name) => {
    let looks = 0;
    const iterations = SOLVERS[name](() => {
      looks++;
      return false;
    });
    expect(iterations).toBeGreaterThan(2);
    expect(looks).toBeGreaterThanOrEqual(iterations);
    for (let n = 1; n <= looks; n += Math.max(1, Math.floor(looks / 20))) {
      let left = n;
      expect(() => SOLVERS[name](() => --left === 0)).toThrow(Stopped);
      expect(left).toBe(0);
    }
  },
);

test("sdcp looks within its steps, more often the larger they are", () => {
  const looksOf = (k: number): number => {
    const m = svecLength(k);
    const diagonal = Float64Array.from({ length: m * m }, (_, at) => (at % (m + 1) === 0 ? 1 + (at % 3) : 0));
    let looks = 0;
    const shouldStop = (): boolean => ++looks < 0;
    const { iterations } = sdcp(k, symmetric(random(), k), diagonal, { shouldStop }).stats;
    return looks / iterations;
  };
  for (const k of [5, 12]) expect(looksOf(k)).toBeGreaterThan(2 * svecLength(k));
});

test("a history broken off in a prediction predicts the same afterwards; bases given back cost nothing", () => {
  const [n, k] = [50, 3];
  let stop = false;
  const history = new SubspaceHistory(n, 6, Number.POSITIVE_INFINITY, () => () => stop);
  const plain = new SubspaceHistory(n, 6);
  const r = random();
  for (let i = 0; i < 5; i++) {
    const { vectors } = symmetricEigen(symmetric(r, n), n);
    for (const one of [history, plain]) one.add(vectors.slice(0, k * n));
  }
  const before = history.bases;
  stop = true;
  expect(() => history.predict()).toThrow(Stopped);
  history.restore(before);
  stop = false;
  expect(history.predict()).toEqual(plain.predict());
  stop = true;
  history.restore(before);
  expect(history.bases).toEqual(before);
});
