import type { ProcessKind } from "../flows/index.ts";
import type { StepRow } from "../simulation/index.ts";
import { aligned, formatNumber } from "./format.ts";
import { labelOf, processesIn } from "./processes.ts";
import { columnOf, columnsOf, lastValue } from "./series.ts";

/** Where one process stands at the end; a value is undefined if the run did not log it. */
export interface ProcessSummary {
  readonly process: ProcessKind;
  readonly label: string;
  /** Training loss. */
  readonly loss: number | undefined;
  /** Largest eigenvalue of the effective Hessian. */
  readonly sharpness: number | undefined;
  /** Training accuracy, 0 to 1. */
  readonly accuracy: number | undefined;
}

/** How far apart two processes are at the end, in the 2-norm of their weights. */
export interface DistanceSummary {
  readonly between: readonly [ProcessKind, ProcessKind];
  readonly label: string;
  readonly distance: number;
}

/** The table that ends a run. */
export interface Summary {
  /** Step of the last row; undefined for a run without rows. */
  readonly step: number | undefined;
  readonly processes: readonly ProcessSummary[];
  readonly distances: readonly DistanceSummary[];
}

/** The distances worth a line, in this order. */
const PAIRS: readonly (readonly [ProcessKind, ProcessKind])[] = [
  ["central", "discrete"],
  ["discrete", "stable"],
  ["central", "stable"],
];

/** Sums up a run: the last value of each quantity that was logged. */
export function summaryTable(rows: readonly StepRow[]): Summary {
  const last = (path: string) => lastValue(columnOf(rows, path));
  const processes = processesIn(rows).map((process) => ({
    process,
    label: labelOf(process),
    loss: last(`${process}/train_loss`),
    sharpness: lastValue(columnsOf(rows, `${process}/effective_hessian_eigs`)[0]),
    accuracy: last(`${process}/train_acc`),
  }));
  const distances = PAIRS.flatMap(([a, b]) => {
    const distance = last(`distances/${a}-${b}`);
    const label = `${labelOf(a)} to ${labelOf(b).toLowerCase()}`;
    return distance === undefined ? [] : [{ between: [a, b] as const, label, distance }];
  });
  return { step: rows.at(-1)?.step, processes, distances };
}

/** The summary for a terminal: two short tables, each line ending in a newline. */
export function summaryText(summary: Summary): string {
  if (summary.step === undefined) return "no steps logged\n";
  const table = [
    [`step ${summary.step}`, "loss", "sharpness", "accuracy"],
    ...summary.processes.map(({ label, loss, sharpness, accuracy }) => [
      label.toLowerCase(),
      ...[loss, sharpness, accuracy].map(formatNumber),
    ]),
  ];
  const distances = summary.distances.map(({ label, distance }) => [
    label.toLowerCase(),
    formatNumber(distance),
  ]);
  const blocks = [aligned(table)];
  if (distances.length > 0) blocks.push(aligned([["distance", ""], ...distances]));
  return blocks.join("\n");
}
