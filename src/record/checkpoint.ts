import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { valueError } from "../base/index.ts";
import { type NpyArray, readNpz, type WritableArray, writeNpz } from "../data/index.ts";
import type { Snapshot } from "../simulation/index.ts";
import { writeFileAtomic } from "./files.ts";

/**
 * A checkpoint holds every process before a row is taken: `PROCESS.w` and `PROCESS.state` (and `midpoint.w_prev`)
 * as the reference writes them, the tracked eigenvectors besides, `PROCESS.ended` where one has stopped or failed,
 * `step`, the index of the row to come, and `binding`, which ties it to its run.
 */
export interface Checkpoint {
  readonly index: number;
  readonly arrays: ReadonlyMap<string, Float64Array>;
  /** What `bindingOf` gives for its run; undefined in the reference's and in those of before 0.2.0. */
  readonly binding: string | undefined;
}

/**
 * What ties a checkpoint to a run: a hash of the run's configuration and of all rows before the checkpoint.
 *
 * @param configHash of the journal's head
 * @param digest of the rows 0 … index − 1 (`RowDigest`)
 */
export const bindingOf = (configHash: string, digest: string): string =>
  createHash("sha256").update(`${configHash} ${digest}`).digest("hex");

/** Eight whole numbers of 32 bits. */
const WORDS = /.{8}/g;

/** Writes a checkpoint, all or nothing. */
export function writeCheckpoint(path: string, { index, arrays }: Snapshot, binding: string): void {
  const words = (binding.match(WORDS) ?? []).map((word) => Number.parseInt(word, 16));
  writeFileAtomic(
    path,
    writeNpz(
      new Map<string, WritableArray>([
        ...[...arrays].map(([key, data]) => [key, { shape: [data.length], data }] as const),
        ["step", { dtype: "<i8", shape: [], data: [index] }],
        ["binding", { dtype: "<i8", shape: [words.length], data: words }],
      ]),
    ),
  );
}

/** Reads a checkpoint. Throws when the file is missing, broken, or no checkpoint. */
export function readCheckpoint(path: string): Checkpoint {
  const arrays: Map<string, NpyArray> = readNpz(readBytes(path), `checkpoint ${path}`);
  const step = arrays.get("step")?.data[0];
  if (step === undefined || !Number.isSafeInteger(step) || step < 0)
    throw valueError(
      "checkpoint",
      'an array "step" with the number of steps',
      step === undefined ? "none" : String(step),
    );
  const words = arrays.get("binding")?.data;
  arrays.delete("step");
  arrays.delete("binding");
  return {
    index: step,
    arrays: new Map([...arrays].map(([key, { data }]) => [key, data])),
    binding: words && Array.from(words, (word) => word.toString(16).padStart(8, "0")).join(""),
  };
}

function readBytes(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    throw valueError(
      "checkpoint",
      "a checkpoint file",
      missing ? `${path}, which does not exist` : `${path}: ${(error as Error).message}`,
    );
  }
}
