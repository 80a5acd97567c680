/** A run from its configuration to its outputs, resumed after an interruption. */

export { checkpointAt, checkpointsOf, latestCheckpoint, processIn } from "./checkpoints.ts";
export { configAtCheckpoints, configHash, readRunConfig, runDirectory } from "./config.ts";
export { type ExportedWeights, exportWeights, type WeightsChoice } from "./export-weights.ts";
export { nodeHost } from "./host.ts";
export type { RunEvents, RunOptions } from "./loop.ts";
export { openRun, type RunOnDisk } from "./open.ts";
export { EXIT_CODES, type RunOutcome } from "./outcome.ts";
export { resumeRun, startRun } from "./run.ts";
