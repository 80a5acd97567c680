export {
  type CentralRates,
  type CentralSubstep,
  type CentralSubstepOptions,
  type CriticalPairs,
  centralSubstep,
  stableSubstep,
} from "./dynamics/central-substep.ts";
export { effectiveHessian, innerProduct, inverseRootOf } from "./dynamics/effective-hessian.ts";
export {
  type EigenSettings,
  EigenTracker,
  type SolveLog,
  type TrackedPairs,
} from "./dynamics/eigen-tracker.ts";
export type { Integrator } from "./dynamics/integrator.ts";
export {
  type DiagonalStationaryPoint,
  diagonalStationaryPoint,
  scalarStationaryPreconditioner,
} from "./dynamics/stationary-point.ts";
export { type FlowPoint, steppedWeights, velocity } from "./dynamics/velocity.ts";
export { AblatedProcess } from "./processes/ablated.ts";
export { type CentralObservation, CentralProcess, type CentralSettings } from "./processes/central.ts";
export { DiscreteProcess } from "./processes/discrete.ts";
export { MidpointProcess } from "./processes/midpoint.ts";
export {
  deltasAlong,
  type Oscillation,
  oscillationOf,
  type Predictions,
  predict,
} from "./processes/predictions.ts";
export type {
  Observation,
  Precision,
  Process,
  ProcessKind,
  ProcessSetup,
  ProcessStatus,
} from "./processes/process.ts";
export { StableProcess, type StableSettings } from "./processes/stable.ts";
export {
  type StationaryObservation,
  StationaryProcess,
  type StationarySettings,
} from "./processes/stationary.ts";
export { type WarmStartOptions, warmStart } from "./processes/warm-start.ts";
export { checkUpdateRule, edgeOfRule } from "./rules/checks/check.ts";
export type { EdgeOnQuadratics } from "./rules/checks/response.ts";
export { type CompiledRule, compileRule } from "./rules/compile.ts";
export { type DefinitionContext, defineRule, type RuleDefinition } from "./rules/define.ts";
export {
  type CosineOptions,
  constantSchedule,
  cosineSchedule,
  type Schedule,
  stepSchedule,
  warmupSchedule,
} from "./rules/learning-rate.ts";
export { type AdamOptions, adam } from "./rules/optimizers/adam.ts";
export { type GradientDescentOptions, gradientDescent } from "./rules/optimizers/gradient-descent.ts";
export { heavyBall } from "./rules/optimizers/heavy-ball.ts";
export type { MomentumOptions } from "./rules/optimizers/momentum-form.ts";
export { nadam } from "./rules/optimizers/nadam.ts";
export { nesterov } from "./rules/optimizers/nesterov.ts";
export { rmsProp } from "./rules/optimizers/rmsprop.ts";
export { scalarAdam } from "./rules/optimizers/scalar-adam.ts";
export { scalarNadam } from "./rules/optimizers/scalar-nadam.ts";
export { scalarRmsProp } from "./rules/optimizers/scalar-rmsprop.ts";
export { rootOrZero, type SecondMomentOptions } from "./rules/optimizers/second-moment.ts";
export {
  type State,
  type StateSummary,
  selectedIndices,
  timeScaleOf,
  type UpdateRule,
} from "./rules/update-rule.ts";
export type { StepOptions } from "./rules/weight-decay.ts";
