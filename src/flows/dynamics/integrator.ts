import type { Objective } from "../../autodiff/index.ts";
import type { CompiledRule } from "../rules/compile.ts";
import { type FlowPoint, type PhasePoint, velocity } from "./point.ts";

/**
 * How a flow takes a substep. `euler`: with the rates where it starts (first order; the reference's). `leapfrog`: with
 * the rates in its middle (second order, across an onset too); where the direction is an average of gradients this is
 * position Verlet, which adds no energy to the oscillation of weights and average, at Euler's cost of one gradient.
 */
export type Integrator = "euler" | "leapfrog";

/** Euler where rules step along the gradient, as the reference does; leapfrog where they step along an average of it. */
export function defaultIntegrator(rule: CompiledRule): Integrator {
  return rule.directionIsGradient ? "euler" : "leapfrog";
}

/** No push: what Σ adds to dw/dt and ds/dt where there is none. */
export function noPush({ dimension, stateSize }: CompiledRule): PhasePoint {
  return { weights: new Float64Array(dimension), state: new Float64Array(stateSize) };
}

/** The objective's gradient, and a force on it where there is one: a copy then. */
function gradientWith(objective: Objective, force: Float64Array | undefined): Float64Array {
  const gradient = objective.gradient();
  return force ? gradient.map((entry, l) => entry + force[l]) : gradient;
}

/** The point where a substep starts, its arrays shared; the objective must stand there. @param force added to the gradient */
export function pointAt(
  objective: Objective,
  rule: CompiledRule,
  start: PhasePoint,
  force?: Float64Array,
): FlowPoint {
  const preconditioner = new Float64Array(rule.dimension);
  rule.preconditioner(start.state, preconditioner);
  return { ...start, gradient: gradientWith(objective, force), preconditioner };
}

/**
 * The middle of a substep that starts at `start`: half of it for the weights, then half of it for the state with the
 * gradient found there, `push` being what Σ added to the rates in the substep before. The error of the middle is of second order, which is
 * enough. The objective is left standing at the middle; unless the direction ignores the gradient, it must stand at
 * `start` before. `force` is added to the gradient, before the rule sees it. Numbers that are not finite are left to the
 * caller to find.
 */
export function middleOf(
  objective: Objective,
  rule: CompiledRule,
  start: PhasePoint,
  dt: number,
  push: PhasePoint,
  force?: Float64Array,
): FlowPoint {
  const { dimension: p } = rule;
  const preconditioner = new Float64Array(p);
  rule.preconditioner(start.state, preconditioner);
  const weights = new Float64Array(p);
  const here = rule.directionIgnoresGradient ? weights : gradientWith(objective, force);
  velocity(rule, { ...start, gradient: here.slice(), preconditioner }, weights);
  for (let l = 0; l < p; l++) weights[l] = start.weights[l] + (dt / 2) * (weights[l] + push.weights[l]);
  objective.setWeights(weights);
  const gradient = gradientWith(objective, force);
  const state = new Float64Array(rule.stateSize);
  rule.rate(start.state, gradient, state);
  for (let l = 0; l < state.length; l++) state[l] = start.state[l] + (dt / 2) * (state[l] + push.state[l]);
  rule.preconditioner(state, preconditioner);
  return { weights, state, gradient, preconditioner };
}
