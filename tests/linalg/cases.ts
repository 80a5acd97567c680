import { EPS, type Random } from "../../src/base/index.ts";
import { type BlockOperator, svecIndex, svecLength } from "../../src/linalg/index.ts";

/** Square root of the sum of squares, safe for extreme sizes. */
export function frobenius(a: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs(a[i]));
  if (largest === 0) return 0;
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] / largest) ** 2;
  return Math.sqrt(sum) * largest;
}

/** 10^u with u uniform on [−range, range]. */
export function powerOfTen(random: Random, range: number): number {
  return 10 ** (range * (2 * random.uniform() - 1));
}

export function gaussian(random: Random, length: number): Float64Array {
  return random.fillNormal(new Float64Array(length));
}

/** A block of `count` orthonormal random vectors of length n. */
export function orthonormalBlock(random: Random, n: number, count: number): Float64Array {
  const block = gaussian(random, count * n);
  for (let i = 0; i < count; i++)
    for (let pass = 0; pass < 2; pass++) {
      const v = block.subarray(i * n, (i + 1) * n);
      for (let j = 0; j < i; j++) {
        let c = 0;
        for (let t = 0; t < n; t++) c += v[t] * block[j * n + t];
        for (let t = 0; t < n; t++) v[t] -= c * block[j * n + t];
      }
      const size = frobenius(v);
      for (let t = 0; t < n; t++) v[t] /= size;
    }
  return block;
}

/** Σ λ_i q_i q_iᵀ with random orthonormal q_i. */
export function withSpectrum(random: Random, spectrum: ArrayLike<number>): Float64Array {
  const n = spectrum.length;
  const q = orthonormalBlock(random, n, n);
  const a = new Float64Array(n * n);
  for (let e = 0; e < n; e++)
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++) a[i * n + j] += spectrum[e] * q[e * n + i] * q[e * n + j];
  return a;
}

/** Cᵀ C for a random rank×n matrix C. */
export function gram(random: Random, n: number, rank: number): Float64Array {
  const c = gaussian(random, rank * n);
  const a = new Float64Array(n * n);
  for (let r = 0; r < rank; r++)
    for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) a[i * n + j] += c[r * n + i] * c[r * n + j];
  return a;
}

export function symmetric(random: Random, n: number): Float64Array {
  const a = gaussian(random, n * n);
  for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) a[i * n + j] = a[j * n + i];
  return a;
}

function tridiagonal(n: number, diagonal: (i: number) => number, off: number): Float64Array {
  const a = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    a[i * n + i] = diagonal(i);
    if (i > 0) a[i * n + i - 1] = a[(i - 1) * n + i] = off;
  }
  return a;
}

function arrow(n: number): Float64Array {
  const a = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    a[i * n + i] = i;
    a[i] = a[i * n] = 1;
  }
  return a;
}

/** Symmetric matrices that break careless eigensolvers. */
export const nastyMatrices: Record<string, (random: Random, n: number) => Float64Array> = {
  zero: (_, n) => new Float64Array(n * n),
  identity: (_, n) => tridiagonal(n, () => 1, 0),
  random: symmetric,
  clustered: (random, n) =>
    withSpectrum(
      random,
      Float64Array.from({ length: n }, (_, i) => 1 + (i % 3) * 1e-14),
    ),
  geometric: (random, n) =>
    withSpectrum(
      random,
      Float64Array.from({ length: n }, (_, i) => 10 ** ((-16 * i) / Math.max(1, n - 1))),
    ),
  "graded elements": (_, n) =>
    Float64Array.from({ length: n * n }, (_, at) => 10 ** (-(Math.floor(at / n) + (at % n)) / 4)),
  "rank deficient": (random, n) => gram(random, n, Math.floor(n / 3)),
  "near overflow": (random, n) => symmetric(random, n).map((entry) => entry * 1e306),
  "near underflow": (random, n) => symmetric(random, n).map((entry) => entry * 1e-305),
  subnormal: (random, n) => symmetric(random, n).map((entry) => entry * 1e-318),
  Wilkinson: (_, n) => tridiagonal(n, (i) => Math.abs((n - 1) / 2 - i), 1),
  Laplacian: (_, n) => tridiagonal(n, () => 2, -1),
  "zero diagonal": (_, n) => tridiagonal(n, () => 0, 1),
  arrow: (_, n) => arrow(n),
  ones: (_, n) => new Float64Array(n * n).fill(1),
};

/** A diagonal operator that counts the vectors and calls it is applied to. */
export function countingDiagonal(spectrum: ArrayLike<number>) {
  const n = spectrum.length;
  const counts = { vectors: 0, calls: 0, largest: 0 };
  const apply: BlockOperator = (vectors, products, count) => {
    counts.vectors += count;
    counts.calls++;
    counts.largest = Math.max(counts.largest, count);
    for (let i = 0; i < count; i++)
      for (let j = 0; j < n; j++) products[i * n + j] = spectrum[j] * vectors[i * n + j];
  };
  return { n, apply, counts };
}

/** ‖A x_i − θ_i x_i‖ for each pair, from fresh applications. */
export function freshResiduals(
  n: number,
  apply: BlockOperator,
  values: Float64Array,
  vectors: Float64Array,
): number[] {
  const products = new Float64Array(vectors.length);
  apply(vectors, products, values.length);
  return Array.from(values, (theta, i) =>
    frobenius(products.subarray(i * n, (i + 1) * n).map((p, t) => p - theta * vectors[i * n + t])),
  );
}

/** ‖XᵀX − I‖ in units of n·ε. */
export function orthogonalityRatio(vectors: Float64Array, count: number, n: number): number {
  const difference = new Float64Array(count * count);
  for (let i = 0; i < count; i++)
    for (let j = 0; j < count; j++) {
      let sum = i === j ? -1 : 0;
      for (let t = 0; t < n; t++) sum += vectors[i * n + t] * vectors[j * n + t];
      difference[i * count + j] = sum;
    }
  return frobenius(difference) / (Math.max(1, n) * EPS);
}

export interface SdcpCase {
  readonly k: number;
  readonly a: Float64Array;
  readonly b: Float64Array;
}

/** X₀ and Y₀ ⪰ 0 with X₀Y₀ = 0 of the given ranks, and A = Y₀ − B[X₀]: a problem with a known solution. */
function planted(random: Random, k: number, b: Float64Array, rankX: number, rankY: number): SdcpCase {
  const v = orthonormalBlock(random, k, k);
  const m = svecLength(k);
  const x = new Float64Array(k * k);
  const a = new Float64Array(k * k);
  for (let e = 0; e < rankX + rankY; e++) {
    const weight = 0.5 + random.uniform();
    const target = e < rankX ? x : a;
    for (let i = 0; i < k; i++)
      for (let j = 0; j < k; j++) target[i * k + j] += weight * v[e * k + i] * v[e * k + j];
  }
  const pairs: [number, number][] = [];
  for (let i = 0; i < k; i++) for (let j = i; j < k; j++) pairs.push([i, j]);
  const coordinates = pairs.map(([i, j]) => x[i * k + j] * (i === j ? 1 : Math.SQRT2));
  pairs.forEach(([i, j], row) => {
    let image = 0;
    for (let c = 0; c < m; c++) image += b[row * m + c] * coordinates[c];
    const entry = image * (i === j ? 1 : Math.SQRT1_2);
    a[i * k + j] -= entry;
    if (i !== j) a[j * k + i] -= entry;
  });
  return { k, a, b };
}

/** The problem in coordinates scaled by diag(t): A ↦ TAT, B ↦ (T⊗T)B(T⊗T). */
function graded({ k, a, b }: SdcpCase, t: number[]): SdcpCase {
  const pair: number[] = [];
  for (let i = 0; i < k; i++) for (let j = i; j < k; j++) pair.push(t[i] * t[j]);
  const m = pair.length;
  return {
    k,
    a: a.map((entry, at) => entry * t[Math.floor(at / k)] * t[at % k]),
    b: b.map((entry, at) => entry * pair[Math.floor(at / m)] * pair[at % m]),
  };
}

/** Semidefinite complementarity problems that have a solution. */
export const solvableSdcps: Record<string, (random: Random, k: number) => SdcpCase> = {
  random: (random, k) => ({ k, a: symmetric(random, k), b: gram(random, svecLength(k), svecLength(k) + 2) }),
  "negative A": (random, k) => ({
    k,
    a: gram(random, k, k).map((entry) => -entry),
    b: gram(random, svecLength(k), svecLength(k) + 2),
  }),
  "strictly complementary, rank deficient B": (random, k) => {
    const rank = random.integer(k + 1);
    return planted(random, k, gram(random, svecLength(k), 1 + random.integer(svecLength(k))), rank, k - rank);
  },
  degenerate: (random, k) => {
    const rank = random.integer(k);
    return planted(random, k, gram(random, svecLength(k), svecLength(k) + 2), rank, random.integer(k - rank));
  },
  "degenerate, rank deficient B": (random, k) => {
    const rank = random.integer(k);
    const b = gram(random, svecLength(k), 1 + random.integer(svecLength(k)));
    return planted(random, k, b, rank, random.integer(k - rank));
  },
  "badly scaled": (random, k) => {
    const [sizeA, sizeB] = [powerOfTen(random, 8), powerOfTen(random, 8)];
    return {
      k,
      a: symmetric(random, k).map((entry) => entry * sizeA),
      b: gram(random, svecLength(k), svecLength(k)).map((entry) => entry * sizeB),
    };
  },
  "graded, entries 1e-8 to 1e8": (random, k) =>
    graded(
      { k, a: symmetric(random, k), b: gram(random, svecLength(k), svecLength(k) + 2) },
      Array.from({ length: k }, () => powerOfTen(random, 4)),
    ),
  "B blind to some X_ii that A holds": (random, k) => {
    // Where B_ii,ii = 0 < A_ii it is A that bounds X_ii, so that a solution exists.
    const m = svecLength(k);
    const blind = random.integer(k + 1);
    const b = gram(random, m, m + 1);
    const tiny = random.integer(2) * powerOfTen(random, 4) * 1e-8;
    for (let i = 0; i < blind; i++) {
      const at = svecIndex(k, i, i);
      for (let j = 0; j < m; j++) {
        b[at * m + j] *= tiny;
        b[j * m + at] *= tiny;
      }
    }
    const a = symmetric(random, k);
    const held = gram(random, k, k + 2);
    for (let i = 0; i < blind; i++)
      for (let j = 0; j < blind; j++) a[i * k + j] = held[i * k + j] + (i === j ? 0.1 : 0);
    return { k, a, b };
  },
  "slightly unsymmetric B": (random, k) => {
    const m = svecLength(k);
    const noise = gaussian(random, m * m);
    return {
      k,
      a: symmetric(random, k),
      b: gram(random, m, m + 2).map((entry, at) => entry * (1 + 1e-3 * noise[at])),
    };
  },
};
