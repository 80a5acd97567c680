import { add, divide, multiply, type Tensor } from "../../../autodiff/index.ts";
import { valueError } from "../../../base/index.ts";
import { timeScaleOf, type UpdateRule } from "../update-rule.ts";

/** How a rule averages its gradients. */
export interface AveragingOptions {
  readonly name: string;
  /** c of the rule with the average, where the rule without it has 2. */
  readonly criticalValue: number;
  /** β, the average's memory, 0 ≤ β < 1; with 0 there is no average and q is the gradient. */
  readonly beta: number;
  /** Step along βm⁺ + (1 − β)g, the average as it will be if the gradient stays, instead of m⁺. */
  readonly lookahead: boolean;
  /** Divide averages by the sum of their weights, which grows from 1 − β to 1. */
  readonly biasCorrection: boolean;
}

/**
 * A rule that steps along an average of its gradients, m⁺ = βm + (1 − β)g, from the same rule without. The parts m and,
 * with bias correction, `mass` follow the rule's own in the state. `mass` is the average of ones under the same memory:
 * 1 − βᵗ after t steps, and in continuous time exactly what m is of a constant gradient 1, so that m/mass of a constant
 * gradient is that gradient at any time.
 */
export function averaged(base: UpdateRule, options: AveragingOptions): UpdateRule {
  const { name, criticalValue, beta, lookahead, biasCorrection } = options;
  if (!(beta >= 0 && beta < 1)) throw valueError(name, "0 ≤ beta1 < 1", String(beta));
  if (beta === 0) return { ...base, name };
  const average = (old: Tensor, next: Tensor | number): Tensor =>
    add(multiply(old, beta), typeof next === "number" ? (1 - beta) * next : multiply(next, 1 - beta));
  const parts = biasCorrection ? 1 : 0;
  const own = Object.keys(base.state(1));
  const scales = own.map((part) => [part, timeScaleOf(base, part)] as const);
  return {
    ...base,
    name,
    criticalValue,
    timeScale: { ...Object.fromEntries(scales), m: 1 / beta, ...(biasCorrection && { mass: 1 / beta }) },
    state: (p) => ({ ...base.state(p), m: [p], ...(biasCorrection && { mass: [] }) }),
    initialState(p) {
      const start = base.initialState(p);
      const extended = new Float64Array(start.length + p + parts);
      extended.set(start);
      return extended;
    },
    update: ({ m, mass, ...rest }, gradient) => ({
      ...base.update(rest, gradient),
      m: average(m, gradient),
      ...(biasCorrection && { mass: average(mass, 1) }),
    }),
    preconditioner: ({ m: _, mass: __, ...rest }) => base.preconditioner(rest),
    direction({ m, mass }, gradient) {
      const averageOf = (sum: Tensor): Tensor => (biasCorrection ? divide(sum, mass) : sum);
      if (!lookahead) return averageOf(m);
      // Dozat's two corrections: m will have had one more gradient, and g alone has the mass so far.
      const ahead = multiply(m, beta);
      return add(
        biasCorrection ? divide(ahead, average(mass, 1)) : ahead,
        averageOf(multiply(gradient, 1 - beta)),
      );
    },
    summary(state, p, preconditioner) {
      const size = state.length - p - parts;
      const m = state.subarray(size, size + p);
      return {
        ...base.summary(state.subarray(0, size), p, preconditioner),
        m_norm: Math.sqrt(m.reduce((total, entry) => total + entry * entry, 0)),
      };
    },
  };
}
