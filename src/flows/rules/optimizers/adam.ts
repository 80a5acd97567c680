import type { UpdateRule } from "../update-rule.ts";
import { averaged } from "./momentum.ts";
import { rmsProp } from "./rmsprop.ts";
import type { SecondMomentOptions } from "./second-moment.ts";

/** Options of the rules that average gradients and their squares. */
export interface AdamOptions extends SecondMomentOptions {
  /** β1, the memory of the average of gradients, 0 ≤ β1 < 1. */
  readonly beta1: number;
}

/**
 * Adam (Kingma and Ba, arXiv 1412.6980): rmsprop along the average m̂ of gradients; with weight decay AdamW.
 * c = 2(1 + β1)/(1 − β1): with ν at rest it is heavy ball in the coordinates P^{1/2}w.
 */
export function adam(options: AdamOptions): UpdateRule {
  const { beta1: beta, biasCorrection = false } = options;
  return averaged(rmsProp(options), {
    name: "adam",
    criticalValue: (2 * (1 + beta)) / (1 - beta),
    beta,
    lookahead: false,
    biasCorrection,
  });
}
