import { multiply, type Tensor } from "../../../autodiff/index.ts";
import { choice, type Setting } from "../../../base/index.ts";
import type { RuleDefinition } from "../define.ts";
import type { Schedule } from "../learning-rate.ts";
import type { State } from "../update-rule.ts";
import { averaged, beta1 } from "./averaged.ts";
import { descent } from "./gradient-descent.ts";
import { optimizer } from "./optimizer.ts";

const settings = {
  beta1,
  /**
   * What η multiplies: "average" the average m of gradients, "polyak" (the default, and torch.optim.SGD's) the sum
   * m/(1 − β), so that a step is as large as with the average and η/(1 − β): P = 1/η becomes (1 − β)/η.
   */
  momentumForm: {
    kind: choice("polyak", "average"),
    default: "polyak",
    help: "η times the sum of gradients, or times their average",
  } satisfies Setting<"polyak" | "average">,
};

/** Gradient descent along an average of gradients, in either form. */
function momentum(
  { beta1, momentumForm }: { readonly beta1: number; readonly momentumForm: "polyak" | "average" },
  rate: Schedule,
  lookahead: boolean,
): RuleDefinition {
  const average = averaged(descent(rate), { beta1, lookahead, biasCorrection: false });
  if (momentumForm === "average") return average;
  const P = (state: State): Tensor => multiply(average.preconditioner(state) as Tensor, 1 - beta1);
  return { ...average, preconditioner: P };
}

/** Heavy ball: m⁺ = βm + (1 − β)g, w⁺ = w − P⁻¹m⁺ (Polyak, 1964, in the form of an average). */
export const heavyBall = optimizer({
  name: "heavy-ball",
  className: "HeavyBall",
  help: "gradient descent with momentum",
  settings,
  define: (values, rate) => momentum(values, rate, false),
});

/**
 * Nesterov's momentum with the gradient taken where the weights are (Sutskever et al., 2013; torch.optim.SGD):
 * m⁺ = βm + (1 − β)g, w⁺ = w − P⁻¹(βm⁺ + (1 − β)g).
 */
export const nesterov = optimizer({
  name: "nesterov",
  className: "Nesterov",
  help: "Nesterov's momentum",
  settings,
  define: (values, rate) => momentum(values, rate, true),
});
