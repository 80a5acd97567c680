// Heavy ball, from nothing: a step along an average of the gradients. Run:
// central-flows run opt:./examples/own-rule/heavy-ball.ts --opt.beta 0.5
import { add, multiply, type RuleDefinition } from "central-flows";

export const options = { lr: 0.2, beta: 0.5 };

export default ({ lr, beta }: typeof options): RuleDefinition => ({
  state: (p) => ({ m: [p] }),
  update: ({ m }, gradient) => ({ m: add(multiply(m, beta), multiply(gradient, 1 - beta)) }),
  timeScale: { m: 1 / beta },
  direction: ({ m }) => m,
  preconditioner: () => 1 / lr,
  // A gradient that changes sign in every step leaves (1 − β)/(1 + β) of itself in the average: less steep by as much.
  criticalValue: (2 * (1 + beta)) / (1 - beta),
});
