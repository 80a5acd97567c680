import type { Objective } from "../../autodiff/index.ts";
import { valueError } from "../../base/index.ts";
import { steppedWeights } from "../dynamics/velocity.ts";
import type { CompiledRule } from "../rules/compile.ts";
import { allFinite } from "./process.ts";

/**
 * Runs the discrete optimizer for `steps` steps. Overwrites weights and state. Returns the steps taken: fewer when
 * the next loss or gradient would not be finite.
 */
export function warmStart(
  objective: Objective,
  rule: CompiledRule,
  weights: Float64Array,
  state: Float64Array,
  steps: number,
): number {
  if (weights.length !== rule.dimension)
    throw valueError("warmStart", `${rule.dimension} weights`, String(weights.length));
  const next = new Float64Array(state.length);
  const preconditioner = new Float64Array(rule.dimension);
  for (let step = 0; step < steps; step++) {
    objective.setWeights(weights);
    const gradient = objective.gradient();
    if (!Number.isFinite(objective.loss()) || !allFinite(gradient)) return step;
    rule.update(state, gradient, next);
    state.set(next);
    rule.preconditioner(state, preconditioner);
    weights.set(steppedWeights(rule, { weights, state, gradient, preconditioner }));
  }
  return steps;
}
