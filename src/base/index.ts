export { InputKindError, InputValueError, isMisuse, kindError, valueError } from "./errors.ts";
export { EPS, SMALLEST_NORMAL } from "./float.ts";
export { Random } from "./random.ts";
