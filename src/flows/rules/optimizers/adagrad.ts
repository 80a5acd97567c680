import { add, divide, square } from "../../../autodiff/index.ts";
import { number, type Setting } from "../../../base/index.ts";
import { magnitudes, selectedEntries } from "../update-rule.ts";
import { optimizer } from "./optimizer.ts";
import { rootOrZero } from "./rmsprop.ts";

/**
 * AdaGrad (Duchi, Hazan and Singer, 2011): s⁺ = s + g⊙g, w⁺ = w − η g/√(ε + s) elementwise. With s at rest it is
 * gradient descent in the coordinates P^{1/2}w, hence c = 2 for P⁻¹H; but s is a sum and never rests while there are
 * gradients: there is no stationary flow, and at the edge the oscillation makes P grow for good, as the curvature does.
 * The sum has no memory to lag with: continuous time runs as fast as steps, ds/dt = g⊙g + diag(HΣH).
 *
 * Without oscillation the flow conserves L + 2η Σ_i √(ε + s_i): dL/dt = −η Σ g_i²/√(ε + s_i), and the sum's derivative is
 * the opposite.
 */
export const adaGrad = optimizer({
  name: "adagrad",
  className: "AdaGrad",
  help: "AdaGrad: divides by the root of the sum of squared gradients",
  settings: {
    eps: {
      kind: number({ min: 0 }),
      default: 1e-8,
      help: "ε, added inside the root",
    } satisfies Setting<number>,
  },
  define: ({ eps }, rate) => ({
    criticalValue: 2,
    state: (p) => ({ s: [p] }),
    update: ({ s }, gradient) => ({ s: add(s, square(gradient)) }),
    preconditioner: ({ t, s }) => divide(rootOrZero(add(s, eps)), rate(t)),
    summary: ({ t, s }, P) => ({
      t: t[0],
      s_l1: magnitudes(s),
      s_selected_idx: selectedEntries(s),
      ess_mean: P.reduce((total, entry) => total + 1 / entry, 0) / P.length,
      ess_harmonic_mean: P.length / P.reduce((total, entry) => total + entry, 0),
    }),
  }),
});
