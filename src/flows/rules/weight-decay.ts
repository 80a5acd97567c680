import { multiply } from "../../autodiff/index.ts";
import { valueError } from "../../base/index.ts";
import { constantSchedule, type Schedule } from "./learning-rate.ts";
import type { UpdateRule } from "./update-rule.ts";

/** What every rule has. */
export interface StepOptions {
  /** η, or a schedule of it. */
  readonly lr: number | Schedule;
  /**
   * λ of decoupled weight decay (Loshchilov and Hutter, arXiv 1711.05101): a step also takes r = η(t)·λ times the
   * weights away, outside of P and of every average. r must stay below 1. None by default.
   */
  readonly weightDecay?: number;
}

/** The parts of a rule that follow from its step options; its state must hold the step as `t`. */
export function stepOf(
  rule: string,
  { lr, weightDecay = 0 }: StepOptions,
): { readonly schedule: Schedule } & { readonly parts: Pick<UpdateRule, "learningRate" | "decay"> } {
  const schedule = typeof lr === "number" ? constantSchedule(lr) : lr;
  if (!(weightDecay >= 0 && Number.isFinite(weightDecay)))
    throw valueError(rule, "a finite weight decay ≥ 0", String(weightDecay));
  if (typeof lr === "number" && lr * weightDecay >= 1)
    throw valueError(
      rule,
      "a learning rate times weight decay below 1",
      String(lr * weightDecay),
      "a step would take all of the weights away",
    );
  return {
    schedule,
    parts: {
      learningRate: ({ t }) => schedule(t),
      ...(weightDecay > 0 && { decay: ({ t }) => multiply(schedule(t), weightDecay) }),
    },
  };
}
