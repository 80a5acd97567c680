import { PROCESS_KINDS, type ProcessKind, processEntry } from "../flows/index.ts";
import { pathsOf, type Rows } from "./series.ts";

/** The processes that logged something. */
export function processesIn(rows: Rows): ProcessKind[] {
  const folders = new Set(Array.from(pathsOf(rows), (path) => path.slice(0, Math.max(0, path.indexOf("/")))));
  return PROCESS_KINDS.filter((process) => folders.has(process));
}

/** The reader's name of a process. */
export const labelOf = (process: ProcessKind): string => processEntry(process).label;
