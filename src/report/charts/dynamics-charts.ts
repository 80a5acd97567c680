import type { ProcessKind } from "../../flows/index.ts";
import { type EdgeSummary, edgeSummary } from "../edge.ts";
import { plainNumber } from "../format.ts";
import { labelOf, processesIn } from "../processes.ts";
import {
  averagingWindow,
  columnOf,
  columnsOf,
  type Rows,
  runningMean,
  squareOf,
  stepsOf,
  sumOf,
} from "../series.ts";
import { type Chart, chart, type Group, group, type Line, type Role, type Term } from "./chart.ts";

/** Where the values of lines stand: one entry per row. */
export interface Axis {
  /** Optimizer steps. */
  readonly steps: Float64Array;
  /** Time η·t: the learning rates of the steps so far, added up. */
  readonly times?: Float64Array;
}

/** What the charts of a run are made from. */
export interface ChartSource {
  readonly rows: Rows;
  /** c, the edge of stability: 2 for gradient descent and the RMSProp rules. */
  readonly criticalValue: number;
  readonly edge: EdgeSummary | undefined;
  /** That of the rows, and where a warm start was logged that of its points, which ends in row 0. */
  readonly axes: readonly Axis[];
}

/** A run's rows made ready for charts. */
export function chartSource(rows: Rows, criticalValue: number): ChartSource {
  const warm = warmSteps(rows);
  const steps = stepsOf(rows);
  return {
    rows,
    criticalValue,
    edge: edgeSummary(rows, criticalValue),
    axes: [{ steps }, ...(warm.length > 0 ? [{ steps: Float64Array.from([...warm, steps[0]]) }] : [])],
  };
}

/** The steps of the warm start's points. */
const warmSteps = (rows: Rows): Float64Array =>
  columnOf(rows, "warm_start/step")?.filter((step) => !Number.isNaN(step)) ?? new Float64Array(0);

/** What the warm start logged of a quantity, up to what the optimizer has in row 0. */
function warmGroup({ rows, axes }: ChartSource, path: string, first: number | undefined): Group[] {
  const values = columnOf(rows, path)?.subarray(0, (axes[1]?.steps.length ?? 1) - 1);
  if (!values || axes.length < 2) return [];
  return group("Warm start", "warm", [
    { name: path, values: Float64Array.from([...values, first ?? Number.NaN]), axis: 1 },
  ]);
}

/** Words that several captions use. */
export const TERMS = {
  optimizer: ["Optimizer", "the discrete iterates w₀, w₁, …, step by step"],
  central: [
    "Central flow",
    "a smooth curve: the differential equation that the optimizer’s time average follows, the effect of its oscillation included",
  ],
  stable: [
    "Stable flow",
    "the optimizer’s differential equation without the oscillation, as if its steps were infinitely small",
  ],
  midpoints: ["Midpoints", "¼(w₋₁ + 2w + w₊₁), in which a back-and-forth between two sides cancels"],
  predicted: [
    "Predicted average",
    "the central flow’s loss plus what its oscillation adds: what the optimizer’s loss should be on average",
  ],
  sharpness: [
    "Effective sharpness",
    "the largest eigenvalue of P⁻¹H: the Hessian H of the loss, divided by the optimizer’s preconditioner P (for gradient descent P = 1/η, so it is η times the sharpness)",
  ],
  edge: [
    "Edge of stability",
    "the value above which a step overshoots: along that eigenvector the optimizer then bounces from side to side with growing size",
  ],
  delay: [
    "Entry–exit delay",
    "below the edge the oscillation dies down to almost nothing; above it, it must first regain what it has lost, and for so long the optimizer goes on along the stable flow. Rounding keeps it from dying altogether (--discrete.precision float32)",
  ],
  warm: ["Warm start", "the optimizer’s steps before the flows set out beside it"],
} satisfies Record<string, Term>;

/** Those of the processes that a run has, and of its warm start. */
function processTerms({ rows, axes }: ChartSource): Term[] {
  const present = processesIn(rows);
  return [
    ...(present.includes("discrete") ? [TERMS.optimizer] : []),
    ...(present.includes("central") ? [TERMS.central] : []),
    ...(present.includes("stable") ? [TERMS.stable] : []),
    ...(present.includes("midpoint") ? [TERMS.midpoints] : []),
    ...(axes.length > 1 ? [TERMS.warm] : []),
  ];
}

/** A delay of so many steps is worth a sentence. */
const DELAY_WORTH_TELLING = 5;

/** A sentence on the entry–exit delay, where a run shows it. */
export function delaySentence({ edge, axes: [{ steps }] }: ChartSource): string {
  if (!edge?.delay || edge.delay[1] - edge.delay[0] < DELAY_WORTH_TELLING) return "";
  const [from, to] = edge.delay;
  return ` From step ${steps[from]} to ${steps[to]} the optimizer still follows the stable flow, though the central flow is at the edge: an entry–exit delay.`;
}

const delayTerm = (source: ChartSource): Term[] => (delaySentence(source) === "" ? [] : [TERMS.delay]);

/** A scalar quantity as a line; undefined if it was not logged. */
export function lineOf(rows: Rows, path: string): Line | undefined {
  const values = columnOf(rows, path);
  return values && { name: path, values };
}

/**
 * One group per process that logged `PROCESS/quantity`. Midpoints start hidden: they hug the central flow.
 *
 * @param strays the processes that the vertical axis does not follow
 */
export function processGroups(
  { rows }: ChartSource,
  quantity: string,
  { strays = [] }: { readonly strays?: readonly ProcessKind[] } = {},
): Group[] {
  return processesIn(rows).flatMap((process) =>
    group(labelOf(process), process, [lineOf(rows, `${process}/${quantity}`)], {
      shown: process !== "midpoint",
      ...(strays.includes(process) && { strays: true }),
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

/** c for reading: five digits of 13.571428…, and 38 without the roundings that it came with. */
const edgeText = (criticalValue: number): string => plainNumber(Number(criticalValue.toPrecision(5)));

/** The words on the edge of stability, c = 2 but for momentum. */
export const edgeLabel = (criticalValue: number): string => `edge of stability: ${edgeText(criticalValue)}`;

/** The training loss of every process, with what the central flow predicts of its average; empty where nothing was logged. */
export function lossChart(source: ChartSource): Chart[] {
  const predicted = lineOf(source.rows, "central/predicted_loss");
  return chart({
    id: "loss",
    title: "Training loss",
    caption: `The optimizer bounces around; the central flow runs through the middle of its path and so lies
      below it. Adding the oscillation that the flow has averaged out gives the prediction, which should run
      through the optimizer’s own curve.${delaySentence(source)}`,
    terms: [...processTerms(source), ...(predicted ? [TERMS.predicted] : []), ...delayTerm(source)],
    axis: "loss",
    log: true,
    groups: [
      ...warmGroup(source, "warm_start/train_loss", columnOf(source.rows, "discrete/train_loss")?.[0]),
      ...processGroups(source, "train_loss", { strays: ["stable"] }),
      ...group("Predicted average", "prediction", [predicted]),
      ...averageGroup(source, "discrete/train_loss", false),
    ],
    wide: true,
  });
}

/** The tracked eigenvalues of the effective Hessian against the edge. */
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
  const first = columnsOf(rows, "discrete/effective_hessian_eigs")[0]?.[0];
  return chart({
    id: "sharpness",
    title: "Effective sharpness",
    caption: `The largest eigenvalues of the Hessian as the optimizer feels it, every tracked one. Training sharpens
      the landscape until the top eigenvalue meets the edge of stability at ${edgeText(criticalValue)}; from there
      the optimizer oscillates, which holds it back. The central flow stays exactly at the edge, one eigenvalue after
      another; the stable flow does not know of the edge and climbs past it.${delaySentence(source)} Curves that leave
      the frame are the ones that ran away: hide the others or use the log axis to follow them.`,
    terms: [TERMS.sharpness, TERMS.edge, ...delayTerm(source)],
    axis: "eigenvalue",
    groups: [...warmGroup(source, "warm_start/sharpness", first), ...groups],
    level: { value: criticalValue, label: edgeLabel(criticalValue) },
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
  ["noisy-central", "discrete", "noisy-central", true],
  ["noisy-central", "midpoint", "noisy-central", false],
  ["two-step", "midpoint", "two-step", true],
  ["closure", "midpoint", "closure", true],
  ["rod", "midpoint", "rod", true],
  ["rod-each", "midpoint", "rod-each", true],
  ["edge-flow", "midpoint", "edge-flow", true],
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
      shows how far the oscillation has steered the optimizer away.${delaySentence(source)}`,
    terms: delayTerm(source),
    axis: "distance",
    log: true,
    groups,
  });
}

/** The variances that the central flow predicts against the averaged squares of deltas. */
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
      step.`,
    terms: [
      [
        "Variance",
        "the mean square of the oscillation along a direction, in the preconditioner’s own measure of length, in which directions can be added up",
      ],
    ],
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
