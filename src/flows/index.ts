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
export { type Oscillation, oscillationOf } from "./dynamics/oscillation.ts";
export { type FlowPoint, type PhasePoint, steppedWeights, velocity } from "./dynamics/point.ts";
export {
  type DiagonalStationaryPoint,
  diagonalStationaryPoint,
  scalarStationaryPreconditioner,
} from "./dynamics/stationary-point.ts";
export { type CentralObservation, CentralProcess } from "./processes/central.ts";
export { DiscreteProcess } from "./processes/discrete.ts";
export type { ProcessEntry } from "./processes/entry.ts";
export { MidpointProcess } from "./processes/midpoint.ts";
export { deltasAlong, type Predictions, predict } from "./processes/predictions.ts";
export type {
  Ending,
  Observation,
  Precision,
  Process,
  ProcessSetup,
  ProcessStatus,
} from "./processes/process.ts";
export { count, type Quantities, type Quantity, vector } from "./processes/quantity.ts";
export type { CentralSettings, ProcessSettings, StableSettings } from "./processes/settings.ts";
export { StableProcess } from "./processes/stable.ts";
export {
  type StationaryObservation,
  StationaryProcess,
  type StationarySettings,
} from "./processes/stationary.ts";
export {
  PROCESS_KINDS,
  PROCESSES,
  type ProcessKind,
  processEntry,
  type SettledKind,
} from "./processes/table.ts";
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
