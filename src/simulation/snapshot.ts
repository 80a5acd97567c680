import { valueError } from "../base/index.ts";
import type { Process } from "../flows/index.ts";

/** Everything that the rest of a run depends on before row `index`. */
export interface Snapshot {
  readonly index: number;
  readonly arrays: ReadonlyMap<string, Float64Array>;
}

/** Takes a snapshot. @param parts the processes, and what else of a simulation has a past */
export function snapshotOf(
  index: number,
  parts: readonly { readonly kind: string; snapshot(): Record<string, Float64Array> }[],
): Snapshot {
  const arrays = new Map<string, Float64Array>();
  for (const part of parts)
    for (const [key, data] of Object.entries(part.snapshot())) arrays.set(`${part.kind}.${key}`, data);
  return { index, arrays };
}

/**
 * Puts processes where a checkpoint has them: each from its own part, or all from the part `from`.
 * Throws when a part is missing or has other sizes than this run.
 */
export function restoreProcesses(
  processes: readonly Process[],
  checkpoint: Pick<Snapshot, "arrays">,
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
    // Another process' eigenvectors are none of this one's, nor are those over a row space (`moved`) ones of the network's weights.
    const own = source === process.kind && !saved.moved;
    process.restore(own ? saved : { w: saved.w, state: saved.state });
  }
}
