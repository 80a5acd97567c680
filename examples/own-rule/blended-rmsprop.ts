// RMSProp with a knob: `blend` 0 has a step size for each weight, 1 has one for all, and between them is a mixture.
// Run: central-flows run opt:./examples/own-rule/blended-rmsprop.ts --opt.blend 0.3
import { add, divide, mean, multiply, type RuleDefinition, sqrt, square } from "central-flows";

export const options = { lr: 0.002, beta: 0.95, eps: 1e-7, blend: 0.5 };

export default ({ lr, beta, eps, blend }: typeof options): RuleDefinition => ({
  state: (p) => ({ nu: [p] }),
  update: ({ nu }, gradient) => ({ nu: add(multiply(nu, beta), multiply(square(gradient), 1 - beta)) }),
  timeScale: 1 / beta,
  preconditioner: ({ nu }) => {
    const blended = add(multiply(nu, 1 - blend), multiply(mean(nu), blend));
    return divide(add(sqrt(blended), eps), lr);
  },
  criticalValue: 2,
});
