import { smat, svec, svecLength, symmetricEigen } from "../../linalg/index.ts";

/**
 * The slow system of an oscillation z and of what holds it back, Y = cI − Λ, at one point:
 *
 *     z⁺ = (I − Y − F[zzᵀ − X])z + noise N,     Y⁺ = Y + B[zzᵀ − X] + noise M
 *
 * (docs/derivations.md, section 17). The operators act on symmetric k×k matrices, in `svec` coordinates, m×m.
 */
export interface SlowSystem {
  /** k, the number of held pairs. */
  readonly held: number;
  /** N of the gradient, k×k. */
  readonly driving: Float64Array;
  /** M. */
  readonly shaken: Float64Array;
  /** B ⪰ 0. */
  readonly response: Float64Array;
  /** F ⪰ 0. */
  readonly damping: Float64Array;
}

/** The r of x(a) = a + 4a/(a² + 13a/(a + r)), fitted: 4 and 13 are the hierarchy's own, and x falls to 0 with a. */
const tail = (a: number): number => (3.4 * a) / (a + 0.04);

/**
 * K = E z⁴/(E z²)² at rest, for one direction, of dz = −(d + κz²)z dt + √a dW, dd = (z² − 1)dt + √b dW′: time in units of
 * 1/√(BX), z² in X, d = Y/√(BX). Exactly 3 at b = κ = 0; to first order in b and κ it is 3 + 3(b − 4κ)/x(a) with x a continued
 * fraction whose tail is fitted; for larger ones summed so that K ≥ 1 (docs/derivations.md, section 17). Within 20 % of
 * simulations of this system for a from 0.5 to 13, κ ≤ 1 and b ≤ a, up to b = 2a where a ≤ 4.
 *
 * @param a, b, kappa all ≥ 0
 */
export function restingKurtosis(a: number, b: number, kappa: number): number {
  if (!(a > 0)) return kappa > 0 ? 1 : 3;
  const x = a + (4 * a) / (a * a + (13 * a) / (a + tail(a)));
  return 1 + (2 * (x + 1.5 * b)) / (x + 6 * kappa);
}

/**
 * What the fluctuation of z and Y about rest adds to N in XY + YX − YXY = N: symmetric, k×k, not always ⪰ 0.
 * @param X, Y where the system rests, k×k, in the basis of the slow system
 * Cost: about 4m³ + m²k³ operations, m = k(k+1)/2.
 */
export function ofFluctuation(slow: SlowSystem, X: Float64Array, Y: Float64Array): Float64Array {
  const { held: k, response: B, damping: F, shaken: M } = slow;
  const m = svecLength(k);
  const scaled = scaledCovariance(slow, X);
  // Cov(zzᵀ) takes a symmetric S to 2X̃SX̃.
  const covariance = new Float64Array(m * m);
  for (let a = 0; a < m; a++)
    covariance.set(
      svec(between(scaled, unitOf(a, k), scaled, k), k).map((entry) => 2 * entry),
      a * m,
    );
  const both = B.map((entry, at) => 1.5 * entry - 2 * F[at]);
  const own = anticommutator(square(both, covariance, m), k);
  const shaken = ofSharpness(M, B, k);
  const mixed = square(Y, shaken, k);
  for (let i = 0; i < k; i++)
    for (let j = 0; j < k; j++) own[i * k + j] -= (mixed[i * k + j] + mixed[j * k + i]) / 4;
  return own;
}

/** X with its eigenvalues x_i times √((K_i − 1)/2), K_i the kurtosis along the i-th eigenvector. */
function scaledCovariance({ held: k, driving, shaken, response, damping }: SlowSystem, X: Float64Array) {
  const { values, vectors } = symmetricEigen(X, k);
  const out = new Float64Array(k * k);
  values.forEach((x, e) => {
    if (!(x > 0)) return;
    const q = Float64Array.from({ length: k }, (_, i) => vectors[e * k + i]);
    const outer = Float64Array.from({ length: k * k }, (_, at) => q[Math.floor(at / k)] * q[at % k]);
    const along = svec(outer, k);
    const B = form(response, along);
    const rate = Math.sqrt(Math.max(0, B) * x);
    const a = form(driving, q) / (x * rate);
    const b = form(shaken, along) / (rate * rate * rate);
    const kappa = ((form(damping, along) - 0.75 * B) * x) / rate;
    const K = rate > 0 ? restingKurtosis(a, b, Math.max(0, kappa)) : 3;
    const scale = x * Math.sqrt((K - 1) / 2);
    for (let at = 0; at < k * k; at++) out[at] += scale * outer[at];
  });
  return out;
}

const form = (matrix: Float64Array, x: Float64Array): number => {
  let total = 0;
  for (let i = 0; i < x.length; i++)
    for (let j = 0; j < x.length; j++) total += x[i] * matrix[i * x.length + j] * x[j];
  return total;
};

/** The product of two square matrices of order n. */
function square(x: Float64Array, y: Float64Array, n: number): Float64Array {
  const out = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let l = 0; l < n; l++) for (let j = 0; j < n; j++) out[i * n + j] += x[i * n + l] * y[l * n + j];
  return out;
}

const between = (x: Float64Array, y: Float64Array, z: Float64Array, n: number): Float64Array =>
  square(square(x, y, n), z, n);

/** The a-th of the orthonormal basis of symmetric matrices. */
function unitOf(a: number, k: number): Float64Array {
  const unit = new Float64Array(svecLength(k));
  unit[a] = 1;
  return smat(unit, k);
}

/** Eigenvalues of the response below this fraction of the largest count as 0. */
const BLIND = 1e-10;

/**
 * ½Σ_pq K_pq(E_pE_q + E_qE_p) with K = M·B⁺: what Y's own noise, of covariance M per step, adds to N where Y answers X by B.
 * k×k.
 */
export function ofSharpness(M: Float64Array, B: Float64Array, k: number): Float64Array {
  const m = svecLength(k);
  const { values, vectors } = symmetricEigen(B, m);
  const least = BLIND * Math.max(0, values[m - 1] ?? 0);
  const K = new Float64Array(m * m);
  values.forEach((value, e) => {
    if (!(value > least)) return;
    for (let a = 0; a < m; a++) {
      let turned = 0;
      for (let q = 0; q < m; q++) turned += M[a * m + q] * vectors[e * m + q];
      for (let b = 0; b < m; b++) K[a * m + b] += (turned * vectors[e * m + b]) / value;
    }
  });
  return anticommutator(K, k);
}

/** ½Σ_pq K_pq(E_pE_q + E_qE_p), k×k, for K in `svec` coordinates. */
function anticommutator(K: Float64Array, k: number): Float64Array {
  const m = svecLength(k);
  const basis = Array.from({ length: m }, (_, a) => unitOf(a, k));
  const out = new Float64Array(k * k);
  for (let a = 0; a < m; a++)
    for (let b = 0; b < m; b++)
      for (let i = 0; i < k; i++)
        for (let j = 0; j < k; j++) {
          let product = 0;
          for (let l = 0; l < k; l++)
            product += basis[a][i * k + l] * basis[b][l * k + j] + basis[b][i * k + l] * basis[a][l * k + j];
          out[i * k + j] += (K[a * m + b] * product) / 2;
        }
  return out;
}
