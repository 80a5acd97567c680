import type { Objective } from "../../autodiff/index.ts";
import { Random, valueError } from "../../base/index.ts";

/** How mini-batches are drawn. */
export interface BatchSampling {
  /** N, the number of examples to draw from. */
  readonly examples: number;
  /** Each batch is drawn anew with replacement; else from the shuffled order of an epoch. */
  readonly replacement: boolean;
  readonly seed: number;
}

/**
 * The mini-batches of a run: the batch of step t is a function of the seed and of t alone, so that it does not matter when,
 * how often or by whom it is asked for.
 *
 * Without replacement an epoch is ⌊N/B⌋ steps along one shuffled order of the examples; those that would make a short last
 * batch are left out of this epoch.
 */
export class MiniBatches {
  /** B, the examples of a batch. */
  readonly size: number;
  /** N. */
  readonly examples: number;
  readonly replacement: boolean;
  private readonly objective: Objective;
  private readonly seed: number;
  private epoch = -1;
  private order: readonly number[] = [];

  /**
   * @param objective made for batches (`ObjectiveOptions.batch`); whoever asks for a batch moves it
   * @throws InputValueError for batches of more examples than there are
   */
  constructor(objective: Objective, { examples, replacement, seed }: BatchSampling) {
    if (objective.examples < 1 || objective.examples > examples)
      throw valueError("mini-batches", `from 1 to ${examples} examples`, String(objective.examples));
    this.objective = objective;
    this.size = objective.examples;
    this.examples = examples;
    this.replacement = replacement;
    this.seed = seed;
  }

  /** The examples of step t = 0, 1, … by their indices. */
  indices(step: number): readonly number[] {
    const { size, examples, seed } = this;
    if (this.replacement) {
      const random = new Random(seed, `batch ${step}`);
      return Array.from({ length: size }, () => random.integer(examples));
    }
    const perEpoch = Math.floor(examples / size);
    const epoch = Math.floor(step / perEpoch);
    if (epoch !== this.epoch) {
      this.order = new Random(seed, `epoch ${epoch}`).permutation(examples);
      this.epoch = epoch;
    }
    const first = (step % perEpoch) * size;
    return this.order.slice(first, first + size);
  }

  /** The loss of a batch as any step might have drawn it, the n-th of those that no step has; overwritten by the next call. */
  probe(n: number, weights: Float64Array): Objective {
    const { size, examples, seed } = this;
    const random = new Random(seed, `probe ${n}`);
    this.objective.choose(
      this.replacement
        ? Array.from({ length: size }, () => random.integer(examples))
        : random.permutation(examples).slice(0, size),
    );
    this.objective.setWeights(weights);
    return this.objective;
  }

  /** The loss of the batch of step t, standing at `weights`; overwritten by the next call. */
  at(step: number, weights: Float64Array): Objective {
    this.objective.choose(this.indices(step));
    this.objective.setWeights(weights);
    return this.objective;
  }
}
