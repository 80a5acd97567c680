import type { UpdateRule } from "../update-rule.ts";
import type { AdamOptions } from "./adam.ts";
import { averaged } from "./momentum.ts";
import { rmsProp } from "./rmsprop.ts";

/**
 * NAdam (Dozat, 2016, with one β1 for all steps): rmsprop along βm⁺ + (1 − β)g, corrected.
 * c = 2(1 + β1)/((1 − β1)(1 + 2β1)): with ν at rest and the corrections done it is Nesterov in the coordinates P^{1/2}w.
 */
export function nadam(options: AdamOptions): UpdateRule {
  const { beta1: beta, biasCorrection = false } = options;
  return averaged(rmsProp(options), {
    name: "nadam",
    criticalValue: (2 * (1 + beta)) / ((1 - beta) * (1 + 2 * beta)),
    beta,
    lookahead: true,
    biasCorrection,
  });
}
