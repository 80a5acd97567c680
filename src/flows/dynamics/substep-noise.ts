import type { Objective } from "../../autodiff/index.ts";
import { pairIndex } from "../../base/index.ts";
import { smat, svec, svecLength, symmetricEigen } from "../../linalg/index.ts";
import { type GradientNoise, gradientNoise } from "../batches/gradient-noise.ts";
import type { MiniBatches } from "../batches/mini-batches.ts";
import { innerProduct } from "./effective-hessian.ts";
import { ofFluctuation, ofSharpness, type SlowSystem } from "./fluctuation.ts";

/**
 * The parts of the noise of mini-batches: of the gradient, of the sharpness that it shakes, of the batch's own Hessian; and
 * what the oscillation does to itself, because its square fluctuates.
 */
export const NOISE_TERMS = ["gradient", "sharpness", "hessian", "fluctuation"] as const;

/** One of them. */
export type NoiseTerm = (typeof NOISE_TERMS)[number];

/** Where a flow's noise comes from, and what it takes of it. */
export interface NoiseSource {
  /**
   * C is measured from the gradients of examples, or variance·I, or diagonal with a variance for each weight. Without
   * mini-batches what is measured is 0.
   */
  readonly variance: number | Float64Array | "measured";
  readonly terms: readonly NoiseTerm[];
  readonly form: "lyapunov" | "full";
}

/** All of the noise that there is. */
export const ALL_NOISE: NoiseSource = { variance: "measured", terms: NOISE_TERMS, form: "full" };

/** The noise at one point, along the tracked eigenvectors. */
export interface SubstepNoise {
  /** U, and P there: `count` vectors of length p with UᵀPU = I. */
  readonly vectors: Float64Array;
  readonly preconditioner: Float64Array;
  readonly count: number;
  /** N: UᵀCU, and what the noise of the sharpness adds. */
  readonly along: Float64Array;
  /** diag C. */
  readonly diagonal: Float64Array;
  /** Samples of UᵀH_BU − Λ, count×count each. */
  readonly hessians: readonly Float64Array[];
  /** How oscillation and sharpness answer one another, where their fluctuation is to count. */
  readonly slow?: SlowSystem;
  readonly form: "lyapunov" | "full";
}

/** What the noise is measured at. The objective of all examples stands there. */
export interface NoisePoint {
  readonly weights: Float64Array;
  readonly preconditioner: Float64Array;
  /** Tracked pairs, of which the first `held` are held. */
  readonly values: Float64Array;
  readonly vectors: Float64Array;
  readonly held: number;
  /** T_ij of the held pairs. */
  readonly third: Float64Array;
  /** What P adds to dY/dt per unit of X, held pairs × held pairs as in `CentralRates.dPdtX`, times c. */
  readonly preconditionerResponse: Float64Array;
  readonly step: number;
}

/** At most so many batches are asked for their Hessian in a step: the average over steps is what counts. */
const MOST_PROBES = 12;

/**
 * N, diag C and the noise of the Hessian (docs/derivations.md, section 17).
 * Cost: the gradients of all examples, k + m products with each; up to 12·k Hessian-vector products of a batch.
 * @throws Stopped where the objective's `shouldStop` answers true
 */
export function substepNoise(
  objective: Objective,
  batches: MiniBatches | undefined,
  { variance, terms, form }: NoiseSource,
  point: NoisePoint,
): SubstepNoise {
  const { dimension: p } = objective;
  const { vectors, preconditioner, values, held } = point;
  const k = values.length;
  const turns = held > 0 && (terms.includes("sharpness") || terms.includes("fluctuation"));
  const turning = turns ? sharpnessGradients(point, p) : new Float64Array(0);
  const m = turning.length / p;
  const asked = new Float64Array((k + m) * p);
  asked.set(vectors.subarray(0, k * p));
  asked.set(turning, k * p);
  const { along: all, diagonal } = noiseAlong(objective, batches, variance, asked);
  const wide = k + m;
  const along = new Float64Array(k * k);
  if (terms.includes("gradient"))
    for (let i = 0; i < k; i++) for (let j = 0; j < k; j++) along[i * k + j] = all[i * wide + j];
  const driving = Float64Array.from(
    { length: held * held },
    (_, at) => along[Math.floor(at / held) * k + (at % held)],
  );
  const whole = Float64Array.from(
    { length: m * m },
    (_, at) => all[(k + Math.floor(at / m)) * wide + k + (at % m)],
  );
  const shaken = terms.includes("sharpness") ? whole : new Float64Array(m * m);
  const answer = turns ? response(point, turning, p) : new Float64Array(0);
  if (turns) addTo(along, k, ofSharpness(shaken, answer, held), held);
  const fluctuates = turns && terms.includes("fluctuation");
  const damping = fluctuates ? selfDamping(point, p) : new Float64Array(0);
  return {
    vectors,
    preconditioner,
    count: k,
    along: semidefinite(along, k),
    diagonal,
    hessians: terms.includes("hessian") && batches ? hessianNoise(objective, batches, point) : [],
    ...(fluctuates && { slow: { held, driving, shaken, response: answer, damping } }),
    form,
  };
}

function noiseAlong(
  objective: Objective,
  batches: MiniBatches | undefined,
  variance: NoiseSource["variance"],
  vectors: Float64Array,
): GradientNoise {
  const { dimension: p } = objective;
  const k = vectors.length / p;
  if (variance === "measured" && batches) return gradientNoise(objective, batches, vectors);
  const diagonal = givenDiagonal(variance === "measured" ? 0 : variance, p);
  const driven = vectors.map((entry, at) => entry * diagonal[at % p]);
  const along = Float64Array.from({ length: k * k }, (_, at) =>
    innerProduct(vectors, Math.floor(at / k), driven, at % k, p),
  );
  return { along, diagonal };
}

/** diag C as it was given. */
export const givenDiagonal = (variance: number | Float64Array, p: number): Float64Array =>
  typeof variance === "number" ? new Float64Array(p).fill(variance) : variance.slice();

/** √2 off the diagonal, 1 on it: what turns pairs into the orthonormal coordinates of symmetric matrices. */
const weightOf = (i: number, j: number): number => (i === j ? 1 : Math.SQRT2);

/**
 * r_ij·P⁻¹T_ij without its part along the held eigenvectors: a step −P⁻¹ξ moves Y's coordinate ij by minus its product with
 * ξ. Along those vectors the weights do not wander; they oscillate.
 */
function sharpnessGradients({ vectors, preconditioner, held, third }: NoisePoint, p: number): Float64Array {
  const out = new Float64Array(svecLength(held) * p);
  for (let i = 0; i < held; i++)
    for (let j = i; j < held; j++) {
      const a = pairIndex(i, j, held);
      const weight = weightOf(i, j);
      for (let l = 0; l < p; l++) out[a * p + l] = (weight * third[a * p + l]) / preconditioner[l];
      for (let u = 0; u < held; u++) {
        const part = weight * innerProduct(third, a, vectors, u, p);
        for (let l = 0; l < p; l++) out[a * p + l] -= part * vectors[u * p + l];
      }
    }
  return out;
}

/** Adds a block of the first `held` rows and columns to a k×k matrix. */
function addTo(along: Float64Array, k: number, block: Float64Array, held: number): void {
  for (let i = 0; i < held; i++) for (let j = 0; j < held; j++) along[i * k + j] += block[i * held + j];
}

/**
 * F: along the held directions the mean path answers zzᵀ within a step, by −½Σ_n u_n (u_nᵀD³L[z, z, ·])/λ_n, and Λ answers
 * that. m×m.
 */
function selfDamping({ values, vectors, held, third }: NoisePoint, p: number): Float64Array {
  const m = svecLength(held);
  const inner = new Float64Array(m * held);
  for (let i = 0; i < held; i++)
    for (let j = i; j < held; j++) {
      const a = pairIndex(i, j, held);
      for (let n = 0; n < held; n++)
        inner[a * held + n] = weightOf(i, j) * innerProduct(third, a, vectors, n, p);
    }
  const out = new Float64Array(m * m);
  for (let a = 0; a < m; a++)
    for (let b = 0; b < m; b++)
      for (let n = 0; n < held; n++)
        out[a * m + b] += (inner[a * held + n] * inner[b * held + n]) / (2 * values[n]);
  return out;
}

/** dY/dt per unit of X, by way of the weights outside of the held directions and of P: m×m, symmetric. */
function response(
  { preconditioner, held, preconditionerResponse }: NoisePoint,
  turning: Float64Array,
  p: number,
) {
  const m = turning.length / p;
  const out = new Float64Array(m * m);
  const weights = Array.from({ length: m }, () => 1);
  for (let i = 0; i < held; i++)
    for (let j = i; j < held; j++) weights[pairIndex(i, j, held)] = weightOf(i, j);
  for (let a = 0; a < m; a++)
    for (let b = 0; b < m; b++) {
      let total = 0;
      for (let l = 0; l < p; l++) total += turning[a * p + l] * turning[b * p + l] * preconditioner[l];
      const ofP = preconditionerResponse[a * m + b] + preconditionerResponse[b * m + a];
      out[a * m + b] = total / 2 + (weights[a] * weights[b] * ofP) / 2;
    }
  return out;
}

/** The positive semidefinite part of a symmetric matrix. */
function semidefinite(matrix: Float64Array, k: number): Float64Array {
  const even = matrix.map((entry, at) => (entry + matrix[(at % k) * k + Math.floor(at / k)]) / 2);
  const { values, vectors } = symmetricEigen(even, k);
  if (k === 0 || values[0] >= 0) return even;
  const out = new Float64Array(k * k);
  values.forEach((value, e) => {
    for (let at = 0; value > 0 && at < k * k; at++)
      out[at] += value * vectors[e * k + Math.floor(at / k)] * vectors[e * k + (at % k)];
  });
  return out;
}

/** UᵀH_BU − Λ of some batches that the optimizer might have drawn. */
function hessianNoise(
  { dimension: p }: Objective,
  batches: MiniBatches,
  { weights, values, vectors, step }: NoisePoint,
): Float64Array[] {
  const k = values.length;
  const count = batches.size === batches.examples && !batches.replacement ? 0 : MOST_PROBES;
  return Array.from({ length: count }, (_, probe) => {
    const batch = batches.probe(MOST_PROBES * step + probe, weights);
    const products = new Float64Array(k * p);
    batch.hvp(vectors, products, k);
    return Float64Array.from({ length: k * k }, (_, at) => {
      const [i, j] = [Math.floor(at / k), at % k];
      const entry = innerProduct(vectors, i, products, j, p);
      const mirrored = innerProduct(vectors, j, products, i, p);
      return (entry + mirrored) / 2 - (i === j ? values[i] : 0);
    });
  });
}

/** The noise along the first `k` of other vectors that span what the measured ones do. */
export interface TurnedNoise {
  /** N, k×k. */
  readonly along: Float64Array;
  /** V in `svec` coordinates. */
  readonly multiplicative?: Float64Array;
  /** N with what fluctuation about a rest at X and Y adds, k×k each; itself where that is not to count. */
  at(X: Float64Array, Y: Float64Array): Float64Array;
}

/** Σ_ij t(i, a)·M_ij·t(j, b) for a, b < size: an n×n matrix in another basis. */
function turned(
  matrix: Float64Array,
  n: number,
  size: number,
  t: (from: number, to: number) => number,
): Float64Array {
  const out = new Float64Array(size * size);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++)
      for (let a = 0; a < size; a++)
        for (let b = 0; b < size; b++) out[a * size + b] += t(i, a) * matrix[i * n + j] * t(j, b);
  return out;
}

/** Turns what was measured into the basis of other vectors. */
export function noiseIn(noise: SubstepNoise, vectors: Float64Array, k: number): TurnedNoise {
  const { count, preconditioner, vectors: old, slow } = noise;
  const p = preconditioner.length;
  const scaled = old.slice(0, count * p);
  for (let at = 0; at < scaled.length; at++) scaled[at] *= preconditioner[at % p];
  const turn = Float64Array.from({ length: count * k }, (_, at) =>
    innerProduct(scaled, Math.floor(at / k), vectors, at % k, p),
  );
  const into = (matrix: Float64Array): Float64Array => turned(matrix, count, k, (i, a) => turn[i * k + a]);
  const back = (matrix: Float64Array, held: number): Float64Array =>
    turned(matrix, k, held, (a, i) => turn[i * k + a]);
  const along = semidefinite(into(noise.along), k);
  const at = (X: Float64Array, Y: Float64Array): Float64Array => {
    if (!slow) return along;
    const { held } = slow;
    const all = noise.along.slice();
    addTo(all, count, ofFluctuation(slow, back(X, held), back(Y, held)), held);
    return semidefinite(into(all), k);
  };
  if (noise.hessians.length === 0) return { along, at };
  return { along, at, multiplicative: drivenBy(noise.hessians.map(into), k) };
}

/** V[X], the mean of δXδ over the samples, in `svec` coordinates. */
function drivenBy(samples: readonly Float64Array[], k: number): Float64Array {
  const m = svecLength(k);
  const out = new Float64Array(m * m);
  const unit = new Float64Array(m);
  for (let a = 0; a < m; a++) {
    unit.fill(0);
    unit[a] = 1;
    const basis = smat(unit, k);
    const total = new Float64Array(k * k);
    for (const delta of samples)
      for (let i = 0; i < k; i++)
        for (let u = 0; u < k; u++) {
          let half = 0;
          for (let v = 0; v < k; v++) half += delta[i * k + v] * basis[v * k + u];
          for (let j = 0; j < k; j++) total[i * k + j] += half * delta[u * k + j];
        }
    out.set(
      svec(total, k).map((entry) => entry / samples.length),
      a * m,
    );
  }
  return out;
}
