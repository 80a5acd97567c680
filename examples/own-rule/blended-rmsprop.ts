// blended-rmsprop.ts
import { add, divide, mean, multiply, type RuleDefinition, rootOrZero, square } from "central-flows";

export const options = { lr: 0.02, beta: 0.95, blend: 0.5, eps: 1e-7 };

export default ({ lr, beta, blend, eps }: typeof options): RuleDefinition => ({
  criticalValue: 2,
  state: (p) => ({ nu: [p] }),
  update: ({ nu }, gradient) => ({ nu: add(multiply(nu, beta), multiply(square(gradient), 1 - beta)) }),
  timeScale: 1 / beta,
  preconditioner: ({ nu }) => {
    const blended = add(multiply(nu, 1 - blend), multiply(mean(nu), blend));
    return divide(add(rootOrZero(blended), eps), lr);
  },
});
