export type { Backend } from "./backends/backend.ts";
export { jsBackend } from "./backends/js/js.ts";
export { fusedObstacle } from "./backends/wasm/wasm.ts";
export { type BackendChoice, selectBackend } from "./execution/choose-backend.ts";
export { type CompiledFunction, compile, type Numbers, type NumberTree } from "./execution/compile.ts";
export type { Graph, Node, PrimitiveName } from "./graph/graph.ts";
export { printGraph } from "./graph/print.ts";
export { formatShape, type Shape, sizeOf } from "./graph/shape.ts";
export type { StageProfile } from "./objective/evaluation.ts";
export type {
  ExampleArray,
  ExampleArrays,
  ExampleLoss,
  LossDefinition,
  Shapes,
  Tensors,
  WeightLoss,
} from "./objective/loss.ts";
export { Objective, type ObjectiveOptions } from "./objective/objective.ts";
export { STAGES } from "./objective/stages.ts";
export type { Group, Instruction, Plan } from "./plan/plan.ts";
export { printPlan } from "./plan/print.ts";
export { verifyPlan } from "./plan/verify.ts";
export type { Cost } from "./primitives/rule.ts";
/** Every operation on tensors is public. */
export * from "./tensor/extremes.ts";
export * from "./tensor/operations.ts";
export { Tensor } from "./tensor/tensor.ts";
export type { Tree } from "./tensor/tree.ts";
export {
  grad,
  hvp,
  jvp,
  type Traced,
  thirdDirectional,
  valueAndGrad,
  vjp,
} from "./transforms/derivatives.ts";
export { simplify, verifyGraph } from "./transforms/simplify.ts";
export { type ShapeTree, type TracedFunction, trace } from "./transforms/trace.ts";
