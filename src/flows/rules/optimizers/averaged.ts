import { add, divide, multiply, type Tensor } from "../../../autodiff/index.ts";
import { number, type Setting } from "../../../base/index.ts";
import type { RuleDefinition } from "../define.ts";
import { timeScaleOf } from "../update-rule.ts";

/** The memory of an average of gradients. */
export const beta1 = {
  kind: number({ min: 0, under: 1 }),
  default: 0.9,
  help: "decay β1 of the average of gradients",
} satisfies Setting<number>;

/** How a rule averages its gradients. */
export interface Averaging {
  /** β, the average's memory, 0 ≤ β < 1; with 0 there is no average and q is the gradient. */
  readonly beta1: number;
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
 *
 * c: where a mode of P⁻¹H = λ changes sign in every step, m⁺ = −m, so m⁺ = (1 − β)/(1 + β)·g, and w⁺ − w = −2w asks for
 * λ(1 − β)/(1 + β) = 2: c = 2(1 + β)/(1 − β). Other roots stay inside: their product is β. With lookahead
 * q = (1 − β)(1 + 2β)/(1 + β)·g, so c = 2(1 + β)/((1 − β)(1 + 2β)); the product of the roots, β − β(1 − β)λ, stays inside
 * up to there.
 */
export function averaged(
  base: RuleDefinition,
  { beta1: beta, lookahead, biasCorrection }: Averaging,
): RuleDefinition {
  if (beta === 0) return base;
  const average = (old: Tensor, next: Tensor | number): Tensor =>
    add(multiply(old, beta), typeof next === "number" ? (1 - beta) * next : multiply(next, 1 - beta));
  const names = ["t", ...Object.keys(base.state?.(1) ?? {})];
  return {
    ...base,
    criticalValue: lookahead
      ? (2 * (1 + beta)) / ((1 - beta) * (1 + 2 * beta))
      : (2 * (1 + beta)) / (1 - beta),
    timeScale: {
      ...Object.fromEntries(names.map((name) => [name, timeScaleOf(base, name)])),
      m: 1 / beta,
      ...(biasCorrection && { mass: 1 / beta }),
    },
    state: (p) => ({ ...base.state?.(p), m: [p], ...(biasCorrection && { mass: [] }) }),
    update: ({ m, mass, ...rest }, gradient) => ({
      ...base.update?.(rest, gradient),
      m: average(m, gradient),
      ...(biasCorrection && { mass: average(mass, 1) }),
    }),
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
    summary: ({ t, m, ...rest }, preconditioner) => ({
      t: t[0],
      ...base.summary?.({ t, ...rest }, preconditioner),
      m_norm: Math.sqrt(m.reduce((total, entry) => total + entry * entry, 0)),
    }),
  };
}
