import { existsSync, rmSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { valueError } from "../base/index.ts";
import { ClaimedFolder, lockHolder, NAMES, readOutcome, writeFileAtomic } from "../record/index.ts";
import { pointAt, readSweep, runFolder, SWEEP_NAMES, type SweepPoint } from "./folder.ts";
import { TASK_CODES } from "./task.ts";

/**
 * Makes points anew: those that were refused, with `failed` also those that ended early (a result, which comes out the
 * same again unless the program has changed), or those named, whatever they are. What they have left is removed. Then
 * `submit` computes them.
 *
 * @returns the points that are anew
 * @throws InputValueError for an index that there is not, or a point that somebody computes now
 */
export function retryPoints(
  directory: string,
  { indices, failed }: { readonly indices: readonly number[]; readonly failed: boolean },
): readonly SweepPoint[] {
  const sweep = readSweep(directory, "sweep retry");
  const wanted = (point: SweepPoint): boolean => {
    const code = readOutcome(runFolder(sweep, point))?.exitCode;
    return code === TASK_CODES.refused || (failed && code === TASK_CODES.failed);
  };
  const chosen =
    indices.length > 0
      ? indices.map((index) => pointAt(sweep, index, "sweep retry"))
      : sweep.points.filter(wanted);
  const busy = chosen.find((point) => lockHolder(runFolder(sweep, point)));
  if (busy)
    throw valueError(
      "sweep retry",
      "points that nobody computes",
      busy.id,
      "wait for it, or cancel the sweep",
    );
  for (const point of chosen) clear(runFolder(sweep, point));
  for (const { index } of chosen)
    rmSync(join(directory, SWEEP_NAMES.slurm, "restarts", String(index)), { force: true });
  return chosen;
}

function clear(folder: string): void {
  if (!existsSync(folder)) return;
  const claimed = ClaimedFolder.ofRun(folder, "sweep retry");
  try {
    // The outcome last: a crash in between leaves a run that has ended.
    rmSync(join(folder, NAMES.checkpoints), { recursive: true, force: true });
    claimed.remove(NAMES.journal, NAMES.oldJournal, NAMES.data, "report.html", NAMES.config, NAMES.outcome);
  } finally {
    claimed.release();
  }
}

/** What was called off. */
export interface Cancelled {
  /** Tasks on this machine that were asked to stop. */
  readonly stopped: number;
  /** Points that are computed on other machines. */
  readonly elsewhere: readonly SweepPoint[];
}

/**
 * Calls a sweep off: tasks that begin from now on end at once, those on this machine are asked to stop after their step.
 * Their rows stay, and `submit` goes on from them.
 */
export function cancelSweep(directory: string): Cancelled {
  const sweep = readSweep(directory, "sweep cancel");
  writeFileAtomic(join(directory, SWEEP_NAMES.cancelled), `${new Date().toISOString()}\n`);
  let stopped = 0;
  const elsewhere: SweepPoint[] = [];
  for (const point of sweep.points) {
    const holder = lockHolder(runFolder(sweep, point));
    if (!holder) continue;
    if (holder.host !== hostname()) elsewhere.push(point);
    else if (terminate(holder.pid)) stopped++;
  }
  return { stopped, elsewhere };
}

/** Whether a process was there to be asked to end. */
function terminate(pid: number): boolean {
  try {
    return process.kill(pid, "SIGTERM");
  } catch {
    return false;
  }
}

/** Takes back that a sweep was called off. */
export const uncancel = (directory: string): void =>
  rmSync(join(directory, SWEEP_NAMES.cancelled), { force: true });
