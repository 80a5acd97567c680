export type { Backend } from "./backends/backend.ts";
export { jsBackend } from "./backends/js.ts";
export { type BackendChoice, selectBackend } from "./backends/select.ts";
export { type CompiledFunction, compile, type Numbers, type NumberTree } from "./compile.ts";
export { type Graph, type Node, type PrimitiveName, printGraph } from "./graph.ts";
export type { ExampleArray, LossDefinition } from "./loss.ts";
export { Objective, type ObjectiveOptions, type StageProfile } from "./objective.ts";
export {
  absolute,
  add,
  array,
  broadcastTo,
  type ConvolutionOptions,
  concatenate,
  convolution,
  cos,
  divide,
  equal,
  erf,
  exp,
  full,
  gather,
  gelu,
  greater,
  less,
  lessEqual,
  log,
  logSumExp,
  type MatmulOptions,
  matmul,
  max,
  mean,
  multiply,
  negate,
  type Operand,
  oneHot,
  pad,
  power,
  type RecurrenceOptions,
  type ReductionOptions,
  recurrence,
  relu,
  reshape,
  scatterAdd,
  select,
  sigmoid,
  sign,
  silu,
  sin,
  slice,
  softmax,
  softplus,
  sqrt,
  square,
  stack,
  stopGradient,
  subtract,
  sum,
  take,
  tanh,
  transpose,
} from "./ops.ts";
export { type Instruction, type Plan, printPlan } from "./plan/plan.ts";
export { verifyPlan } from "./plan/verify.ts";
export { pairIndex } from "./polarisation.ts";
export type { Cost } from "./primitives/rule.ts";
export { formatShape, type Shape, sizeOf } from "./shape.ts";
export { simplify, verify as verifyGraph } from "./simplify.ts";
export { type LossResult, STAGES } from "./stages.ts";
export { Tensor } from "./tensor.ts";
export { type ShapeTree, type TracedFunction, trace } from "./trace.ts";
export {
  grad,
  hvp,
  jvp,
  type Traced,
  thirdDirectional,
  valueAndGrad,
  vjp,
} from "./transforms/derivatives.ts";
export type { Tree } from "./tree.ts";
