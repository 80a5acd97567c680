import { execFileSync } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { valueError } from "../base/index.ts";
import { writeFileAtomic } from "../record/index.ts";
import { SWEEP_NAMES, type Sweep } from "./folder.ts";
import { arrayScript, type ScriptOptions, scriptPath } from "./slurm-script.ts";

/** How a sweep is handed to Slurm. */
export interface SlurmOptions extends ScriptOptions {
  /** Points of an array task, one after another. */
  readonly perTask: number;
  /** Array tasks at once; null: as many as Slurm gives. */
  readonly atOnce: number | null;
  /** Words for sbatch, which win over ours. */
  readonly sbatch: readonly string[];
}

/** An array that was handed to Slurm. */
export interface SlurmArray {
  readonly job: string;
  readonly time: string;
  /** The points of each array task. */
  readonly tasks: readonly (readonly number[])[];
  readonly sbatch: readonly string[];
}

const slurmFile = (directory: string, name: string): string =>
  join(resolve(directory), SWEEP_NAMES.slurm, name);

/** Whether this machine can submit to Slurm. */
export const hasSlurm = (env: NodeJS.ProcessEnv = process.env): boolean =>
  (env.PATH ?? "").split(delimiter).some((folder) => folder !== "" && existsSync(join(folder, "sbatch")));

/** Runs one of Slurm's commands. @throws Error with what it said */
function slurm(command: string, argv: readonly string[]): string {
  try {
    return execFileSync(command, argv, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  } catch (error) {
    const { stderr, message } = error as { readonly stderr?: string; readonly message: string };
    throw new Error(
      `${command}: expected Slurm to do it, got ${(stderr || message).trim()}; is this a machine of the cluster?`,
    );
  }
}

/** The largest array that the cluster takes; Slurm's own default where it does not say. */
function mostTasks(): number {
  const found = /MaxArraySize\s*=\s*(\d+)/.exec(slurm("scontrol", ["show", "config"]));
  return Number(found?.[1] ?? 1001);
}

/** The arrays that were submitted for a sweep. */
export function submittedArrays(directory: string): SlurmArray[] {
  const path = slurmFile(directory, "submitted.jsonl");
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, "utf8").split("\n");
  return lines.filter((line) => line.startsWith("{") && line.endsWith("}")).map((line) => JSON.parse(line));
}

/**
 * Hands points to Slurm: writes the script and a list of points, and calls sbatch, more than once where the cluster takes no array
 * of that size.
 *
 * @throws Error with what Slurm said
 */
export function submitToSlurm(sweep: Sweep, indices: readonly number[], options: SlurmOptions): SlurmArray[] {
  const { directory } = sweep;
  const { perTask, atOnce, sbatch } = options;
  if (perTask < 1) throw valueError("sweep submit", "--per-task ≥ 1", String(perTask));
  mkdirSync(slurmFile(directory, "logs"), { recursive: true });
  writeFileAtomic(scriptPath(directory), arrayScript(sweep, options));
  const tasks = Array.from({ length: Math.ceil(indices.length / perTask) }, (_, t) =>
    indices.slice(perTask * t, perTask * (t + 1)),
  );
  const most = mostTasks();
  const arrays: SlurmArray[] = [];
  for (let from = 0; from < tasks.length; from += most) {
    const part = tasks.slice(from, from + most);
    const list = slurmFile(directory, `points-${submittedArrays(directory).length}.txt`);
    writeFileAtomic(list, `${part.map((points) => points.join(" ")).join("\n")}\n`);
    const limit = atOnce === null ? "" : `%${atOnce}`;
    const said = slurm("sbatch", [
      "--parsable",
      `--job-name=${sweep.name}`,
      `--array=0-${part.length - 1}${limit}`,
      `--output=${slurmFile(directory, "logs")}/%A_%a.log`,
      ...sbatch,
      scriptPath(directory),
      list,
    ]);
    // A federated cluster adds its name after a semicolon.
    const job = said.trim().split(";")[0];
    const array = { job, time: new Date().toISOString(), tasks: part, sbatch };
    appendFileSync(slurmFile(directory, "submitted.jsonl"), `${JSON.stringify(array)}\n`);
    arrays.push(array);
  }
  return arrays;
}

/** States in which an array task may still compute. */
const ALIVE =
  /^(PENDING|RUNNING|REQUEUED|REQUEUE_HOLD|REQUEUE_FED|SUSPENDED|CONFIGURING|COMPLETING|RESIZING|SIGNALING|STOPPED|STAGE_OUT)$/;

/**
 * The points that Slurm has in its queue, with its state and reason; none where nothing was submitted.
 *
 * @throws Error where Slurm cannot be asked
 */
export function queuedPoints(directory: string): ReadonlyMap<number, string> {
  const arrays = submittedArrays(directory);
  const found = new Map<number, string>();
  if (arrays.length === 0) return found;
  // Jobs that Slurm has forgotten are an error where they are named, so all of the user's are asked for.
  const jobs = new Map(arrays.map((array) => [array.job, array]));
  for (const line of slurm("squeue", ["-r", "-h", "-o", "%i|%T|%r"]).split("\n")) {
    const [id, state, reason] = line.split("|");
    const [job, task] = (id ?? "").split("_");
    const array = jobs.get(job);
    if (!array || !ALIVE.test(state)) continue;
    for (const index of array.tasks[Number(task)] ?? [])
      found.set(index, reason === "None" ? state : `${state}, ${reason}`);
  }
  return found;
}

/** Takes all arrays of a sweep out of Slurm's queue. @returns how many there were @throws Error with what Slurm said */
export function cancelInSlurm(directory: string): number {
  const queued = queuedPoints(directory);
  const arrays = submittedArrays(directory).filter(({ tasks }) =>
    tasks.some((points) => points.some((index) => queued.has(index))),
  );
  if (arrays.length > 0)
    slurm(
      "scancel",
      arrays.map(({ job }) => job),
    );
  return arrays.length;
}
