import type { Objective } from "../../autodiff/index.ts";
import { throwIfStopped } from "../../base/index.ts";

/** How many examples a mini-batch has of how many, and whether one may occur twice. */
export interface BatchShape {
  readonly size: number;
  readonly examples: number;
  readonly replacement: boolean;
}

/** The covariance C of a mini-batch's gradient, as far as it is asked for. */
export interface GradientNoise {
  /** VᵀCV, k×k, for the vectors given. */
  readonly along: Float64Array;
  /** The diagonal of C, p numbers. */
  readonly diagonal: Float64Array;
}

/** So many gradients are held at once. */
const BLOCK = 16;

/**
 * Var of a mean of B numbers over that of one number of the N, drawn with replacement, or without from all N (the
 * correction for a finite population).
 */
export const batchVariance = ({ size, examples, replacement }: BatchShape): number =>
  replacement || examples === 1 ? 1 / size : (examples - size) / (size * (examples - 1));

/**
 * The covariance of the gradient of one mini-batch at the objective's weights, from the gradients of all examples
 * (docs/derivations.md, section 17): C = `batchVariance`·(1/N)Σ_e (g_e − ∇L)(g_e − ∇L)ᵀ with g_e = N times what example e
 * contributes to ∇L.
 *
 * @param objective of the whole loss, over examples
 * @param vectors V: k vectors of length p, read
 * @throws Stopped where the objective's `shouldStop` answers true
 * Cost: the gradient of every example, one by one, and k·p multiplications for each.
 */
export function gradientNoise(objective: Objective, batch: BatchShape, vectors: Float64Array): GradientNoise {
  const { dimension: p, examples } = objective;
  const k = vectors.length / p;
  const mean = objective.gradient().slice();
  const along = new Float64Array(k * k);
  const diagonal = new Float64Array(p);
  const block = new Float64Array(BLOCK * p);
  const coordinates = new Float64Array(k);
  for (let first = 0; first < examples; first += BLOCK) {
    throwIfStopped("gradient noise", objective.shouldStop);
    const count = Math.min(BLOCK, examples - first);
    objective.exampleGradients(first, count, block);
    for (let e = 0; e < count; e++) {
      coordinates.fill(0);
      for (let l = 0; l < p; l++) {
        const away = examples * block[e * p + l] - mean[l];
        block[e * p + l] = away;
        diagonal[l] += away * away;
      }
      for (let i = 0; i < k; i++) {
        let total = 0;
        for (let l = 0; l < p; l++) total += vectors[i * p + l] * block[e * p + l];
        coordinates[i] = total;
      }
      for (let i = 0; i < k; i++)
        for (let j = 0; j < k; j++) along[i * k + j] += coordinates[i] * coordinates[j];
    }
  }
  const scale = batchVariance(batch) / examples;
  return {
    along: along.map((entry) => entry * scale),
    diagonal: diagonal.map((entry) => entry * scale),
  };
}
