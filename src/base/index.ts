export { erf } from "./elementary/erf.ts";
export { exp, expm1, sigmoid, tanh } from "./elementary/exponential.ts";
export { log, log1p, softplus } from "./elementary/logarithm.ts";
export { pow } from "./elementary/power.ts";
export {
  ERF_TABLE,
  EXP_TABLE,
  LN2_HIGH,
  LN2_LOW,
  LOG_TABLE,
  STEP_HIGH,
  STEP_LOW,
  STEPS_PER_UNIT,
} from "./elementary/tables.ts";
export { InputKindError, InputValueError, isMisuse, kindError, valueError } from "./errors.ts";
export { EPS, SMALLEST_NORMAL } from "./float.ts";
export { Random } from "./random.ts";
