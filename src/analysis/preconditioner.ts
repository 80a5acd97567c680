import type { Objective } from "../autodiff/index.ts";
import type { CompiledRule } from "../flows/index.ts";

/**
 * The diagonal of P with which a process takes its next step: of an optimizer, whose state is updated first, at update(s, g);
 * of a flow at s. It is the P of the run's effective sharpness at that step.
 *
 * @param objective moved to the weights
 * @param updates whether the process is the optimizer itself
 */
export function preconditionerAt(
  objective: Objective,
  rule: CompiledRule,
  weights: Float64Array,
  state: Float64Array,
  updates: boolean,
): Float64Array {
  let current = state;
  if (updates) {
    objective.setWeights(weights);
    current = new Float64Array(state.length);
    rule.update(state, objective.gradient(), current);
  }
  const preconditioner = new Float64Array(weights.length);
  rule.preconditioner(current, preconditioner);
  return preconditioner;
}
