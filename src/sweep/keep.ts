import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { valueError } from "../base/index.ts";
import { lockHolder, takeLock } from "../record/index.ts";
import { configHash } from "../run/index.ts";
import { type Axis, wordsOfAxis } from "./axes.ts";
import { retryPoints } from "./change.ts";
import { readSweep, runFolder, SWEEP_NAMES, type Sweep, type SweepPoint } from "./folder.ts";
import { addPoints, planSweep, pointReader, writePlan } from "./plan.ts";
import { runTask, TASK_CODES, type TaskOptions } from "./task.ts";

/** The command that computes a point, for tasks.txt. */
type TaskLine = (sweep: Sweep, index: number) => string;

const sameWords = (a: readonly string[], b: readonly string[]): boolean =>
  JSON.stringify(a) === JSON.stringify(b);

/**
 * The sweep over one axis that a command keeps for itself, such as the runs of claims: planned where it is missing, with
 * points for values that are new, and points made anew whose settings have changed since they were planned (a preset that
 * says something else now). Where all points' words are others than before, what was computed is removed: such a folder
 * is the command's own. Then a task, here or elsewhere, brings each point to its end.
 *
 * @param words what `run` is told besides, the same for all points
 * @returns the sweep and the points of the axis' values, in their order
 * @throws InputValueError where the folder holds other things, or somebody computes a point that is to be made anew
 */
export function keepSweep(
  directory: string,
  words: readonly string[],
  axis: Axis,
  taskLine: TaskLine,
): { readonly sweep: Sweep; readonly points: readonly SweepPoint[] } {
  const asked = ["--sweep", `${axis.name}=${axis.values.join(",")}`];
  const own = axis.values.map((value) => wordsOfAxis(axis.name, value));
  const isAsked = ({ words: told }: SweepPoint): boolean => own.includes(told.at(-1) ?? "");
  if (existsSync(join(directory, SWEEP_NAMES.plan))) {
    const before = readSweep(directory, "sweep");
    if (!sameWords(before.words, words)) {
      refuseBusy(before, before.points);
      rmSync(directory, { recursive: true });
    } else {
      addPoints(directory, asked, taskLine);
      renewChanged(directory, isAsked, taskLine);
    }
  }
  if (!existsSync(join(directory, SWEEP_NAMES.plan))) planSweep(directory, [...words, ...asked], taskLine);
  const sweep = readSweep(directory, "sweep");
  const points = sweep.points.filter(isAsked);
  return {
    sweep,
    points: points.sort((a, b) => own.indexOf(a.words.at(-1) ?? "") - own.indexOf(b.words.at(-1) ?? "")),
  };
}

/** Makes those of the points anew that would compute something else now than what was planned. */
function renewChanged(directory: string, isAsked: (point: SweepPoint) => boolean, taskLine: TaskLine): void {
  const lock = takeLock(directory, "sweep");
  try {
    const sweep = readSweep(directory, "sweep");
    const read = pointReader();
    const points = sweep.points.map((point) => {
      if (!isAsked(point)) return point;
      const config = read(point.words, point.id);
      return { ...point, steps: config.steps, hash: configHash(config) };
    });
    const indices = points
      .filter(({ hash, index }) => hash !== sweep.points[index].hash)
      .map(({ index }) => index);
    if (indices.length === 0) return;
    retryPoints(directory, { indices, failed: false });
    writePlan({ ...sweep, points }, taskLine);
  } finally {
    lock.release();
  }
}

function refuseBusy(sweep: Sweep, points: readonly SweepPoint[]): void {
  const busy = points.find((point) => lockHolder(runFolder(sweep, point)));
  if (busy)
    throw valueError(
      "sweep",
      "runs that nobody computes",
      runFolder(sweep, busy),
      "wait for it, or cancel the sweep",
    );
}

/**
 * Brings points to their end, one after another, in this process: those that have ended are told of, stopped ones go on.
 *
 * @returns "interrupted" where `options.events` asked to stop; the same call goes on from there
 * @throws Error with what the task said, for a point that cannot be computed, that somebody else computes, or whose disk fails
 */
export async function bringToEnd(
  sweep: Sweep,
  points: readonly SweepPoint[],
  options: TaskOptions & { readonly before?: (point: SweepPoint) => void },
): Promise<"ended" | "interrupted"> {
  for (const point of points) {
    options.before?.(point);
    let said = "";
    const say = (line: string): void => {
      said = line;
      options.say?.(line);
    };
    const code = await runTask(sweep.directory, point.index, { ...options, say });
    if (code === TASK_CODES.interrupted) return "interrupted";
    if (code !== TASK_CODES.done && code !== TASK_CODES.failed) throw new Error(`${point.id}: ${said}`);
  }
  return "ended";
}
