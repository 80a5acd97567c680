import type { StepRow } from "../../simulation/index.ts";
import { edgeSummary } from "../edge.ts";
import { formatNumber } from "../format.ts";
import { averagingWindow, columnOf, columnsOf, lastValue, pathsUnder, sumOf } from "../series.ts";
import type { Table } from "./table.ts";

/** What one line of the gallery's table says of a run; what was not logged is undefined. */
export interface GallerySummary {
  /** Steps logged. */
  readonly steps: number;
  /** Steps at which the central flow is at the edge, and how many of its eigenvalues are there at most. */
  readonly atEdge: number;
  readonly most: number;
  /** Largest effective eigenvalue of the central flow in the last row. */
  readonly sharpness: number | undefined;
  /** The share of the steps at the edge in which the central flow is farther from the optimizer than the stable flow. */
  readonly farther: number | undefined;
  /** Median over these steps of its distance over the stable flow's; see `edgeSummary`. */
  readonly ratio: number | undefined;
  /** Averages over the last `window` rows: what the central flow predicts, and the optimizer's loss. */
  readonly window: number;
  readonly predictedLoss: number | undefined;
  readonly measuredLoss: number | undefined;
  /** Time that the processes took, of all sessions. */
  readonly seconds: number;
}

/**
 * Sums up a run for the gallery.
 *
 * @param rows read only; may be empty
 * @param criticalValue c, the edge of stability
 */
export function gallerySummary(rows: readonly StepRow[], criticalValue: number): GallerySummary {
  const eigenvalues = columnsOf(rows, "central/effective_hessian_eigs");
  const edge = edgeSummary(rows, criticalValue);
  const window = Math.min(averagingWindow(rows.length), rows.length);
  const trailingMean = (path: string): number | undefined => {
    const values = columnOf(rows, path)
      ?.subarray(rows.length - window)
      .filter((x) => !Number.isNaN(x));
    return values?.length ? values.reduce((sum, x) => sum + x, 0) / values.length : undefined;
  };
  const times = pathsUnder(rows, "").filter((path) => path.split("/")[1] === "times");
  return {
    steps: rows.length,
    atEdge: edge?.rows.length ?? 0,
    most: edge?.most ?? 0,
    sharpness: lastValue(eigenvalues[0]),
    farther: edge?.nearer === undefined ? undefined : 1 - edge.nearer,
    ratio: edge?.ratio,
    window,
    predictedLoss: trailingMean("central/predicted_loss"),
    measuredLoss: trailingMean("discrete/train_loss"),
    seconds: sumOf(times.flatMap((path) => columnsOf(rows, path))).reduce(
      (sum, x) => sum + (Number.isNaN(x) ? 0 : x),
      0,
    ),
  };
}

/** Four decimals: what is near the edge shall not look as if it were on it. */
const precise = (x: number | undefined): string => (x === undefined ? "–" : x.toFixed(4));

const percent = (share: number | undefined): string =>
  share === undefined ? "–" : `${Number((100 * share).toFixed(1))} %`;

/** A column of the table, and what a run has in it. */
const COLUMNS: readonly {
  readonly title: string;
  readonly cell: (summary: GallerySummary) => string;
}[] = [
  { title: "Steps", cell: ({ steps }) => String(steps) },
  { title: "At the edge", cell: ({ atEdge }) => String(atEdge) },
  { title: "Eigenvalues there", cell: ({ most }) => String(most) },
  { title: "Sharpness", cell: ({ sharpness }) => precise(sharpness) },
  { title: "Farther", cell: ({ farther }) => percent(farther) },
  { title: "Distance ratio", cell: ({ ratio }) => formatNumber(ratio) },
  { title: "Predicted loss", cell: ({ predictedLoss }) => formatNumber(predictedLoss) },
  { title: "Measured loss", cell: ({ measuredLoss }) => formatNumber(measuredLoss) },
  { title: "Seconds", cell: ({ seconds }) => seconds.toFixed(0) },
];

/** The table of a gallery, for its page and for a terminal. @param runs named; their names lead to `#NAME` */
export function galleryTable(
  runs: readonly { readonly name: string; readonly summary: GallerySummary }[],
): Table {
  return {
    label: "Table of runs",
    first: "Preset",
    columns: COLUMNS.map(({ title }) => ({ title })),
    rows: runs.map(({ name, summary }) => ({
      name,
      href: `#${name}`,
      cells: COLUMNS.map(({ cell }) => cell(summary)),
    })),
  };
}
