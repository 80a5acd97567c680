import { add, square } from "../../../autodiff/index.ts";
import { selectedIndices, type UpdateRule } from "../update-rule.ts";
import { type SecondMomentOptions, secondMoment } from "./second-moment.ts";

/**
 * ν⁺ = ν + (1 − β2)(g⊙g − ν), w⁺ = w − η g/(√ν̂ + ε) elementwise. With ν at rest it is gradient descent in the
 * coordinates P^{1/2}w, hence c = 2 for P⁻¹H.
 */
export function rmsProp(options: SecondMomentOptions): UpdateRule {
  const moment = secondMoment("rmsprop", options);
  return {
    name: "rmsprop",
    criticalValue: 2,
    timeScale: moment.timeScale,
    secondMoment: "elementwise",
    state: (p) => ({ t: [], nu: [p] }),
    initialState: (p) => new Float64Array(1 + p),
    update: ({ t, nu }, gradient) => ({ t: add(t, 1), nu: moment.average(nu, square(gradient)) }),
    preconditioner: ({ t, nu }) => moment.preconditioner(t, nu),
    ...moment.parts,
    summary(state, p, preconditioner) {
      const nu = state.subarray(1, 1 + p);
      let steps = 0;
      let inverse = 0;
      for (const entry of preconditioner) {
        steps += 1 / entry;
        inverse += entry;
      }
      return {
        t: state[0],
        nu_l1: nu.reduce((total, entry) => total + Math.abs(entry), 0),
        nu_selected_idx: Float64Array.from(selectedIndices(p), (i) => nu[i]),
        ess_mean: steps / p,
        ess_harmonic_mean: p / inverse,
      };
    },
  };
}
