import { add, square, sum } from "../../../autodiff/index.ts";
import type { UpdateRule } from "../update-rule.ts";
import { type SecondMomentOptions, secondMoment } from "./second-moment.ts";

/**
 * ν⁺ = ν + (1 − β2)(‖g‖² − ν), w⁺ = w − η g/(√ν̂ + ε): one step size for all weights. With ν at rest it is gradient
 * descent with P = (√ν̂ + ε)/η, hence c = 2.
 */
export function scalarRmsProp(options: SecondMomentOptions): UpdateRule {
  const moment = secondMoment("scalar-rmsprop", options);
  return {
    name: "scalar-rmsprop",
    criticalValue: 2,
    timeScale: moment.timeScale,
    secondMoment: "scalar",
    state: () => ({ t: [], nu: [] }),
    initialState: () => new Float64Array(2),
    update: ({ t, nu }, gradient) => ({ t: add(t, 1), nu: moment.average(nu, sum(square(gradient))) }),
    preconditioner: ({ t, nu }) => moment.preconditioner(t, nu),
    ...moment.parts,
    summary: (state, _, preconditioner) => ({
      t: state[0],
      nu: state[1],
      effective_step_size: 1 / preconditioner[0],
    }),
  };
}
