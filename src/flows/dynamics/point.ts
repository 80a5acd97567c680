import type { CompiledRule } from "../rules/compile.ts";

/** Where an optimizer or a flow stands, or how fast it moves: an entry per weight, and the flat state. */
export interface PhasePoint {
  readonly weights: Float64Array;
  readonly state: Float64Array;
}

/** One moment of an optimizer or a flow, with what its rates are made from. */
export interface FlowPoint extends PhasePoint {
  /** ∇L at `weights`. */
  readonly gradient: Float64Array;
  /** The diagonal of P at `state`. */
  readonly preconditioner: Float64Array;
}

/**
 * out = −P(s)⁻¹q(s, g) − r(s)w: what a step of the optimizer adds to the weights, and dw/dt of the stable flow.
 * Overwrites the first p entries of `out`, reads the rest of its arguments.
 */
export function velocity(
  rule: CompiledRule,
  { weights, state, gradient, preconditioner }: FlowPoint,
  out: Float64Array,
): void {
  const p = weights.length;
  rule.direction(state, gradient, out.subarray(0, p));
  for (let l = 0; l < p; l++) out[l] = -out[l] / preconditioner[l];
  const decay = rule.decay(state);
  if (decay !== 0) for (let l = 0; l < p; l++) out[l] -= decay * weights[l];
}

/** The weights after a step of the optimizer: w + velocity. */
export function steppedWeights(rule: CompiledRule, point: FlowPoint): Float64Array {
  const moved = new Float64Array(point.weights.length);
  velocity(rule, point, moved);
  for (let l = 0; l < moved.length; l++) moved[l] += point.weights[l];
  return moved;
}
