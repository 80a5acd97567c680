import type { UpdateRule } from "../update-rule.ts";
import type { AdamOptions } from "./adam.ts";
import { averaged } from "./momentum.ts";
import { scalarRmsProp } from "./scalar-rmsprop.ts";

/**
 * Adam with one second moment for all weights: scalar-rmsprop along m̂.
 * c = 2(1 + β1)/(1 − β1): with ν at rest it is heavy ball with P = (√ν̂ + ε)/η.
 */
export function scalarAdam(options: AdamOptions): UpdateRule {
  const { beta1: beta, biasCorrection = false } = options;
  return averaged(scalarRmsProp(options), {
    name: "scalar-adam",
    criticalValue: (2 * (1 + beta)) / (1 - beta),
    beta,
    lookahead: false,
    biasCorrection,
  });
}
