import type { Objective } from "../../autodiff/index.ts";
import { valueError } from "../../base/index.ts";
import type { MiniBatches } from "../batches/mini-batches.ts";
import { type FlowPoint, steppedWeights } from "../dynamics/point.ts";
import type { CompiledRule } from "../rules/compile.ts";
import { isUsable, type Precision, toPrecision } from "./process.ts";

/** How a warm start is taken. */
export interface WarmStartOptions {
  /** What the weights are rounded to after each step. Default float64: not at all. */
  readonly precision?: Precision;
  /** What it steps by: the batches of steps 0, 1, … Default: all examples. */
  readonly batches?: MiniBatches;
  /**
   * Shown every step before its weights move, the objective standing there. The point is overwritten afterwards;
   * products may be asked of the objective, its weights may not be changed.
   */
  readonly observe?: (step: number, point: FlowPoint) => void;
}

/**
 * Runs the discrete optimizer for `steps` steps. Overwrites weights and state.
 *
 * @returns the steps taken: fewer where the next loss or gradient is not finite, or the loss has exploded against that at
 *   the weights given (`isUsable`)
 * @throws what the objective throws, `Stopped` where it is asked to; weights and state are those of the last whole step
 */
export function warmStart(
  objective: Objective,
  rule: CompiledRule,
  weights: Float64Array,
  state: Float64Array,
  steps: number,
  { precision, batches, observe }: WarmStartOptions = {},
): number {
  if (weights.length !== rule.dimension)
    throw valueError("warmStart", `${rule.dimension} weights`, String(weights.length));
  const next = new Float64Array(state.length);
  const preconditioner = new Float64Array(rule.dimension);
  let startLoss = Number.NaN;
  for (let step = 0; step < steps; step++) {
    objective.setWeights(weights);
    if (step === 0) startLoss = objective.loss();
    const stepped = batches?.at(step, weights) ?? objective;
    if (!isUsable({ objective: stepped, startLoss })) return step;
    const gradient = stepped.gradient();
    rule.update(state, gradient, next);
    rule.preconditioner(next, preconditioner);
    const point = { weights, state: next, gradient, preconditioner };
    observe?.(step, point);
    const moved = toPrecision(steppedWeights(rule, point), precision);
    state.set(next);
    weights.set(moved);
  }
  return steps;
}
