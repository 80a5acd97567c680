import type { UpdateRule } from "../update-rule.ts";
import type { AdamOptions } from "./adam.ts";
import { averaged } from "./momentum.ts";
import { scalarRmsProp } from "./scalar-rmsprop.ts";

/**
 * NAdam with one second moment for all weights: scalar-rmsprop along βm⁺ + (1 − β)g, corrected.
 * c = 2(1 + β1)/((1 − β1)(1 + 2β1)): with ν at rest it is Nesterov with P = (√ν̂ + ε)/η.
 */
export function scalarNadam(options: AdamOptions): UpdateRule {
  const { beta1: beta, biasCorrection = false } = options;
  return averaged(scalarRmsProp(options), {
    name: "scalar-nadam",
    criticalValue: (2 * (1 + beta)) / ((1 - beta) * (1 + 2 * beta)),
    beta,
    lookahead: true,
    biasCorrection,
  });
}
