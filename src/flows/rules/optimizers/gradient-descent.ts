import { divide } from "../../../autodiff/index.ts";
import type { RuleDefinition } from "../define.ts";
import type { Schedule } from "../learning-rate.ts";
import { optimizer } from "./optimizer.ts";

/** w⁺ = w − η g. On ½λx² an iterate is multiplied by 1 − ηλ: stable up to ηλ = c = 2. P = 1/η. */
export const descent = (rate: Schedule): RuleDefinition => ({
  criticalValue: 2,
  preconditioner: ({ t }) => divide(1, rate(t)),
});

/** Gradient descent. */
export const gradientDescent = optimizer({
  name: "gd",
  className: "GradientDescent",
  help: "gradient descent",
  settings: {},
  define: (_, rate) => descent(rate),
});
