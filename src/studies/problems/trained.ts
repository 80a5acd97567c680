import type { Objective } from "../../autodiff/index.ts";
import { type ShouldStop, throwIfStopped } from "../../base/index.ts";
import { type CompiledRule, compileRule, steppedWeights, type UpdateRule } from "../../flows/index.ts";
import { nodeHost } from "../../run/index.ts";
import { parseRun } from "../../settings/index.ts";
import { type BuiltRun, buildRun } from "../../simulation/index.ts";

/** Builds what the words of a run describe, as on the command line. Dispose of it. */
export const builtOf = (words: string, shouldStop?: ShouldStop): BuiltRun =>
  buildRun(parseRun(words.split(" ")).config, nodeHost({ shouldStop }));

/** Where an optimizer has come. */
export interface Trained {
  readonly weights: Float64Array;
  readonly state: Float64Array;
  /** The gradient at these weights. */
  readonly gradient: Float64Array;
  /** At the start and after each step. */
  readonly losses: readonly number[];
}

/**
 * Takes steps of a rule on a loss, without anything beside it.
 *
 * @param each called after each step
 * @throws Stopped where `shouldStop` answers true
 */
export function train(
  objective: Objective,
  rule: UpdateRule,
  start: Float64Array,
  steps: number,
  shouldStop: ShouldStop,
  each: (step: number, weights: Float64Array, compiled: CompiledRule, state: Float64Array) => void = () => {},
): Trained {
  const compiled = compileRule(rule, start.length);
  let weights: Float64Array = start.slice();
  let state: Float64Array = rule.initialState(start.length);
  const losses: number[] = [];
  const preconditioner = new Float64Array(start.length);
  const look = (): Float64Array => {
    objective.setWeights(weights);
    losses.push(objective.loss());
    return objective.gradient().slice();
  };
  let gradient = look();
  for (let step = 1; step <= steps; step++) {
    throwIfStopped("study", shouldStop);
    const next = new Float64Array(state.length);
    compiled.update(state, gradient, next);
    state = next;
    compiled.preconditioner(state, preconditioner);
    weights = steppedWeights(compiled, { weights, state, gradient, preconditioner });
    gradient = look();
    each(step, weights, compiled, state);
  }
  return { weights, state, gradient, losses };
}
