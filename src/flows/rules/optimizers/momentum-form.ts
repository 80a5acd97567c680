import { multiply } from "../../../autodiff/index.ts";
import type { UpdateRule } from "../update-rule.ts";
import type { StepOptions } from "../weight-decay.ts";

export interface MomentumOptions extends StepOptions {
  /** β, the memory of the average of gradients, 0 ≤ β < 1. */
  readonly beta1: number;
  /**
   * What η multiplies: "average" the average m of gradients, "polyak" (the default, and torch.optim.SGD's) the sum
   * m/(1 − β), so that a step is as large as with the average and η/(1 − β).
   */
  readonly form?: "polyak" | "average";
}

/** A rule for averages in the form that is asked for: P = 1/η becomes (1 − β)/η. */
export function inForm(average: UpdateRule, { beta1, form = "polyak" }: MomentumOptions): UpdateRule {
  if (form === "average") return average;
  return { ...average, preconditioner: (state) => multiply(average.preconditioner(state), 1 - beta1) };
}
