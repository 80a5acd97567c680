import type { UpdateRule } from "../update-rule.ts";
import { gradientDescent } from "./gradient-descent.ts";
import { averaged } from "./momentum.ts";
import { inForm, type MomentumOptions } from "./momentum-form.ts";

/**
 * Heavy ball: m⁺ = βm + (1 − β)g, w⁺ = w − P⁻¹m⁺ (Polyak, 1964, in the form of an average).
 *
 * c: where a mode of P⁻¹H = λ changes sign in every step, m⁺ = −m, so m⁺ = (1 − β)/(1 + β)·g, and w⁺ − w = −2w asks for
 * λ(1 − β)/(1 + β) = 2: c = 2(1 + β)/(1 − β). Other roots stay inside: their product is β.
 */
export function heavyBall(options: MomentumOptions): UpdateRule {
  const { beta1: beta } = options;
  const average = averaged(gradientDescent(options), {
    name: "heavy-ball",
    criticalValue: (2 * (1 + beta)) / (1 - beta),
    beta,
    lookahead: false,
    biasCorrection: false,
  });
  return inForm(average, options);
}
