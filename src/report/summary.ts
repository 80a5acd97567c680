import type { ProcessKind } from "../flows/index.ts";
import { type EdgeSummary, edgeSummary } from "./edge.ts";
import { aligned, formatNumber } from "./format.ts";
import { labelOf, processesIn } from "./processes.ts";
import { columnOf, columnsOf, lastValue, type Rows, stepsOf } from "./series.ts";

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

/** How a run went at the edge of stability, over all its steps there; see `edgeSummary`. */
export interface AtEdge extends Omit<EdgeSummary, "rows" | "delay"> {
  /** Steps logged, and those of them at the edge. */
  readonly of: number;
  readonly steps: number;
  /** First and last step of the longest stretch in which the stable flow is nearer. */
  readonly delay: readonly [number, number] | undefined;
}

/** The table that ends a run. */
export interface Summary {
  /** Step of the last row; undefined for a run without rows. */
  readonly step: number | undefined;
  readonly processes: readonly ProcessSummary[];
  readonly distances: readonly DistanceSummary[];
  /** Undefined for a run without a central flow, or where no critical value was given. */
  readonly edge: AtEdge | undefined;
}

/** The distances worth a line, in this order. */
const PAIRS: readonly (readonly [ProcessKind, ProcessKind])[] = [
  ["central", "discrete"],
  ["discrete", "stable"],
  ["central", "stable"],
];

/**
 * Sums up a run: the last value of each quantity that was logged, and how it went at the edge.
 *
 * @param criticalValue c, the edge of stability
 */
export function summaryTable(rows: Rows, criticalValue?: number): Summary {
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
  const found = criticalValue === undefined ? undefined : edgeSummary(rows, criticalValue);
  const steps = stepsOf(rows);
  const edge = found && atEdge(found, steps);
  return { step: steps.at(-1), processes, distances, edge };
}

function atEdge({ rows: edge, delay, ...found }: EdgeSummary, at: Float64Array): AtEdge {
  const steps = delay && ([at[delay[0]], at[delay[1]]] as const);
  return { of: at.length, steps: edge.length, ...found, delay: steps };
}

/** What a run shows of its claim, in sentences, over all its steps at the edge; none without a central flow. */
export function headline({ edge }: Summary): string[] {
  if (!edge) return [];
  const { of, steps, most, several, nearer, ratio, from, delay } = edge;
  if (steps === 0) return [`The run does not come to the edge of stability in its ${of} steps.`];
  const when =
    steps === of
      ? `In all its ${of} steps the run is at the edge of stability`
      : `In ${steps} of its ${of} steps the run is at the edge of stability`;
  const count =
    most === 1
      ? "one eigenvalue there"
      : `up to ${most} eigenvalues there at once, two or more in ${several} steps`;
  const sentences = [`${when}, with ${count}.`];
  if (nearer !== undefined) sentences.push(nearness(nearer, ratio, from));
  if (delay && delay[1] - delay[0] >= steps / 20)
    sentences.push(
      `From step ${delay[0]} to ${delay[1]} the optimizer follows the stable flow: an entry–exit delay, explained below.`,
    );
  return sentences;
}

/** Who is nearer, and how much. */
function nearness(nearer: number, ratio: number | undefined, from: AtEdge["from"]): string {
  const share = `In ${percent(nearer)} of these steps the central flow is nearer to the optimizer than the stable flow is`;
  if (ratio === undefined) return `${share}.`;
  const path = from === "midpoint" ? "from the midpoints of the optimizer’s path" : "from the optimizer";
  return `${share}; in the median its distance ${path} is ${Number(ratio.toPrecision(2))} times that of the stable flow.`;
}

/** A share in whole percent; 100 % and 0 % only where they are exact. */
function percent(share: number): string {
  const rounded = Math.round(100 * share);
  if (rounded === 100 && share < 1) return "more than 99 %";
  if (rounded === 0 && share > 0) return "less than 1 %";
  return `${rounded} %`;
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
  const told = headline(summary);
  const blocks = [aligned(table)];
  if (distances.length > 0) blocks.push(aligned([["distance", ""], ...distances]));
  if (told.length > 0) blocks.push(`${told.join("\n")}\n`);
  return blocks.join("\n");
}
