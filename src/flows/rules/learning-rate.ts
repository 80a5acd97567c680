import {
  add,
  cos,
  divide,
  less,
  multiply,
  power,
  select,
  stopGradient,
  subtract,
  type Tensor,
} from "../../autodiff/index.ts";
import { valueError } from "../../base/index.ts";

/** η as a traced function of the optimizer step t (a scalar, 1 in the first step; flows pass fractions too). */
export type Schedule = (t: Tensor) => Tensor;

function positive(operation: string, value: number): void {
  if (!(value > 0 && Number.isFinite(value)))
    throw valueError(operation, "a finite number > 0", String(value));
}

/** Schedules that are the same at all times. */
const steady = new WeakSet<Schedule>();

/**
 * Whether η follows the steps, so that flows must count them as the optimizer does: of such rules t itself runs at the pace of
 * the steps, whatever the time scale of their averages.
 */
export const isPunctual = (rate: number | Schedule | undefined): boolean =>
  typeof rate === "function" && !steady.has(rate);

/** What fractions of steps, added up, may have lost of a whole one. */
const LOST = 2 ** -20;

/** η(t) = η. */
export function constantSchedule(lr: number): Schedule {
  positive("learning rate", lr);
  const schedule: Schedule = (t) => t.trace.constant(lr);
  steady.add(schedule);
  return schedule;
}

/** η(t) = η·min(1, t/steps). */
export function warmupSchedule(lr: number, steps: number): Schedule {
  positive("learning rate", lr);
  positive("warm-up steps", steps);
  return (t) => multiply(select(less(t, steps), divide(t, steps), 1), lr);
}

/** The shape of a cosine schedule. */
export interface CosineOptions {
  /** Steps of linear growth before the cosine, η·t/warmupSteps; 0 for none. */
  readonly warmupSteps: number;
  /** The step at which the cosine ends; more than `warmupSteps`. */
  readonly totalSteps: number;
  /**
   * η never falls below this fraction of its peak after the warm-up, in (0, 1]; 0.001 by default. The flows divide by
   * η, so a schedule may not end at 0; the default leaves all but the last 2% of the cosine as it is.
   */
  readonly finalFraction?: number;
}

/** η(t) = η·max(finalFraction, ½(1 + cos πs)), s = min(1, (t − warmupSteps)/(totalSteps − warmupSteps)). */
export function cosineSchedule(lr: number, options: CosineOptions): Schedule {
  const { warmupSteps, totalSteps, finalFraction = 0.001 } = options;
  positive("learning rate", lr);
  positive("final fraction", finalFraction);
  if (finalFraction > 1) throw valueError("final fraction", "at most 1", String(finalFraction));
  if (!(warmupSteps >= 0)) throw valueError("warm-up steps", "a number ≥ 0", String(warmupSteps));
  if (!(totalSteps > warmupSteps && Number.isFinite(totalSteps)))
    throw valueError(
      "total steps",
      `a finite number above the ${warmupSteps} warm-up steps`,
      String(totalSteps),
    );
  return (t) => {
    const elapsed = divide(subtract(t, warmupSteps), totalSteps - warmupSteps);
    const progress = select(less(elapsed, 1), elapsed, 1);
    const wave = multiply(add(cos(multiply(progress, Math.PI)), 1), 0.5);
    const falling = select(less(finalFraction, wave), wave, finalFraction);
    const factor = warmupSteps > 0 ? select(less(t, warmupSteps), divide(t, warmupSteps), falling) : falling;
    return multiply(factor, lr);
  };
}

/** η(t) = η·factor^⌊t/every⌋, constant in between. */
export function stepSchedule(lr: number, every: number, factor: number): Schedule {
  positive("learning rate", lr);
  positive("steps between drops", every);
  positive("step factor", factor);
  return (t) => multiply(power(t.trace.constant(factor), floor(divide(add(t, LOST), every))), lr);
}

/** From an optimizer step on (0 is the first), this η. */
export type RateChange = readonly [step: number, lr: number];

/**
 * η(t) = the rate of the last change at a step below t, lr before the first: a change at step k holds for the step from
 * w_k to w_{k+1}, which has t = k + 1, and all after it, and for flows from time k on, where their t is k + 1.
 *
 * @param changes by ascending step, each ≥ 0
 * @throws InputValueError for a rate that is not positive, or steps that do not ascend
 */
export function piecewiseSchedule(lr: number, changes: readonly RateChange[]): Schedule {
  positive("learning rate", lr);
  let before = -1;
  for (const [step, rate] of changes) {
    positive(`learning rate from step ${step}`, rate);
    if (!(step > before && Number.isSafeInteger(step)))
      throw valueError("steps of learning rates", `integers in ascending order`, `${step} after ${before}`);
    before = step;
  }
  return (t) =>
    changes.reduce<Tensor>(
      (rate, [step, next]) => select(less(t, step + 1 - LOST), rate, next),
      t.trace.constant(lr),
    );
}

/** ⌊x⌋ for 0 ≤ x < 2⁵¹, as a constant for derivatives: x + 2⁵² rounds to a whole number. */
function floor(x: Tensor): Tensor {
  const fixed = stopGradient(x);
  const nearest = add(add(fixed, 2 ** 52), -(2 ** 52));
  return select(less(fixed, nearest), add(nearest, -1), nearest);
}
