import { PROCESS_KINDS, type ProcessKind, processEntry } from "../flows/index.ts";
import type { StepRow } from "../simulation/index.ts";

/** The processes that logged something. */
export function processesIn(rows: readonly StepRow[]): ProcessKind[] {
  return PROCESS_KINDS.filter((process) =>
    rows.some((row) => Object.keys(row.quantities).some((path) => path.startsWith(`${process}/`))),
  );
}

/** The reader's name of a process. */
export const labelOf = (process: ProcessKind): string => processEntry(process).label;
