import { byName } from "../../../base/index.ts";
import { adaGrad } from "./adagrad.ts";
import { adam, nadam, scalarAdam, scalarNadam } from "./adam.ts";
import { gradientDescent } from "./gradient-descent.ts";
import { heavyBall, nesterov } from "./momentum.ts";
import { rmsProp, scalarRmsProp } from "./rmsprop.ts";

export {
  adaGrad,
  adam,
  gradientDescent,
  heavyBall,
  nadam,
  nesterov,
  rmsProp,
  scalarAdam,
  scalarNadam,
  scalarRmsProp,
};

/** Every optimizer by name: a new one is its own file and a word here. */
export const optimizers = byName([
  gradientDescent,
  scalarRmsProp,
  rmsProp,
  heavyBall,
  nesterov,
  scalarAdam,
  adam,
  scalarNadam,
  nadam,
  adaGrad,
]);
