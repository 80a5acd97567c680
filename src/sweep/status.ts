import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  folderState,
  type LockHolder,
  lockHolder,
  type OutcomeFile,
  openRows,
  readOutcome,
} from "../record/index.ts";
import { isCancelled, readSweep, runFolder, SWEEP_NAMES, type Sweep, type SweepPoint } from "./folder.ts";

/**
 * Where a point stands. The first three are final: `done`; `failed`, a result (a process diverged or had no solution);
 * `refused`, it cannot be computed as it was asked for. `interrupted`: it has rows and nobody computes it.
 */
export type PointState = "done" | "failed" | "refused" | "running" | "queued" | "interrupted" | "pending";

/** All states in the order in which they are told. */
export const POINT_STATES: readonly PointState[] = [
  "done",
  "failed",
  "refused",
  "running",
  "queued",
  "interrupted",
  "pending",
];

/** A point and what its folder says of it. */
export interface PointStatus {
  readonly point: SweepPoint;
  readonly state: PointState;
  readonly rows: number;
  readonly outcome: OutcomeFile | undefined;
  /** Who computes it. */
  readonly holder?: LockHolder;
}

/** Where a sweep stands. */
export interface SweepStatus {
  readonly sweep: Sweep;
  readonly points: readonly PointStatus[];
  readonly counts: Readonly<Record<PointState, number>>;
  readonly cancelled: boolean;
  /** Seconds that the processes took which ended runs, added up. */
  readonly seconds: number;
  /** Seconds of computing that are left, after the mean of a step so far; undefined before any is known. */
  readonly secondsLeft: number | undefined;
}

/** Reads outcomes, locks and journals of a sweep. @param queued indices that a scheduler has in its queue */
export async function sweepStatus(
  directory: string,
  queued: ReadonlySet<number> = new Set(),
): Promise<SweepStatus> {
  const sweep = readSweep(directory, "sweep status");
  const runs = join(directory, SWEEP_NAMES.runs);
  const there = new Set(existsSync(runs) ? readdirSync(runs) : []);
  const points: PointStatus[] = [];
  for (const point of sweep.points)
    points.push(
      there.has(point.id)
        ? await pointStatus(sweep, point, queued)
        : { point, state: queued.has(point.index) ? "queued" : "pending", rows: 0, outcome: undefined },
    );
  const counts = Object.fromEntries(
    POINT_STATES.map((state) => [state, points.filter((each) => each.state === state).length]),
  ) as Record<PointState, number>;
  const ended = points.flatMap(({ outcome }) => outcome ?? []);
  const seconds = ended.reduce((sum, outcome) => sum + outcome.seconds, 0);
  const rows = ended.reduce((sum, outcome) => sum + outcome.rows, 0);
  const left = points.reduce(
    (sum, { point, outcome, rows }) => sum + (outcome ? 0 : Math.max(0, point.steps - rows)),
    0,
  );
  return {
    sweep,
    points,
    counts,
    cancelled: isCancelled(directory),
    seconds,
    secondsLeft: rows > 0 ? (left * seconds) / rows : undefined,
  };
}

async function pointStatus(
  sweep: Sweep,
  point: SweepPoint,
  queued: ReadonlySet<number>,
): Promise<PointStatus> {
  const folder = runFolder(sweep, point);
  const outcome = readOutcome(folder);
  if (outcome) {
    const state = outcome.exitCode === 0 ? "done" : outcome.exitCode === 2 ? "refused" : "failed";
    return { point, state, rows: outcome.rows, outcome };
  }
  const holder = lockHolder(folder);
  const begun = folderState(folder) === "unfinished";
  const rows = begun ? await rowCountOf(folder) : 0;
  const waiting = queued.has(point.index) ? "queued" : begun ? "interrupted" : "pending";
  return { point, state: holder ? "running" : waiting, rows, outcome: undefined, ...(holder && { holder }) };
}

/** Rows that are logged; 0 where the run has just ended or its journal cannot be read. */
async function rowCountOf(folder: string): Promise<number> {
  try {
    return (await openRows(folder, "sweep status")).rowCount;
  } catch {
    return 0;
  }
}

/** The last line of a task's log, for a point that ended without an outcome; undefined without a log. */
export function lastWords({ directory }: Sweep, { index }: SweepPoint): string | undefined {
  const path = join(directory, SWEEP_NAMES.logs, `${index}.log`);
  if (!existsSync(path)) return undefined;
  return readFileSync(path, "utf8").trim().split("\n").at(-1) || undefined;
}

const BAR = 30;
/** So many sentences are told, then how many more there are. */
const MOST_SENTENCES = 8;

/** Seconds as 8 s, 12 min or 3.4 h. */
export function duration(seconds: number): string {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

/** The status for people: counts, a bar, what failed and why. */
export function statusText({ sweep, points, counts, cancelled, seconds, secondsLeft }: SweepStatus): string {
  const final = counts.done + counts.failed + counts.refused;
  const filled = points.length === 0 ? BAR : Math.floor((BAR * final) / points.length);
  const told = POINT_STATES.filter((state) => counts[state] > 0).map((state) => `${counts[state]} ${state}`);
  const sentences = points.flatMap((each) => sentenceOf(sweep, each));
  return [
    `${sweep.name}: ${"━".repeat(filled)}${"─".repeat(BAR - filled)} ${final} of ${points.length} final`,
    told.join(", "),
    ...(cancelled ? ["cancelled; submit goes on"] : []),
    ...(final > 0 ? [`${duration(seconds)} of computing so far`] : []),
    ...(secondsLeft && final < points.length
      ? [`about ${duration(secondsLeft)} of computing left, one run after another`]
      : []),
    ...sentences.slice(0, MOST_SENTENCES),
    ...(sentences.length > MOST_SENTENCES
      ? [`… and ${sentences.length - MOST_SENTENCES} more; --json tells all`]
      : []),
  ].join("\n");
}

function sentenceOf(sweep: Sweep, { point, state, outcome, rows }: PointStatus): string[] {
  if (outcome && state !== "done") return [`${point.id}: ${outcome.sentence}`];
  if (state !== "interrupted" && state !== "pending") return [];
  const words = lastWords(sweep, point);
  if (words === undefined) return [];
  return [`${point.id}: stopped after ${rows} of ${point.steps} steps; its log ends: ${words}`];
}

/** The status for programs. */
export const statusJson = ({ sweep, points, counts, cancelled, seconds, secondsLeft }: SweepStatus) => ({
  name: sweep.name,
  directory: sweep.directory,
  axes: sweep.axes,
  counts,
  cancelled,
  seconds,
  secondsLeft: secondsLeft ?? null,
  points: points.map(({ point, state, rows, outcome, holder }) => ({
    index: point.index,
    id: point.id,
    values: point.values,
    state,
    rows,
    steps: point.steps,
    ...(outcome && {
      exitCode: outcome.exitCode,
      sentence: outcome.sentence,
      seconds: outcome.seconds,
      digest: outcome.digest,
    }),
    ...(holder && { host: holder.host, pid: holder.pid, ...(holder.job && { job: holder.job }) }),
  })),
});
