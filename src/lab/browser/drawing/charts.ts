import {
  type AnyChart,
  type Axis,
  type Chart,
  type ChartSource,
  chart,
  chartSource,
  columnOf,
  columnsOf,
  edgeLabel,
  type Group,
  group,
  labelOf,
  lossChart,
  planeChart,
  processesIn,
  type Role,
  sharpnessChart,
} from "../../../report/index.ts";
import type { StepRow } from "../../../simulation/index.ts";
import type { View } from "../../link/link.ts";

/** A run whose curves are drawn beside those of the run that is computed. */
export interface DrawnRun {
  readonly label: string;
  readonly rows: readonly StepRow[];
  readonly criticalValue: number;
}

/** Charts and where their lines stand, as the script of the report draws them. */
export interface DrawnCharts {
  readonly axes: readonly (Axis & { readonly rows: number })[];
  readonly charts: readonly AnyChart[];
}

/** The charts of a run with its rows so far, and the kept runs over them. */
export function drawnCharts(run: DrawnRun, kept: readonly DrawnRun[], view: View): DrawnCharts {
  const source = chartSource(run.rows, run.criticalValue);
  const others = kept.filter(({ rows }) => rows.length > 0);
  // A warm start has the axis after the first; those of kept runs follow.
  const axes = [
    ...source.axes,
    ...others.map(({ rows }) => ({ steps: Float64Array.from(rows, ({ step }) => step) })),
  ];
  const first = source.axes.length;
  const raw = view.sharpness === "raw";
  const overlay = (
    path: string,
    pick: (columns: readonly Float64Array[]) => Float64Array | undefined,
  ): Group[] =>
    others.flatMap(({ label, rows }, i) => {
      const lines = ["discrete", "central"].flatMap((process) => {
        const values = pick(columnsOf(rows, `${process}/${path}`));
        return values ? [{ name: `${label}: ${process}/${path}`, values, axis: first + i }] : [];
      });
      return group(label, `run-${i % 8}` as Role, lines);
    });
  const top = (columns: readonly Float64Array[]): Float64Array | undefined => columns[0];
  const sharpness = raw ? rawSharpness(source) : sharpnessChart(source);
  const charts = [
    ...withGroups(sharpness, overlay(raw ? "hessian_eigs" : "effective_hessian_eigs", top), {
      title: raw ? "Sharpness" : "Effective sharpness",
    }),
    ...withGroups(lossChart(source), overlay("train_loss", top), { log: view.loss === "log" }),
    ...(view.path === "plane" ? planeChart(source) : bandChart(source)),
  ];
  return { axes: axes.map((axis) => ({ ...axis, rows: 1 })), charts: charts.map((each) => complete(each)) };
}

/** A chart with more groups, narrow and without words. */
const withGroups = (charts: readonly Chart[], more: readonly Group[], changes: Partial<Chart>): Chart[] =>
  charts.map((each) => ({ ...each, ...changes, wide: false, groups: [...each.groups, ...more] }));

/** Eigenvalues of the Hessian itself, against c/η, which moves when η does. */
function rawSharpness({ rows, criticalValue }: ChartSource): Chart[] {
  const groups = processesIn(rows).flatMap((process) => {
    const path = `${process}/hessian_eigs`;
    const lines = columnsOf(rows, path).map((values, i) => ({ name: `${path}[${i}]`, values }));
    return group(labelOf(process), process, lines, {
      shown: process !== "midpoint",
      strays: process === "stable" || process === "discrete",
    });
  });
  const rates = columnOf(rows, "discrete/opt.lr") ?? columnOf(rows, "central/opt.lr");
  const edges = plainStep(rows) ? rates?.map((rate) => criticalValue / rate) : undefined;
  const constant = edges?.every((value) => value === edges[0]);
  return chart({
    id: "sharpness",
    title: "Sharpness",
    caption: "The largest eigenvalues of the Hessian.",
    axis: "eigenvalue of H",
    groups: [
      ...groups,
      ...(edges && !constant
        ? group("Edge of stability", "edge", [{ name: "edge of stability, c/η", values: edges }])
        : []),
    ],
    ...(edges && constant && { level: { value: edges[0], label: edgeLabel(edges[0]) } }),
  });
}

/** Whether P is 1/η for all weights, so that the Hessian itself has an edge: the effective eigenvalues are η times its. */
function plainStep(rows: ChartSource["rows"]): boolean {
  const effective = columnsOf(rows, "discrete/effective_hessian_eigs")[0];
  const own = columnsOf(rows, "discrete/hessian_eigs")[0];
  const rates = columnOf(rows, "discrete/opt.lr");
  if (!effective || !own || !rates) return false;
  const last = effective.findLastIndex((value, row) => value > 0 && own[row] > 0);
  return Math.abs(effective[last] / (own[last] * rates[last]) - 1) < 1e-6;
}

/** The optimizer's displacement from the central flow along the sharpest direction, in the band that the flow predicts. */
function bandChart({ rows }: ChartSource): Chart[] {
  const moved = columnsOf(rows, "deltas")[0];
  const variance = columnsOf(rows, "central/predicted_variances")[0];
  if (!moved || !variance) return [];
  const width = variance.map((x) => Math.sqrt(Math.max(0, x)));
  return chart({
    id: "plane",
    title: "Across the valley",
    caption:
      "The optimizer, seen from the central flow, along the sharpest direction; and the width that the flow predicts.",
    axis: "displacement",
    groups: [
      ...group("Optimizer from central flow", "discrete", [{ name: "deltas[0]", values: moved }]),
      ...group("Predicted, ±√variance", "prediction", [
        { name: "+sqrt(central/predicted_variances[0])", values: width },
        { name: "-sqrt(central/predicted_variances[0])", values: width.map((x) => -x) },
      ]),
    ],
  });
}

/** What the script of the report takes for granted. */
function complete(each: AnyChart): AnyChart {
  if (each.kind === "plane") return { ...each, wide: false };
  return {
    ...each,
    log: each.log ?? false,
    wide: false,
    groups: each.groups.map((one) => ({
      ...one,
      strays: one.strays ?? false,
      lines: one.lines.map((line) => ({ ...line, axis: line.axis ?? 0 })),
    })),
  };
}
