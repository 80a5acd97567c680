import {
  add,
  divide,
  equal,
  multiply,
  power,
  select,
  sqrt,
  square,
  subtract,
  sum,
  type Tensor,
} from "../../../autodiff/index.ts";
import { flag, number, type Setting, type Values } from "../../../base/index.ts";
import type { RuleDefinition } from "../define.ts";
import type { Schedule } from "../learning-rate.ts";
import { magnitudes, selectedEntries } from "../update-rule.ts";
import { optimizer } from "./optimizer.ts";

/** Settings of the rules that divide by the root of an average of squared gradients. */
export const secondMoment = {
  /** 0 keeps the last gradient alone and has no continuous-time form. */
  beta2: {
    kind: number({ min: 0, under: 1 }),
    help: "decay β2 of the average of squared gradients",
    example: "0.99",
  } satisfies Setting<number>,
  eps: { kind: number({ min: 0 }), default: 0, help: "ε, added outside the root" } satisfies Setting<number>,
  /** Dividing ν by 1 − β2ᵗ makes it an average from the first step on. */
  biasCorrection: { kind: flag, default: false, help: "divide ν by 1 − β2^t" } satisfies Setting<boolean>,
};

type SecondMoment = Values<typeof secondMoment>;

/** (√ν̂ + ε)/η(t) (docs/derivations.md, section 2). */
function preconditioner(
  { beta2, eps, biasCorrection }: SecondMoment,
  rate: Schedule,
  t: Tensor,
  nu: Tensor,
): Tensor {
  const corrected = biasCorrection ? divide(nu, subtract(1, power(t.trace.constant(beta2), t))) : nu;
  return divide(add(rootOrZero(corrected), eps), rate(t));
}

/** ν + (1 − β2)(squared − ν). */
const average = ({ beta2 }: SecondMoment, nu: Tensor, squared: Tensor): Tensor =>
  add(nu, multiply(subtract(squared, nu), 1 - beta2));

/** Continuous time runs 1/β2 faster, t included. */
const timeScale = ({ beta2 }: SecondMoment): number => (beta2 > 0 ? 1 / beta2 : 1);

/**
 * √ν, with derivative 0 where ν = 0: a weight whose gradient has always been 0 (a dead unit) has ν = 0 and dν = 0, and
 * keeps its P; the plain rule would give 0/0 there and with it no central flow for any weight.
 */
export function rootOrZero(nu: Tensor): Tensor {
  const isZero = equal(nu, 0);
  return select(isZero, 0, sqrt(select(isZero, 1, nu)));
}

/**
 * ν⁺ = ν + (1 − β2)(‖g‖² − ν), w⁺ = w − η g/(√ν̂ + ε): one step size for all weights. With ν at rest it is gradient
 * descent with P = (√ν̂ + ε)/η, hence c = 2.
 */
export const scalarly = (values: SecondMoment, rate: Schedule): RuleDefinition => ({
  criticalValue: 2,
  secondMoment: "scalar",
  state: () => ({ nu: [] }),
  update: ({ nu }, gradient) => ({ nu: average(values, nu, sum(square(gradient))) }),
  timeScale: timeScale(values),
  preconditioner: ({ t, nu }) => preconditioner(values, rate, t, nu),
  summary: ({ t, nu }, P) => ({ t: t[0], nu: nu[0], effective_step_size: 1 / P[0] }),
});

/**
 * ν⁺ = ν + (1 − β2)(g⊙g − ν), w⁺ = w − η g/(√ν̂ + ε) elementwise. With ν at rest it is gradient descent in the
 * coordinates P^{1/2}w, hence c = 2 for P⁻¹H.
 */
export const elementwise = (values: SecondMoment, rate: Schedule): RuleDefinition => ({
  criticalValue: 2,
  secondMoment: "elementwise",
  state: (p) => ({ nu: [p] }),
  update: ({ nu }, gradient) => ({ nu: average(values, nu, square(gradient)) }),
  timeScale: timeScale(values),
  preconditioner: ({ t, nu }) => preconditioner(values, rate, t, nu),
  summary: ({ t, nu }, P) => ({
    t: t[0],
    nu_l1: magnitudes(nu),
    nu_selected_idx: selectedEntries(nu),
    ess_mean: P.reduce((total, entry) => total + 1 / entry, 0) / P.length,
    ess_harmonic_mean: P.length / P.reduce((total, entry) => total + entry, 0),
  }),
});

/** RMSProp with one second moment for all weights. */
export const scalarRmsProp = optimizer({
  name: "scalar-rmsprop",
  className: "ScalarRMSProp",
  help: "RMSProp with one second moment for all weights",
  settings: secondMoment,
  define: scalarly,
});

/** RMSProp with a second moment for each weight. */
export const rmsProp = optimizer({
  name: "rmsprop",
  className: "RMSProp",
  help: "RMSProp with a second moment for each weight",
  settings: secondMoment,
  define: elementwise,
});
