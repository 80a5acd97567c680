export { highWord, powerOfTwo } from "./elementary/bits.ts";
export { erf } from "./elementary/erf.ts";
export { erfc } from "./elementary/erfc.ts";
export { ERFC_TABLE } from "./elementary/erfc-table.ts";
export { exp, expm1, sechSquared, sigmoid, tanh } from "./elementary/exponential.ts";
export { log, log1p, softplus } from "./elementary/logarithm.ts";
export { pow } from "./elementary/power.ts";
export { cos, sin } from "./elementary/sine.ts";
export {
  ERF_TABLE,
  EXP_TABLE,
  HALF_PI_PARTS,
  LN2_HIGH,
  LN2_LOW,
  LOG_TABLE,
  QUARTERS_PER_RADIAN,
  STEP_HIGH,
  STEP_LOW,
  STEPS_PER_UNIT,
  TWO_OVER_PI_WORDS,
} from "./elementary/tables.ts";
export {
  InputKindError,
  InputValueError,
  isMisuse,
  kindError,
  type ShouldStop,
  Stopped,
  throwIfStopped,
  valueError,
} from "./errors.ts";
export { PATH_FAULTS, readFault } from "./faults.ts";
export { EPS, SMALLEST_NORMAL } from "./float.ts";
export { hypot } from "./hypot.ts";
export { parseJson } from "./json.ts";
export * from "./options.ts";
export { pairIndex } from "./pairs.ts";
export { Random } from "./random/random.ts";
export { sizeOf } from "./size.ts";
