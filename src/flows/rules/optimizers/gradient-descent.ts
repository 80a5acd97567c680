import { add, divide } from "../../../autodiff/index.ts";
import type { UpdateRule } from "../update-rule.ts";
import { type StepOptions, stepOf } from "../weight-decay.ts";

export type GradientDescentOptions = StepOptions;

/** w⁺ = w − η g. On ½λx² an iterate is multiplied by 1 − ηλ: stable up to ηλ = c = 2. P = 1/η. */
export function gradientDescent(options: GradientDescentOptions): UpdateRule {
  const { schedule, parts } = stepOf("gd", options);
  return {
    name: "gd",
    criticalValue: 2,
    timeScale: 1,
    state: () => ({ t: [] }),
    initialState: () => new Float64Array(1),
    update: ({ t }) => ({ t: add(t, 1) }),
    preconditioner: ({ t }) => divide(1, schedule(t)),
    summary: (state) => ({ t: state[0] }),
    ...parts,
  };
}
