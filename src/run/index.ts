/** A run from its configuration to its outputs, resumed after an interruption. */
export { type ExportedWeights, exportWeights, type WeightsChoice } from "./export-weights.ts";
export { nodeHost } from "./host.ts";
export { type RunEvents, type RunOutcome, readRunConfig, resumeRun, runDirectory, startRun } from "./run.ts";
