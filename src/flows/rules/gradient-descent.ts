import { add, divide } from "../../autodiff/index.ts";
import type { UpdateRule } from "../update-rule.ts";
import { constantSchedule, type Schedule } from "./schedule.ts";

export interface GradientDescentOptions {
  /** η, or a schedule of it. */
  readonly lr: number | Schedule;
}

/** w⁺ = w − η g. On ½λx² an iterate is multiplied by 1 − ηλ: stable up to ηλ = c = 2. P = 1/η. */
export function gradientDescent({ lr }: GradientDescentOptions): UpdateRule {
  const schedule = typeof lr === "number" ? constantSchedule(lr) : lr;
  return {
    name: "gd",
    criticalValue: 2,
    timeScale: 1,
    state: () => ({ t: [] }),
    initialState: () => new Float64Array(1),
    update: ({ t }) => ({ t: add(t, 1) }),
    preconditioner: ({ t }) => divide(1, schedule(t)),
    learningRate: ({ t }) => schedule(t),
    summary: (state) => ({ t: state[0] }),
  };
}
