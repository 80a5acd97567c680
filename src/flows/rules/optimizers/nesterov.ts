import type { UpdateRule } from "../update-rule.ts";
import { gradientDescent } from "./gradient-descent.ts";
import { averaged } from "./momentum.ts";
import { inForm, type MomentumOptions } from "./momentum-form.ts";

/**
 * Nesterov's momentum with the gradient taken where the weights are (Sutskever et al., 2013; torch.optim.SGD):
 * m⁺ = βm + (1 − β)g, w⁺ = w − P⁻¹(βm⁺ + (1 − β)g).
 *
 * c: in a mode of period two m⁺ = (1 − β)/(1 + β)·g, so q = (1 − β)(1 + 2β)/(1 + β)·g, and λq/g = 2 gives
 * c = 2(1 + β)/((1 − β)(1 + 2β)). The product of the roots, β − β(1 − β)λ, stays inside up to there.
 */
export function nesterov(options: MomentumOptions): UpdateRule {
  const { beta1: beta } = options;
  const average = averaged(gradientDescent(options), {
    name: "nesterov",
    criticalValue: (2 * (1 + beta)) / ((1 - beta) * (1 + 2 * beta)),
    beta,
    lookahead: true,
    biasCorrection: false,
  });
  return inForm(average, options);
}
