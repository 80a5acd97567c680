// heavy-ball.ts
import { add, multiply, type RuleDefinition } from "central-flows";

export const options = { lr: 1, beta: 0.5 };

export default ({ lr, beta }: typeof options): RuleDefinition => ({
  criticalValue: (2 * (1 + beta)) / (1 - beta),
  state: (p) => ({ m: [p] }),
  update: ({ m }, gradient) => ({ m: add(multiply(m, beta), multiply(gradient, 1 - beta)) }),
  timeScale: { m: 1 / beta },
  direction: ({ m }) => m,
  preconditioner: () => 1 / lr,
});
