import {
  add,
  divide,
  less,
  multiply,
  power,
  select,
  stopGradient,
  type Tensor,
} from "../../autodiff/index.ts";
import { valueError } from "../../base/index.ts";

/** η as a traced function of the optimizer step t (a scalar, 1 in the first step; flows pass fractions too). */
export type Schedule = (t: Tensor) => Tensor;

function positive(operation: string, value: number): void {
  if (!(value > 0 && Number.isFinite(value)))
    throw valueError(operation, "a finite number > 0", String(value));
}

/** η(t) = η. */
export function constantSchedule(lr: number): Schedule {
  positive("learning rate", lr);
  return (t) => t.trace.constant(lr);
}

/** η(t) = η·min(1, t/steps). */
export function warmupSchedule(lr: number, steps: number): Schedule {
  positive("learning rate", lr);
  positive("warm-up steps", steps);
  return (t) => multiply(select(less(t, steps), divide(t, steps), 1), lr);
}

/** η(t) = η·factor^⌊t/every⌋, constant in between. */
export function stepSchedule(lr: number, every: number, factor: number): Schedule {
  positive("learning rate", lr);
  positive("steps between drops", every);
  positive("step factor", factor);
  return (t) => multiply(power(t.trace.constant(factor), floor(divide(t, every))), lr);
}

/** ⌊x⌋ for 0 ≤ x < 2⁵¹, as a constant for derivatives: x + 2⁵² rounds to a whole number. */
function floor(x: Tensor): Tensor {
  const fixed = stopGradient(x);
  const nearest = add(add(fixed, 2 ** 52), -(2 ** 52));
  return select(less(fixed, nearest), add(nearest, -1), nearest);
}
