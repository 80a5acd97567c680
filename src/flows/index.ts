export {
  type CentralRates,
  type CentralSubstep,
  type CriticalPairs,
  centralSubstep,
  type FlowPoint,
  stableSubstep,
} from "./central-flow.ts";
export { type CompiledRule, compileRule } from "./compiled-rule.ts";
export { type EigenSettings, EigenTracker, type SolveLog, type TrackedPairs } from "./eigen-tracker.ts";
export { effectiveHessian } from "./preconditioned.ts";
export { deltasAlong, type Oscillation, oscillationOf, type Predictions, predict } from "./predictions.ts";
export { type CentralObservation, CentralProcess, type CentralSettings } from "./processes/central.ts";
export { DiscreteProcess } from "./processes/discrete.ts";
export { MidpointProcess } from "./processes/midpoint.ts";
export type { Observation, Process, ProcessKind, ProcessSetup, ProcessStatus } from "./processes/process.ts";
export { StableProcess, type StableSettings } from "./processes/stable.ts";
export { type GradientDescentOptions, gradientDescent } from "./rules/gradient-descent.ts";
export { rmsProp } from "./rules/rmsprop.ts";
export { scalarRmsProp } from "./rules/scalar-rmsprop.ts";
export {
  type CosineOptions,
  constantSchedule,
  cosineSchedule,
  type Schedule,
  stepSchedule,
  warmupSchedule,
} from "./rules/schedule.ts";
export type { SecondMomentOptions } from "./rules/second-moment.ts";
export { type State, type StateSummary, selectedIndices, type UpdateRule } from "./update-rule.ts";
export { warmStart } from "./warm-start.ts";
