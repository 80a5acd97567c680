export { type BatchSharpness, batchSharpness } from "./batches/batch-sharpness.ts";
export {
  type BatchShape,
  batchVariance,
  type GradientNoise,
  gradientNoise,
} from "./batches/gradient-noise.ts";
export { type BatchSampling, MiniBatches } from "./batches/mini-batches.ts";
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
  type PairUse,
  type SolveLog,
  type TrackedPairs,
} from "./dynamics/eigen-tracker.ts";
export { ofFluctuation, restingKurtosis, type SlowSystem } from "./dynamics/fluctuation.ts";
export type { Integrator } from "./dynamics/integrator.ts";
export { type Oscillation, oscillationOf } from "./dynamics/oscillation.ts";
export { type FlowPoint, type PhasePoint, steppedWeights, velocity } from "./dynamics/point.ts";
export {
  type DiagonalStationaryPoint,
  diagonalStationaryPoint,
  scalarStationaryPreconditioner,
} from "./dynamics/stationary-point.ts";
export {
  NOISE_TERMS,
  type NoiseSource,
  type NoiseTerm,
  type SubstepNoise,
} from "./dynamics/substep-noise.ts";
export { edgeExample, twoEigenvalues } from "./edge-examples.ts";
export { type CentralObservation, CentralProcess } from "./processes/central.ts";
export { DiscreteProcess } from "./processes/discrete.ts";
export { checkProcess, type ProcessEntry } from "./processes/entry.ts";
export { MidpointProcess } from "./processes/midpoint.ts";
export { deltasAlong, type Predictions, predict } from "./processes/predictions.ts";
export type {
  Ending,
  Observation,
  Precision,
  Process,
  ProcessSetup,
  ProcessStatus,
  SeenBatch,
} from "./processes/process.ts";
export { count, type Quantities, type Quantity, vector } from "./processes/quantity.ts";
export {
  type CentralSettings,
  type EdgeFlowSettings,
  PROCESS_DEFAULTS,
  type ProcessSettings,
  type RodSettings,
  type StableSettings,
  type TwoStepSettings,
} from "./processes/settings.ts";
export { StableProcess } from "./processes/stable.ts";
export {
  type StationaryObservation,
  StationaryProcess,
  type StationarySettings,
} from "./processes/stationary.ts";
export { type WarmStartOptions, warmStart } from "./processes/warm-start.ts";
export { EdgeFlowProcess } from "./rivals/edge-flow.ts";
export { type ExtentObservation, RodProcess } from "./rivals/rod.ts";
export { type TwoStepObservation, TwoStepProcess } from "./rivals/two-step.ts";
export { checkUpdateRule, edgeOfRule, pinningThreshold } from "./rules/checks/check.ts";
export type { EdgeOnQuadratics } from "./rules/checks/response.ts";
export { type CompiledRule, compileRule } from "./rules/compile.ts";
export { type DefinitionContext, defineRule, type RuleDefinition } from "./rules/define.ts";
export {
  type CosineOptions,
  constantSchedule,
  cosineSchedule,
  piecewiseSchedule,
  type RateChange,
  type Schedule,
  stepSchedule,
  warmupSchedule,
} from "./rules/learning-rate.ts";
export * from "./rules/optimizers/list.ts";
export {
  type Optimizer,
  type OptimizerDefinition,
  optimizer,
  ruleWith,
} from "./rules/optimizers/optimizer.ts";
export { rootOrZero } from "./rules/optimizers/rmsprop.ts";
export { checkProjectedFlow, withProjection } from "./rules/projected-rule.ts";
export { type BlockRun, centralization, type Projection, project } from "./rules/projection.ts";
export {
  lastsTheRun,
  learningRateOf,
  lr as lrSetting,
  type StepValues,
  scheduleComplaint,
  stepSettings,
} from "./rules/schedule.ts";
export { compileTangent, type RuleTangent } from "./rules/tangent.ts";
export {
  type State,
  type StateParts,
  type StateSummary,
  selectedEntries,
  selectedIndices,
  stateParts,
  timeScaleOf,
  type UpdateRule,
} from "./rules/update-rule.ts";
export type { StepOptions } from "./rules/weight-decay.ts";
export { type CentralFlow, type CentralFlowOptions, centralFlow } from "./side-by-side/central-flow.ts";
export type { FlowRow, ProcessRow } from "./side-by-side/row.ts";
export { finiteStart, type Weights } from "./side-by-side/start.ts";
export type { AbortSignalLike, Steps, StepsOptions } from "./side-by-side/steps.ts";
export {
  PROCESS_KINDS,
  PROCESSES,
  type ProcessKind,
  processEntry,
  type SettledKind,
} from "./table.ts";
