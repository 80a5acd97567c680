import { valueError } from "../base/index.ts";
import { type NpyArray, readFileFromDisk, readNpz, type WritableArray, writeNpz } from "../data/index.ts";
import type { Process } from "../flows/index.ts";
import { writeFileAtomic } from "./folder.ts";

/**
 * A checkpoint holds every process before a row is taken: `PROCESS.w` and `PROCESS.state` (and `midpoint.w_prev`)
 * as the reference writes them, the tracked eigenvectors besides, `PROCESS.ended` where one has stopped or failed, and
 * `step`, the index of the row to come.
 */
export interface Checkpoint {
  readonly index: number;
  readonly arrays: ReadonlyMap<string, Float64Array>;
}

/** Writes a checkpoint, all or nothing. @param parts the processes, and what else of a simulation has a past */
export function writeCheckpoint(
  path: string,
  index: number,
  parts: readonly { readonly kind: string; snapshot(): Record<string, Float64Array> }[],
): void {
  const arrays: Record<string, WritableArray> = {};
  for (const process of parts)
    for (const [key, data] of Object.entries(process.snapshot()))
      arrays[`${process.kind}.${key}`] = { shape: [data.length], data };
  arrays.step = { dtype: "<i8", shape: [], data: [index] };
  writeFileAtomic(path, writeNpz(arrays));
}

/** Reads a checkpoint. Throws when the file is missing, broken, or no checkpoint. */
export function readCheckpoint(path: string): Checkpoint {
  const bytes = readFileFromDisk(path);
  if (!bytes) throw valueError("checkpoint", "a checkpoint file", `${path}, which does not exist`);
  const arrays: Map<string, NpyArray> = readNpz(bytes, `checkpoint ${path}`);
  const step = arrays.get("step")?.data[0];
  if (step === undefined || !Number.isSafeInteger(step) || step < 0)
    throw valueError(
      "checkpoint",
      'an array "step" with the number of steps',
      step === undefined ? "none" : String(step),
    );
  arrays.delete("step");
  return { index: step, arrays: new Map([...arrays].map(([key, { data }]) => [key, data])) };
}

/**
 * Puts processes where a checkpoint has them: each from its own part, or all from the part `from`.
 * Throws when a part is missing or has other sizes than this run.
 */
export function restoreProcesses(
  processes: readonly Process[],
  checkpoint: Checkpoint,
  from: string | null = null,
): void {
  for (const process of processes) {
    const source = from ?? process.kind;
    const expected = process.snapshot();
    const saved: Record<string, Float64Array> = {};
    for (const [key, data] of checkpoint.arrays)
      if (key.startsWith(`${source}.`)) saved[key.slice(source.length + 1)] = data;
    for (const key of ["w", "state"]) {
      if (!saved[key])
        throw valueError(
          "checkpoint",
          `arrays ${source}.w and ${source}.state`,
          [...checkpoint.arrays.keys()].join(", "),
        );
      if (saved[key].length !== expected[key].length)
        throw valueError(
          "checkpoint",
          `${expected[key].length} numbers in ${source}.${key}`,
          String(saved[key].length),
        );
    }
    // Another process' eigenvectors are none of this one's.
    process.restore(source === process.kind ? saved : { w: saved.w, state: saved.state });
  }
}
