/**
 * What ε does to a rule that divides by √ν̂ + ε, read off the distribution of s = √ν̂. A weight with s ≫ ε is divided by
 * its own s, one with s ≪ ε by the same ε as all others.
 */
import { valueError } from "../base/index.ts";
import { type CompiledRule, stateParts } from "../flows/index.ts";

/** Numbers counted by their order of magnitude. Plain data. */
export interface MagnitudeHistogram {
  /** log10 of the middle of each bin, increasing; every bin from the least to the largest number, so that some may be empty. */
  readonly places: readonly number[];
  /** The share of all numbers that lies in each bin; with `zeros` they sum to 1. */
  readonly shares: readonly number[];
  /** The share of numbers that are 0, which have no order of magnitude. */
  readonly zeros: number;
}

/** Bins of a histogram of magnitudes in a factor of ten. */
const BINS_PER_DECADE = 5;

/**
 * The histogram of log10 |x|.
 *
 * @param values at least one; finite. Read. @throws InputValueError for none, or one that is not finite
 */
export function magnitudeHistogram(values: ArrayLike<number>): MagnitudeHistogram {
  const bins = new Map<number, number>();
  let zeros = 0;
  for (let i = 0; i < values.length; i++) {
    const size = Math.abs(values[i]);
    if (!Number.isFinite(size)) throw valueError("magnitudeHistogram", "finite numbers", String(values[i]));
    if (size === 0) zeros++;
    else {
      const bin = Math.floor(BINS_PER_DECADE * Math.log10(size));
      bins.set(bin, (bins.get(bin) ?? 0) + 1);
    }
  }
  if (values.length === 0) throw valueError("magnitudeHistogram", "numbers", "none");
  const found = [...bins.keys()].sort((a, b) => a - b);
  const first = found[0] ?? 0;
  const count = found.length === 0 ? 0 : found[found.length - 1] - first + 1;
  return {
    places: Array.from({ length: count }, (_, b) => (first + b + 0.5) / BINS_PER_DECADE),
    shares: Array.from({ length: count }, (_, b) => (bins.get(first + b) ?? 0) / values.length),
    zeros: zeros / values.length,
  };
}

/**
 * A(ε), how adaptive a rule is: the mean of s/(s + ε) over the entries of s = √ν̂ above 0. Near 1 each weight is divided
 * by its own s, and ε does nothing; near 0 all are divided by ε, and the rule is a momentum method with the learning rate
 * η/ε. Entries that are 0 belong to weights without any gradient, which do not move; they are left out.
 *
 * @param s not below 0. Read. @returns NaN where no entry is above 0
 */
export function adaptivity(s: ArrayLike<number>, epsilon: number): number {
  let total = 0;
  let count = 0;
  for (let i = 0; i < s.length; i++)
    if (s[i] > 0) {
      total += 1 / (1 + epsilon / s[i]);
      count++;
    }
  return total / count;
}

/** The ε between which a rule turns from an adaptive one into a momentum method: A = 0.99 at the lower, 0.01 at the upper end. */
export type AdaptivityInterval = readonly [adaptive: number, momentum: number];

/** A at the two ends of the interval: ours. */
const ENDS = [0.99, 0.01] as const;

/**
 * The interval of ε for these s, by bisection of log ε; A is decreasing in ε.
 *
 * @param s not below 0. Read. @returns NaN twice where no entry is above 0
 */
export function adaptivityInterval(s: ArrayLike<number>): AdaptivityInterval {
  let least = Number.POSITIVE_INFINITY;
  let most = 0;
  for (let i = 0; i < s.length; i++)
    if (s[i] > 0) {
      least = Math.min(least, s[i]);
      most = Math.max(most, s[i]);
    }
  if (most === 0) return [Number.NaN, Number.NaN];
  const at = (level: number): number => {
    // A of the smallest s alone lies below A, that of the largest above it.
    let [low, high] = [Math.log(least * (1 / level - 1)), Math.log(most * (1 / level - 1))];
    for (let i = 0; i < 100 && high - low > 1e-12; i++) {
      const middle = (low + high) / 2;
      if (adaptivity(s, Math.exp(middle)) > level) low = middle;
      else high = middle;
    }
    return Math.exp((low + high) / 2);
  };
  return [at(ENDS[0]), at(ENDS[1])];
}

/** What ε does at one place of a run. Plain data. */
export interface AdaptivityAt {
  readonly epsilon: number;
  /** Whether ν is one number for all weights. */
  readonly scalar: boolean;
  /** Of |g_i|, at these weights. */
  readonly gradients: MagnitudeHistogram;
  /** Of s_i = √ν̂_i, as the last step divided by it. */
  readonly roots: MagnitudeHistogram;
  /** A(ε). */
  readonly adaptivity: number;
  readonly interval: AdaptivityInterval;
}

/**
 * √ν̂ and ε of a rule that divides by (√ν̂ + ε)/η, from P alone: with ν = 0 it is ε/η, and √ν̂ is √ν times one number,
 * which the largest entry tells.
 *
 * @param state read @returns undefined for a rule without a second moment, and before its first step
 */
export function secondMomentOf(
  rule: CompiledRule,
  state: Float64Array,
): { readonly epsilon: number; readonly roots: Float64Array } | undefined {
  const { dimension: p } = rule;
  const { nu, t } = stateParts(rule.rule, state, p);
  if (rule.rule.secondMoment === undefined || nu === undefined || !(t[0] > 0)) return undefined;
  const P = new Float64Array(p);
  const eta = rule.learningRate(state);
  const without = state.slice();
  stateParts(rule.rule, without, p).nu.fill(0);
  rule.preconditioner(without, P);
  const epsilon = P[0] * eta;
  rule.preconditioner(state, P);
  let largest = 0;
  for (let i = 1; i < nu.length; i++) if (nu[i] > nu[largest]) largest = i;
  const scale = nu[largest] > 0 ? (P[largest] * eta - epsilon) / Math.sqrt(nu[largest]) : 0;
  return { epsilon, roots: nu.map((entry) => scale * Math.sqrt(entry)) };
}

/** What ε does with a state and the gradient of its weights; undefined for a rule without a second moment. */
export function adaptivityAt(
  rule: CompiledRule,
  state: Float64Array,
  gradient: Float64Array,
): AdaptivityAt | undefined {
  const moment = secondMomentOf(rule, state);
  if (moment === undefined) return undefined;
  const { epsilon, roots } = moment;
  return {
    epsilon,
    scalar: rule.rule.secondMoment === "scalar",
    gradients: magnitudeHistogram(gradient),
    roots: magnitudeHistogram(roots),
    adaptivity: adaptivity(roots, epsilon),
    interval: adaptivityInterval(roots),
  };
}
