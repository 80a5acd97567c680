import {
  add,
  divide,
  equal,
  multiply,
  power,
  select,
  sqrt,
  subtract,
  type Tensor,
} from "../../../autodiff/index.ts";
import { valueError } from "../../../base/index.ts";
import type { UpdateRule } from "../update-rule.ts";
import { type StepOptions, stepOf } from "../weight-decay.ts";

/** Options of the rules that divide by the root of an average of squared gradients. */
export interface SecondMomentOptions extends StepOptions {
  /** The average's memory, 0 ≤ β2 < 1 (0 keeps the last gradient alone and has no continuous-time form). */
  readonly beta2: number;
  /** Added outside the root. */
  readonly eps?: number;
  /** Divide ν by 1 − β2ᵗ, which makes it an average from the first step on. */
  readonly biasCorrection?: boolean;
}

export interface SecondMoment {
  /** The learning rate and the decay of the rule. */
  readonly parts: Pick<UpdateRule, "learningRate" | "decay">;
  readonly timeScale: number;
  /** ν + (1 − β2)(squared − ν). */
  readonly average: (nu: Tensor, squared: Tensor) => Tensor;
  /** (√ν̂ + ε)/η(t). */
  readonly preconditioner: (t: Tensor, nu: Tensor) => Tensor;
}

/**
 * What scalar-rmsprop and rmsprop share (docs/derivations.md, section 2); continuous time runs 1/β2 faster, t included.
 */
export function secondMoment(rule: string, options: SecondMomentOptions): SecondMoment {
  const { beta2, eps = 0, biasCorrection = false } = options;
  if (!(beta2 >= 0 && beta2 < 1)) throw valueError(rule, "0 ≤ beta2 < 1", String(beta2));
  if (!(eps >= 0 && Number.isFinite(eps))) throw valueError(rule, "a finite eps ≥ 0", String(eps));
  const { schedule, parts } = stepOf(rule, options);
  const corrected = (t: Tensor, nu: Tensor): Tensor =>
    biasCorrection ? divide(nu, subtract(1, power(t.trace.constant(beta2), t))) : nu;
  return {
    parts,
    timeScale: beta2 > 0 ? 1 / beta2 : 1,
    average: (nu, squared) => add(nu, multiply(subtract(squared, nu), 1 - beta2)),
    preconditioner: (t, nu) => divide(add(rootOrZero(corrected(t, nu)), eps), schedule(t)),
  };
}

/**
 * √ν, with derivative 0 where ν = 0: a weight whose gradient has always been 0 (a dead unit) has ν = 0 and dν = 0, and
 * keeps its P; the plain rule would give 0/0 there and with it no central flow for any weight.
 */
export function rootOrZero(nu: Tensor): Tensor {
  const isZero = equal(nu, 0);
  return select(isZero, 0, sqrt(select(isZero, 1, nu)));
}
