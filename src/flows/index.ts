export {
  type CentralRates,
  type CentralSubstep,
  type CentralSubstepOptions,
  type CriticalPairs,
  centralSubstep,
  stableSubstep,
} from "./central-flow.ts";
export { type CompiledRule, compileRule } from "./compiled-rule.ts";
export { type EigenSettings, EigenTracker, type SolveLog, type TrackedPairs } from "./eigen-tracker.ts";
export type { Integrator } from "./integrator.ts";
export { effectiveHessian } from "./preconditioned.ts";
export { deltasAlong, type Oscillation, oscillationOf, type Predictions, predict } from "./predictions.ts";
export { AblatedProcess } from "./processes/ablated.ts";
export { type CentralObservation, CentralProcess, type CentralSettings } from "./processes/central.ts";
export { DiscreteProcess } from "./processes/discrete.ts";
export { MidpointProcess } from "./processes/midpoint.ts";
export type { Observation, Process, ProcessKind, ProcessSetup, ProcessStatus } from "./processes/process.ts";
export { StableProcess, type StableSettings } from "./processes/stable.ts";
export {
  type StationaryObservation,
  StationaryProcess,
  type StationarySettings,
} from "./processes/stationary.ts";
export { checkUpdateRule, edgeOfRule } from "./rule-checks.ts";
export { type DefinitionContext, defineRule, type RuleDefinition } from "./rule-definition.ts";
export type { EdgeOnQuadratics } from "./rule-response.ts";
export { type AdamOptions, adam } from "./rules/adam.ts";
export { type GradientDescentOptions, gradientDescent } from "./rules/gradient-descent.ts";
export { heavyBall } from "./rules/heavy-ball.ts";
export type { MomentumOptions } from "./rules/momentum-form.ts";
export { nadam } from "./rules/nadam.ts";
export { nesterov } from "./rules/nesterov.ts";
export { rmsProp } from "./rules/rmsprop.ts";
export { scalarAdam } from "./rules/scalar-adam.ts";
export { scalarNadam } from "./rules/scalar-nadam.ts";
export { scalarRmsProp } from "./rules/scalar-rmsprop.ts";
export {
  type CosineOptions,
  constantSchedule,
  cosineSchedule,
  type Schedule,
  stepSchedule,
  warmupSchedule,
} from "./rules/schedule.ts";
export { rootOrZero, type SecondMomentOptions } from "./rules/second-moment.ts";
export type { StepOptions } from "./rules/weight-decay.ts";
export {
  type DiagonalStationaryPoint,
  diagonalStationaryPoint,
  scalarStationaryPreconditioner,
} from "./stationary.ts";
export {
  type State,
  type StateSummary,
  selectedIndices,
  timeScaleOf,
  type UpdateRule,
} from "./update-rule.ts";
export { type FlowPoint, steppedWeights, velocity } from "./velocity.ts";
export { warmStart } from "./warm-start.ts";
