import type { Played, Reference } from "./play.ts";

/** How well a model did on a problem. NaN where there is nothing to say. */
export interface Score {
  /** Mean distance from the midpoints over the distance that they moved. */
  readonly path: number;
  /** Predicted less measured mean loss of the second half, over the mean of the measured |loss|. */
  readonly loss: number;
  /** Mean S_eff/c of the second half, and the largest of all steps but the first. */
  readonly sharpness: number;
  readonly overshoot: number;
  /** The first step whose oscillation has a tenth of the mean square that the optimizer's has in the second half. */
  readonly onset: number;
  /** Predicted over measured mean square of the oscillation in the second half, less 1. */
  readonly variances: number;
  readonly steps: number;
  readonly gradients: number;
  readonly products: number;
  readonly thirds: number;
}

/** What the optimizer itself has of the same numbers. */
export type Facts = Pick<Score, "sharpness" | "overshoot" | "onset" | "steps"> & {
  readonly loss: number;
  /** The mean of |loss|. */
  readonly lossSize: number;
  /** NaN where the oscillation adds less than a ten-thousandth to the loss. */
  readonly variance: number;
  readonly moved: number;
};

/** An onset is where a tenth of the oscillation is there. */
const ONSET = 0.1;
/** Of the loss: an oscillation that adds less is none to be judged by. */
const LEAST = 1e-4;

/** The optimizer's own numbers. */
export function factsOf(reference: Reference): Facts {
  const steps = reference.midpoints.length;
  const lossSize = late(reference.loss.map(Math.abs), steps);
  const square = late(reference.variance, steps);
  const variance = (reference.edge / 2) * square > LEAST * lossSize ? square : Number.NaN;
  return {
    sharpness: late(reference.sharpness, steps),
    overshoot: most(reference.sharpness),
    onset: onsetOf(reference.variance, variance),
    steps,
    loss: late(reference.loss, steps),
    lossSize,
    variance,
    moved: reference.moved,
  };
}

/** A model's scores. @param facts those of the optimizer on the same problem */
export function scoreOf(played: Played, facts: Facts): Score {
  const { steps } = facts;
  const whole = played.steps >= steps;
  const judged = (value: number): number => (whole ? value : Number.NaN);
  return {
    path: judged(mean(played.distance.subarray(0, steps)) / facts.moved),
    loss: judged((late(played.loss, steps) - facts.loss) / facts.lossSize),
    sharpness: judged(late(played.sharpness, steps)),
    overshoot: most(played.sharpness),
    onset: onsetOf(played.variance, facts.variance),
    variances: judged(late(played.variance, steps) / facts.variance - 1),
    steps: played.steps,
    ...played.cost,
  };
}

const mean = (values: Float64Array): number =>
  values.reduce((total, value) => total + value, 0) / values.length;

const late = (values: Float64Array, steps: number): number =>
  mean(values.subarray(Math.floor(steps / 2), steps));

const most = (values: Float64Array): number =>
  values.subarray(1).reduce((largest, value) => Math.max(largest, Number.isNaN(value) ? 0 : value), 0);

const onsetOf = (variance: Float64Array, scale: number): number => {
  const at = variance.findIndex((value) => value >= ONSET * scale);
  return at < 0 ? Number.NaN : at;
};
