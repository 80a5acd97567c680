/**
 * The core: traced functions and their derivatives, solvers, flows, models. No dependency and no Node, so it also
 * runs in a page. The elementary functions on numbers are in central-flows/base: here `exp` is that of tensors.
 */
export * from "./autodiff/index.ts";
export { EPS, InputKindError, InputValueError, isMisuse, Random } from "./base/index.ts";
export * from "./flows/index.ts";
export * from "./linalg/index.ts";
export * from "./models/index.ts";
