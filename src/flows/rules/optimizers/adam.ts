import type { Setting } from "../../../base/index.ts";
import { averaged, beta1 } from "./averaged.ts";
import { optimizer } from "./optimizer.ts";
import { elementwise, scalarly, secondMoment } from "./rmsprop.ts";

/** Adam's own defaults. */
const settings = {
  beta1,
  beta2: { ...secondMoment.beta2, default: 0.999 } satisfies Setting<number>,
  eps: { ...secondMoment.eps, default: 1e-8 } satisfies Setting<number>,
  biasCorrection: {
    ...secondMoment.biasCorrection,
    default: true,
    help: "divide averages by 1 − β^t",
  } satisfies Setting<boolean>,
};

/** Adam with one second moment for all weights: scalar-rmsprop along m̂. With ν at rest it is heavy ball. */
export const scalarAdam = optimizer({
  name: "scalar-adam",
  className: "ScalarAdam",
  help: "Adam with one second moment for all weights",
  settings,
  define: (values, rate) => averaged(scalarly(values, rate), { ...values, lookahead: false }),
});

/**
 * Adam (Kingma and Ba, arXiv 1412.6980): rmsprop along the average m̂ of gradients; with weight decay AdamW. With ν at
 * rest it is heavy ball in the coordinates P^{1/2}w.
 */
export const adam = optimizer({
  name: "adam",
  className: "Adam",
  help: "Adam, with weight decay AdamW",
  settings,
  define: (values, rate) => averaged(elementwise(values, rate), { ...values, lookahead: false }),
});

/** NAdam with one second moment for all weights. With ν at rest and the corrections done it is Nesterov. */
export const scalarNadam = optimizer({
  name: "scalar-nadam",
  className: "ScalarNAdam",
  help: "NAdam with one second moment for all weights",
  settings,
  define: (values, rate) => averaged(scalarly(values, rate), { ...values, lookahead: true }),
});

/** NAdam (Dozat, 2016, with one β1 for all steps): rmsprop along βm⁺ + (1 − β)g, corrected. */
export const nadam = optimizer({
  name: "nadam",
  className: "NAdam",
  help: "Adam with Nesterov's momentum",
  settings,
  define: (values, rate) => averaged(elementwise(values, rate), { ...values, lookahead: true }),
});
