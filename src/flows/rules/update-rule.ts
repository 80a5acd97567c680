import type { Shape, Tensor } from "../../autodiff/index.ts";
import { sizeOf } from "../../base/index.ts";
import type { Projection } from "./projection.ts";

/** The parts of an optimizer's state by name, as traced tensors. */
export type State = Readonly<Record<string, Tensor>>;

/** The parts of an optimizer's state by name, as flat numbers. */
export type StateParts = Readonly<Record<string, Float64Array>>;

/** What a logged summary of the state holds: a number, or one per selected weight. */
export type StateSummary = Record<string, number | Float64Array>;

/**
 * An optimizer written as preconditioned descent (docs/derivations.md, section 2): s⁺ = update(s, g), then
 * w⁺ = w − P(s⁺)⁻¹ q(s⁺, g) − r(s⁺) w with P diagonal. All functions are traced; the flows take every derivative of
 * them from the engine.
 */
export interface UpdateRule {
  readonly name: string;
  /** c, the largest eigenvalue of P⁻¹H at which the rule is stable on a quadratic without weight decay. */
  readonly criticalValue: number;
  /**
   * Continuous time runs this much faster than steps: ds/dt = timeScale·(update(s, g) − s). One number for the whole
   * state, or one for each part by name (1 for a part not named). An average s + (1 − β)(x − s) has 1/β: then the
   * lag of the flow's average behind x is that of the optimizer's, β/(1 − β) steps.
   */
  readonly timeScale: number | Readonly<Record<string, number>>;
  /** Name → shape for p weights; the flat state vector holds the parts in this order. */
  readonly state: (p: number) => Readonly<Record<string, Shape>>;
  /** The state before the first step, flat. */
  readonly initialState: (p: number) => Float64Array;
  /**
   * For rules without momentum whose part `nu` averages the squared gradient and whose P is (√ν̂ + ε)/η: whether ν is
   * one number for ‖g‖² or one per weight. Such rules have a stationary flow.
   */
  readonly secondMoment?: "scalar" | "elementwise";
  /** A linear projection of the gradient, or of q, that is no part of the traced functions; absent: none. */
  readonly projection?: Projection;
  readonly update: (state: State, gradient: Tensor) => State;
  /** The diagonal of P: one entry per weight, or a scalar for all of them. */
  readonly preconditioner: (state: State) => Tensor;
  /** q, one entry per weight, from the updated state and the gradient; absent: the gradient itself. */
  readonly direction?: (state: State, gradient: Tensor) => Tensor;
  /** r, a scalar in [0, 1): the fraction of the weights that decoupled decay takes away in a step; absent: 0. */
  readonly decay?: (state: State) => Tensor;
  /** η as a function of the state, for the logs. */
  readonly learningRate: (state: State) => Tensor;
  /** What the reference logs of the state as `opt.NAME`, from its parts by name, t among them, and the diagonal of P. */
  readonly summary: (parts: StateParts, preconditioner: Float64Array) => StateSummary;
}

/** Up to 25 weight indices spread evenly from first to last, ⌊i(p−1)/24⌋: those whose entries are logged. */
export function selectedIndices(p: number): number[] {
  return Array.from({ length: 25 }, (_, i) => Math.floor((i * (p - 1)) / 24));
}

/** The entries of a part that are logged: those of {@link selectedIndices}. */
export const selectedEntries = (part: Float64Array): Float64Array =>
  Float64Array.from(selectedIndices(part.length), (i) => part[i]);

/** The sum of the magnitudes of a part's entries. */
export const magnitudes = (part: Float64Array): number =>
  part.reduce((total, entry) => total + Math.abs(entry), 0);

/** Views of the parts of a flat state of a rule for p weights. */
export function stateParts(rule: Pick<UpdateRule, "state">, state: Float64Array, p: number): StateParts {
  let offset = 0;
  return Object.fromEntries(
    Object.entries(rule.state(p)).map(([name, shape]) => {
      offset += sizeOf(shape);
      return [name, state.subarray(offset - sizeOf(shape), offset)];
    }),
  );
}

/** The time scale of one part of a rule's state. */
export function timeScaleOf({ timeScale = 1 }: Partial<Pick<UpdateRule, "timeScale">>, part: string): number {
  return typeof timeScale === "number" ? timeScale : (timeScale[part] ?? 1);
}
