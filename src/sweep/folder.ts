/**
 * The folder of a sweep:
 *
 *     sweep.json     what was asked for and every point: its index never changes
 *     runs/          a run's folder per point
 *     tasks.txt      a command a line, for other launchers
 *     cancelled      while the sweep is called off
 *     logs/          what the tasks of a local submission said
 *     slurm/         the array script, what was submitted, and logs
 *     table.csv  sweep.hdf5  index.html      what `gather` makes
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseJson, valueError } from "../base/index.ts";
import type { Values } from "./axes.ts";

/** The names in a sweep's folder. */
export const SWEEP_NAMES = {
  plan: "sweep.json",
  runs: "runs",
  tasks: "tasks.txt",
  cancelled: "cancelled",
  /** What the tasks of `submit --engine local` said, `INDEX.log`. */
  logs: "logs",
  slurm: "slurm",
  table: "table.csv",
  data: "sweep.hdf5",
  page: "index.html",
} as const;

/** One run of a sweep. */
export interface SweepPoint {
  readonly index: number;
  /** The name of its run, and of its folder in `runs`. */
  readonly id: string;
  /** What `run` is told. */
  readonly words: readonly string[];
  readonly values: Values;
  /** What decides its numbers (`configHash`), by which a task knows that it computes what was planned. */
  readonly hash: string;
  readonly steps: number;
}

/** A sweep as planned. */
export interface Sweep {
  /** Its folder, as it was named. */
  readonly directory: string;
  readonly name: string;
  /** The folder in which it was planned: files in its words are named from there. */
  readonly cwd: string;
  /** The words that all points share. */
  readonly words: readonly string[];
  /** The names of its axes. */
  readonly axes: readonly string[];
  readonly points: readonly SweepPoint[];
}

const FORMAT = "central-flows sweep";
const VERSION = 1;

/** The text of sweep.json: a point a line. */
export function sweepText({ name, cwd, words, axes, points }: Omit<Sweep, "directory">): string {
  const head = JSON.stringify({ format: FORMAT, version: VERSION, name, cwd, words, axes });
  return `${head.slice(0, -1)}, "points": [\n${points.map((point) => JSON.stringify(point)).join(",\n")}\n]}\n`;
}

/**
 * Reads sweep.json.
 *
 * @param operation named in errors, such as `sweep status`
 * @throws InputValueError where there is no sweep, or one of another version
 */
export function readSweep(directory: string, operation: string): Sweep {
  const path = join(directory, SWEEP_NAMES.plan);
  if (!existsSync(path))
    throw valueError(
      operation,
      "the folder of a sweep, with sweep.json",
      existsSync(directory) ? `${directory} without one` : `${directory}, which does not exist`,
      "central-flows sweep NAME … --sweep flag=values plans one",
    );
  const told = parseJson(readFileSync(path, "utf8"), operation, "a sweep.json that parses") as Record<
    string,
    unknown
  >;
  if (told?.format !== FORMAT || told.version !== VERSION || !Array.isArray(told.points))
    throw valueError(
      operation,
      `a sweep.json of version ${VERSION}`,
      `${path} of ${told?.format === FORMAT ? `version ${told.version}` : "another program"}`,
    );
  const { name, cwd, words, axes, points } = told as unknown as Sweep;
  return { directory, name, cwd, words, axes, points };
}

/** The folder of a point's run. */
export const runFolder = ({ directory }: Pick<Sweep, "directory">, { id }: SweepPoint): string =>
  join(directory, SWEEP_NAMES.runs, id);

/** The point of an index. @throws InputValueError where there is none */
export function pointAt(sweep: Sweep, index: number, operation: string): SweepPoint {
  const point = sweep.points[index];
  if (point) return point;
  throw valueError(operation, `an index from 0 to ${sweep.points.length - 1}`, String(index));
}

/** Whether the sweep is called off. */
export const isCancelled = (directory: string): boolean => existsSync(join(directory, SWEEP_NAMES.cancelled));
