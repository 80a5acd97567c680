import type { ProcessKind } from "../../flows/index.ts";
import type { StepRow } from "../../simulation/index.ts";
import { labelOf, processesIn } from "../processes.ts";
import { averagingWindow, columnOf, columnsOf, runningMean, squareOf, sumOf } from "../series.ts";
import { type Chart, chart, type Group, group, type Line, type Role } from "./chart.ts";

/** What the charts are made from. */
export interface ChartSource {
  readonly rows: readonly StepRow[];
  /** c, the edge of stability: 2 for gradient descent and the RMSProp rules. */
  readonly criticalValue: number;
}

/** A scalar quantity as a line; undefined if it was not logged. */
export function lineOf(rows: readonly StepRow[], path: string): Line | undefined {
  const values = columnOf(rows, path);
  return values && { name: path, values };
}

/** One group per process that logged `PROCESS/quantity`. Midpoints start hidden: they hug the central flow. */
export function processGroups(source: ChartSource, quantity: string): Group[] {
  return processesIn(source.rows).flatMap((process) =>
    group(labelOf(process), process, [lineOf(source.rows, `${process}/${quantity}`)], {
      shown: process !== "midpoint",
    }),
  );
}

/** The optimizer's running average of a quantity, to hold against a prediction of its time average. */
export function averageGroup(source: ChartSource, path: string, shown: boolean): Group[] {
  const values = columnOf(source.rows, path);
  const window = averagingWindow(source.rows.length);
  const name = `${path}, mean of ${window} steps`;
  return group("Optimizer, averaged", "average", [values && { name, values: runningMean(values, window) }], {
    shown,
  });
}

export function lossChart(source: ChartSource): Chart[] {
  const predicted = lineOf(source.rows, "central/predicted_loss");
  return chart({
    id: "loss",
    title: "Training loss",
    caption: `The optimizer bounces around; the central flow runs through the middle of its path and so lies
      below it. Adding the oscillation that the flow has averaged out gives the prediction, which should run
      through the optimizer’s own curve. Once the sharpness passes
      ${source.criticalValue}, the stable flow leaves.`,
    axis: "loss",
    log: true,
    groups: [
      ...processGroups(source, "train_loss"),
      ...group("Predicted average", "prediction", [predicted]),
      ...averageGroup(source, "discrete/train_loss", false),
    ],
    wide: true,
  });
}

export function sharpnessChart(source: ChartSource): Chart[] {
  const { rows, criticalValue } = source;
  const groups = processesIn(rows).flatMap((process) => {
    const path = `${process}/effective_hessian_eigs`;
    const lines = columnsOf(rows, path).map((values, i) => ({ name: `${path}[${i}]`, values }));
    return group(labelOf(process), process, lines, {
      shown: process !== "midpoint",
      strays: process === "stable" || process === "discrete",
    });
  });
  return chart({
    id: "sharpness",
    title: "Effective sharpness",
    caption: `The largest eigenvalues of the Hessian as the optimizer feels it, every tracked one. Training sharpens
      the landscape until the top eigenvalue meets the edge of stability at ${criticalValue}; from there the
      optimizer oscillates, which holds it back. The central flow stays exactly at the edge, one eigenvalue after
      another; the stable flow does not know of the edge and climbs past it. Curves that leave
      the frame are the ones that ran away: hide the others or use the log axis to follow them.`,
    axis: "eigenvalue",
    groups,
    level: { value: criticalValue, label: `edge of stability: ${criticalValue}` },
    wide: true,
  });
}

/** Whose distance from whom, in the order of interest, with the stroke that tells them apart and whether it shows. */
const DISTANCES: readonly (readonly [ProcessKind, ProcessKind, Role, boolean])[] = [
  ["central", "discrete", "central", true],
  ["stable", "discrete", "stable", true],
  ["midpoint", "central", "midpoint", true],
  ["stable", "midpoint", "average", false],
  ["stable", "central", "prediction", false],
  ["midpoint", "discrete", "discrete", false],
  ["stationary", "discrete", "stationary", true],
  ["ablated", "discrete", "ablated", true],
];

export function distancesChart(source: ChartSource): Chart[] {
  const groups = DISTANCES.flatMap(([a, b, role, shown]) => {
    const label = `${labelOf(a)} to ${labelOf(b).toLowerCase()}`;
    const line = lineOf(source.rows, `distances/${[a, b].sort().join("-")}`);
    return group(label, role, [line], { shown });
  });
  return chart({
    id: "distances",
    title: "Distance between the paths",
    caption: `Euclidean distance between the weights. The central flow should stay near the optimizer, and nearer
      still to its midpoints, where the back-and-forth cancels; the distance of the stable flow
      shows how far the oscillation has steered the optimizer away.`,
    axis: "distance",
    groups,
  });
}

export function variancesChart(source: ChartSource): Chart[] {
  const { rows } = source;
  const predicted = columnsOf(rows, "central/predicted_variances");
  const path = columnsOf(rows, "midpoint_deltas").length > 0 ? "midpoint_deltas" : "deltas";
  const window = averagingWindow(rows.length);
  const squares = columnsOf(rows, path).map(squareOf);
  const measured = squares.map((column) => runningMean(column, window));
  const each = (what: string, columns: readonly Float64Array[]) =>
    columns.map((values, i) => ({ name: `${what}[${i}]`, values }));
  const sum = (name: string, columns: readonly Float64Array[]) =>
    columns.length > 0 ? [{ name, values: sumOf(columns) }] : [];
  const squareName = `${path}^2, mean of ${window} steps`;
  const from = path === "deltas" ? "the central flow" : "the midpoints of its own path";
  return chart({
    id: "variances",
    title: "Strength of the oscillation",
    caption: `The central flow predicts how hard the optimizer oscillates along the directions at the edge.
      Measured: squared deviation of the optimizer from ${from} (${path}) along these same directions, averaged over
      the ${window} steps around each, the nearer counting more. Real oscillations swell and die down, so agreement is on average, not step by
      step. Variances are in units of the preconditioner, so that directions can be added up.`,
    axis: "variance",
    groups: [
      ...group(
        "Predicted, all directions",
        "prediction",
        sum("sum of central/predicted_variances", predicted),
      ),
      ...group("Measured, all directions", "average", sum(`sum of ${squareName}`, measured)),
      ...group("Predicted, each", "prediction", each("central/predicted_variances", predicted), {
        shown: false,
      }),
      ...group("Measured, each", "average", each(squareName, measured), { shown: false }),
      ...group("Measured, every step", "discrete", each(`${path}^2`, squares), {
        shown: false,
        strays: true,
      }),
    ],
  });
}
