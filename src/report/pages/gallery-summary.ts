import type { StepRow } from "../../simulation/index.ts";
import { aligned, formatNumber } from "../format.ts";
import { averagingWindow, columnOf, columnsOf, lastValue, pathsUnder, sumOf } from "../series.ts";

/** What one line of the gallery's table says of a run; what was not logged is undefined. */
export interface GallerySummary {
  /** Steps logged. */
  readonly steps: number;
  /** Eigenvalues of the central flow at the edge, in the last row and at most. */
  readonly edgeAtEnd: number;
  readonly edgeAtMost: number;
  /** Largest effective eigenvalue of the central flow in the last row. */
  readonly sharpness: number | undefined;
  /** Distances from the optimizer in the last row, in the 2-norm of the weights. */
  readonly centralDistance: number | undefined;
  readonly stableDistance: number | undefined;
  /** Averages over the last `window` rows: what the central flow predicts, and the optimizer's loss. */
  readonly window: number;
  readonly predictedLoss: number | undefined;
  readonly measuredLoss: number | undefined;
  /** Time that the processes took, of all sessions. */
  readonly seconds: number;
}

/** An eigenvalue counts as at the edge within this fraction of it: 1e-3 where the edge is at 2. */
const EDGE_TOLERANCE = 5e-4;

/**
 * Sums up a run for the gallery.
 *
 * @param rows read only; may be empty
 * @param criticalValue c, the edge of stability
 */
export function gallerySummary(rows: readonly StepRow[], criticalValue: number): GallerySummary {
  const eigenvalues = columnsOf(rows, "central/effective_hessian_eigs");
  const atEdge = rows.map(
    (_, r) =>
      eigenvalues.filter((values) => Math.abs(values[r] - criticalValue) <= EDGE_TOLERANCE * criticalValue)
        .length,
  );
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
    edgeAtEnd: atEdge.at(-1) ?? 0,
    edgeAtMost: Math.max(0, ...atEdge),
    sharpness: lastValue(eigenvalues[0]),
    centralDistance: lastValue(columnOf(rows, "distances/central-discrete")),
    stableDistance: lastValue(columnOf(rows, "distances/discrete-stable")),
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

/** The titles of the table's columns, and the cells of a run in the same order. */
export const GALLERY_COLUMNS: readonly {
  readonly title: string;
  readonly cell: (summary: GallerySummary) => string;
}[] = [
  { title: "Steps", cell: ({ steps }) => String(steps) },
  { title: "At the edge, last", cell: ({ edgeAtEnd }) => String(edgeAtEnd) },
  { title: "At the edge, most", cell: ({ edgeAtMost }) => String(edgeAtMost) },
  { title: "Sharpness", cell: ({ sharpness }) => precise(sharpness) },
  { title: "Central flow from optimizer", cell: ({ centralDistance }) => formatNumber(centralDistance) },
  { title: "Stable flow from optimizer", cell: ({ stableDistance }) => formatNumber(stableDistance) },
  { title: "Predicted loss", cell: ({ predictedLoss }) => formatNumber(predictedLoss) },
  { title: "Measured loss", cell: ({ measuredLoss }) => formatNumber(measuredLoss) },
  { title: "Seconds", cell: ({ seconds }) => seconds.toFixed(0) },
];

/** The table for a terminal. */
export function galleryText(
  runs: readonly { readonly name: string; readonly summary: GallerySummary }[],
): string {
  return aligned([
    ["preset", ...GALLERY_COLUMNS.map(({ title }) => title.toLowerCase())],
    ...runs.map(({ name, summary }) => [name, ...GALLERY_COLUMNS.map(({ cell }) => cell(summary))]),
  ]);
}
