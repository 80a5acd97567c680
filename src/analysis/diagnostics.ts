import type { Objective } from "../autodiff/index.ts";
import type { CompiledRule } from "../flows/index.ts";
import { type AdaptivityAt, adaptivityAt } from "./adaptivity.ts";
import { type LayerNorm, layerNorms } from "./layer-norms.ts";

/** What a report tells of the optimizer's last weights beside its rows. Plain data. */
export interface Diagnostics {
  /** The optimizer's steps so far. */
  readonly step: number;
  /** What ε does; absent for a rule without a second moment. */
  readonly epsilon?: AdaptivityAt;
  readonly layers: readonly LayerNorm[];
}

/**
 * The diagnostics at an optimizer's weights and state. Cost: one gradient, and some 30 products with each weight matrix.
 *
 * @param objective moved to the weights, and left there @param weights, state read
 * @returns undefined where the gradient is not finite
 * @throws Stopped where the objective's `shouldStop` answers true
 */
export function diagnosticsAt(
  objective: Objective,
  rule: CompiledRule,
  step: number,
  { weights, state }: { readonly weights: Float64Array; readonly state: Float64Array },
): Diagnostics | undefined {
  objective.setWeights(weights);
  const gradient = objective.gradient();
  if (!gradient.every(Number.isFinite) || !weights.every(Number.isFinite)) return undefined;
  const epsilon = adaptivityAt(rule, state, gradient);
  const layers = layerNorms(objective.parameters, weights, gradient);
  return { step, ...(epsilon && { epsilon }), layers };
}
