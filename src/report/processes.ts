import { PROCESS_KINDS, type ProcessKind, processEntry } from "../flows/index.ts";
import type { StepRow } from "../simulation/index.ts";

/** The processes that logged something. */
export function processesIn(rows: readonly StepRow[]): ProcessKind[] {
  const paths = new Set<string>();
  for (const { quantities } of rows) for (const path in quantities) paths.add(path);
  const folders = new Set(Array.from(paths, (path) => path.slice(0, Math.max(0, path.indexOf("/")))));
  return PROCESS_KINDS.filter((process) => folders.has(process));
}

/** The reader's name of a process. */
export const labelOf = (process: ProcessKind): string => processEntry(process).label;
