import type { StepRow } from "../simulation/index.ts";

/** The processes a run may hold, in the order in which the report names them. */
export const PROCESSES = ["discrete", "midpoint", "central", "stable", "stationary", "ablated"] as const;

export type Process = (typeof PROCESSES)[number];

/** Plain names for readers and terminals. */
export const PROCESS_LABELS: Readonly<Record<Process, string>> = {
  discrete: "Optimizer",
  midpoint: "Midpoints",
  central: "Central flow",
  stable: "Stable flow",
  stationary: "Stationary flow",
  ablated: "Ablated flow",
};

/** The processes that logged something. */
export function processesIn(rows: readonly StepRow[]): Process[] {
  return PROCESSES.filter((process) =>
    rows.some((row) => Object.keys(row.quantities).some((path) => path.startsWith(`${process}/`))),
  );
}
