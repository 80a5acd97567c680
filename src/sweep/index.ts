/** Many runs that differ in some settings: planned, computed by whoever calls their tasks, told of and gathered. */
export {
  type Axis,
  type Dimension,
  gridOf,
  MOST_POINTS,
  parseAxis,
  parseSweepWords,
  type SweepWords,
} from "./axes.ts";
export { type Cancelled, cancelSweep, retryPoints, uncancel } from "./change.ts";
export { pointAt, readSweep, runFolder, SWEEP_NAMES, type Sweep, type SweepPoint } from "./folder.ts";
export { type Gathered, gatherSweep } from "./gather.ts";
export { bringToEnd, keepSweep } from "./keep.ts";
export { type LocalOptions, type LocalResult, submitLocally } from "./local.ts";
export { addPoints, planSweep } from "./plan.ts";
export { type Estimate, estimate } from "./probe.ts";
export {
  cancelInSlurm,
  hasSlurm,
  queuedPoints,
  type SlurmArray,
  type SlurmOptions,
  submitToSlurm,
  submittedArrays,
} from "./slurm.ts";
export { quoted, type ScriptOptions } from "./slurm-script.ts";
export {
  duration,
  type PointState,
  type PointStatus,
  type SweepStatus,
  statusJson,
  statusText,
  sweepStatus,
} from "./status.ts";
export { runTask, TASK_CODES, type TaskOptions } from "./task.ts";
