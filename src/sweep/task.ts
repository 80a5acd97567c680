import { hostname } from "node:os";
import { isMisuse, Stopped, valueError } from "../base/index.ts";
import {
  ClaimedFolder,
  FolderBusyError,
  folderState,
  makeFolder,
  type OutcomeFile,
  readOutcome,
} from "../record/index.ts";
import { configHash, EXIT_CODES, type RunEvents, resumeRun, startRun } from "../run/index.ts";
import type { Provenance } from "../settings/index.ts";
import { isCancelled, pointAt, readSweep, runFolder, type Sweep, type SweepPoint } from "./folder.ts";
import { pointReader } from "./plan.ts";

/**
 * The exit statuses of a task. The first three are final, and then outcome.json is there; a status without outcome.json is
 * none of them, whatever it is (an engine that runs out of memory ends with 1, too).
 */
export const TASK_CODES = {
  /** The run reached its last step. */
  done: 0,
  /** A result: a process diverged or had no solution. */
  failed: 1,
  /** The run cannot be computed as it was asked for. */
  refused: 2,
  /** Somebody else computes it now. */
  busy: 75,
  /** It failed on its way, and can go on when what hindered it is mended: a full disk, a bug. */
  broken: 70,
  /** Stopped by a signal, or called off. */
  interrupted: EXIT_CODES.interrupted,
} as const;

/** What a task is told besides its point. */
export interface TaskOptions {
  readonly provenance: Provenance;
  readonly events?: RunEvents;
  /** Threads that the run may use; null: as its words say. They change no bit. */
  readonly threads?: number | null;
  /** Told what happened, a sentence at a time. */
  readonly say?: (line: string) => void;
}

/**
 * Brings one point of a sweep to its end: tells of a run that has ended, continues one that was stopped, starts one that
 * is not there. Called as often as one likes, by as many as one likes, it computes a point once.
 *
 * @returns one of `TASK_CODES`
 * @throws InputValueError where there is no such sweep or point
 */
export async function runTask(directory: string, index: number, options: TaskOptions): Promise<number> {
  const sweep = readSweep(directory, "sweep task");
  const point = pointAt(sweep, index, "sweep task");
  const folder = runFolder(sweep, point);
  const { say } = options;
  const before = readOutcome(folder);
  if (before) {
    say?.(before.sentence);
    return before.exitCode;
  }
  if (isCancelled(directory)) {
    say?.(`${directory} is cancelled; submit it again to go on`);
    return TASK_CODES.interrupted;
  }
  const starting = folderState(folder) !== "unfinished";
  try {
    const { ending, status } = await compute(sweep, point, options);
    say?.(status);
    return EXIT_CODES[ending];
  } catch (error) {
    say?.(error instanceof Error ? error.message : String(error));
    if (error instanceof Stopped) return TASK_CODES.interrupted;
    if (error instanceof FolderBusyError) return TASK_CODES.busy;
    // Somebody else has begun the run in between, and may have been killed since.
    if (isMisuse(error) && starting && folderState(folder) !== "empty" && folderState(folder) !== "foreign")
      return runTask(directory, index, options);
    return isMisuse(error) ? refuse(folder, point, error, options) : TASK_CODES.broken;
  }
}

function compute(sweep: Sweep, point: SweepPoint, { provenance, events, threads }: TaskOptions) {
  const folder = runFolder(sweep, point);
  if (folderState(folder) === "unfinished") return resumeRun(folder, null, events);
  const config = pointReader()(point.words, point.id);
  if (configHash(config) !== point.hash)
    throw valueError(
      `sweep task ${point.index}`,
      "the run that was planned",
      "another",
      "a file that its words name, or the program, has changed since; plan a new sweep",
    );
  return startRun(threads == null ? config : { ...config, threads }, folder, provenance, events);
}

/** Writes down that a run cannot be computed as it was asked for: that is final. */
function refuse(folder: string, point: SweepPoint, error: Error, { provenance }: TaskOptions): number {
  let claimed: ClaimedFolder;
  try {
    makeFolder(folder);
    claimed = ClaimedFolder.ofRun(folder, "sweep task");
  } catch (why) {
    return why instanceof FolderBusyError ? TASK_CODES.busy : TASK_CODES.broken;
  }
  const job = process.env.SLURM_JOB_ID;
  const outcome: OutcomeFile = {
    ending: "failed",
    sentence: error.message,
    exitCode: TASK_CODES.refused,
    rows: 0,
    restarts: 0,
    seconds: 0,
    backend: "none",
    digest: "",
    summary: {},
    host: hostname(),
    ...(job && { job }),
    processes: {},
    criticalValue: 0,
    head: { configHash: point.hash, version: provenance.version, engine: `Node ${process.versions.node}` },
  };
  try {
    const there = readOutcome(folder);
    if (there) return there.exitCode;
    claimed.writeOutcome(outcome);
  } finally {
    claimed.release();
  }
  return TASK_CODES.refused;
}
