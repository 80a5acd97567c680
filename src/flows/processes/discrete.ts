import { batchSharpness } from "../batches/batch-sharpness.ts";
import { gradientNoise } from "../batches/gradient-noise.ts";
import type { MiniBatches } from "../batches/mini-batches.ts";
import { type PhasePoint, steppedWeights } from "../dynamics/point.ts";
import type { Stopwatch } from "./curvature.ts";
import { type ProcessEntry, plainEntry } from "./entry.ts";
import { type Observation, type ProcessSetup, type SeenBatch, toPrecision } from "./process.ts";
import type { Quantities } from "./quantity.ts";
import { SteppingProcess } from "./stepping.ts";

/**
 * The optimizer itself: s⁺ = update(s, g), w⁺ = w − P⁻¹q − rw. Observed at w with the state already updated. With
 * mini-batches g is that of the step's batch; what is observed is still the loss of all examples, and the batch beside it.
 */
export class DiscreteProcess extends SteppingProcess {
  observation: Observation | undefined;

  constructor(setup: ProcessSetup) {
    super(setup, "discrete");
  }

  protected evaluate(watch: Stopwatch): PhasePoint | undefined {
    const { weights } = this;
    const { rule, precision, batches } = this.setup;
    const { gradient, state } = watch.time("grad_and_value", () => {
      const gradient = this.stepObjective().gradient();
      return { gradient, state: this.updatedState(gradient) };
    });
    const observed = this.observe(watch, { weights, state });
    if (!observed) return undefined;
    const batch = batches && watch.time("batch", () => this.seenBatch(batches, observed));
    this.observation = { ...observed, ...(batch && { batch }) };
    const moved = steppedWeights(rule, batch ? { ...observed, gradient } : observed);
    return { weights: toPrecision(moved, precision), state };
  }

  /** The batch of the step that was taken last, both objectives standing at the observed weights. */
  private seenBatch(batches: MiniBatches, { weights, preconditioner, pairs }: Observation): SeenBatch {
    const { objective } = this.setup;
    const noise = pairs && gradientNoise(objective, batches, pairs.vectors);
    const batch = batches.at(this.step, weights);
    return {
      loss: batch.loss(),
      gradient: batch.gradient().slice(),
      sharpness: batchSharpness(batch, preconditioner),
      noise,
    };
  }
}

/** The batch's sharpness beside its loss, and the noise of gradients, where there are batches. */
function batchQuantities({ batch, pairs }: Observation): Quantities {
  if (!batch) return {};
  const { loss, gradient, sharpness, noise } = batch;
  const k = pairs?.count ?? 0;
  return {
    batch_loss: loss,
    batch_grad_norm_sq: gradient.reduce((total, entry) => total + entry * entry, 0),
    batch_sharpness: sharpness.raw,
    effective_batch_sharpness: sharpness.effective,
    ...(noise && {
      gradient_noise: { shape: [k, k], data: noise.along },
      gradient_noise_trace: noise.diagonal.reduce((total, entry) => total + entry, 0),
    }),
  };
}

export const discrete = {
  ...plainEntry,
  kind: "discrete",
  label: "Optimizer",
  eigenSettings: "discrete",
  projected: "all",
  create: (setup) => new DiscreteProcess(setup),
  quantities: batchQuantities,
} as const satisfies ProcessEntry;
