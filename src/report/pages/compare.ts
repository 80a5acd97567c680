import { valueError } from "../../base/index.ts";
import type { ProcessKind } from "../../flows/index.ts";
import {
  type AnyChart,
  type Chart,
  chart,
  type Group,
  group,
  type Role,
  RUN_COLORS,
} from "../charts/chart.ts";
import {
  type Axis,
  chartSource,
  distancesChart,
  edgeLabel,
  lossChart,
  sharpnessChart,
} from "../charts/dynamics-charts.ts";
import { thinned } from "../charts/page-data.ts";
import { compareValues, type Difference, differencesOf } from "../differences.ts";
import { edgeSummary } from "../edge.ts";
import { formatNumber } from "../format.ts";
import { labelOf, processesIn } from "../processes.ts";
import { averagingWindow, columnOf, columnsOf, type Rows, runningMean, stepsOf } from "../series.ts";
import { type Panel, renderRuns, type Section } from "./runs-page.ts";
import type { Table } from "./table.ts";

/** A run among others. */
export interface ComparedRun {
  /** What the table calls it, such as its folder. */
  readonly name: string;
  /** The configuration in the structure of config.json. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly rows: Rows;
  /** c, the edge of stability. */
  readonly criticalValue: number;
  /** The address of its report, relative to the page. */
  readonly report?: string;
  /** A word on it that its charts show, such as `ended early`. */
  readonly mark?: string;
}

/** What runs are held against each other at: the last step that all have, or the last time η·t. */
export type CompareBy = "step" | "time";

/** Runs beside one another. */
export interface Comparison {
  /** One line per run and process. */
  readonly table: Table;
  /** One HTML page: the table, the runs in one picture, and small multiples. */
  readonly page: string;
}

/** A run made ready: its axis, and what sets it apart. */
interface Prepared extends ComparedRun {
  readonly axis: Required<Axis>;
  /** The row at which it is compared. */
  readonly at: number;
  /** Its settings where the runs differ. */
  readonly values: readonly string[];
  readonly label: string;
}

/** A label names at most so many settings; with more, a run is called by its name. */
const MOST_IN_LABEL = 3;

/**
 * Compares runs: each process' loss, sharpness, accuracy and distance from the optimizer at one step or time, what the
 * flows predict, and how the runs went at the edge.
 *
 * @param environment one line on machine and engine
 * @throws InputValueError for fewer than one run, or a run without rows
 */
export function compareRuns(
  runs: readonly ComparedRun[],
  { by = "step", environment }: { readonly by?: CompareBy; readonly environment: string },
): Comparison {
  const empty = runs.find(({ rows }) => rows.length === 0);
  if (runs.length === 0 || empty)
    throw valueError("compare", "runs with steps", empty ? `none logged in ${empty.name}` : "no run");
  const differences = differencesOf(runs.map(({ config }) => config));
  const { prepared, end } = prepare(runs, differences, by);
  const order = [...prepared].sort(byValues);
  const measured = by === "step" ? `step ${end}` : `time η·t = ${formatNumber(end)}`;
  const where = end === undefined ? "the end of each" : measured;
  const table = tableOf(order, differences, where);
  const page = renderRuns({
    name: "Comparison",
    kicker: "Central flow comparison",
    heading: `${runs.length} ${runs.length === 1 ? "run" : "runs"} beside one another`,
    environment,
    lede: describe(order, differences, where),
    table,
    note: `Loss, sharpness (largest effective eigenvalue), accuracy and distance from the optimizer at ${where}. Mean loss: of the
optimizer the average of the steps around it, of the central flow its prediction of that. Of the steps at the edge of
stability, farther: the share in which the central flow is farther from the optimizer than the stable flow is; ratio: the
median of the two flows’ distances from the midpoints of its path, or from itself.`,
    sections: [...overlay(order), ...multiples(order, differences, end !== undefined)],
  });
  return { table, page };
}

/** The charts of runs that have rows: all in one picture where they are few, and side by side. */
export function sectionsOfRuns(runs: readonly ComparedRun[]): readonly Section[] {
  const differences = differencesOf(runs.map(({ config }) => config));
  const { prepared, end } = prepare(runs, differences, "step");
  const order = [...prepared].sort(byValues);
  return [...overlay(order), ...multiples(order, differences, end !== undefined)];
}

/** Sums of the learning rates before each row; those of a warm start are taken to be that of row 0. */
function timesOf({ rows, config }: ComparedRun, steps: Float64Array): Float64Array {
  const logged = processesIn(rows)
    .map((process) => columnOf(rows, `${process}/opt.lr`))
    .find((column) => column !== undefined);
  const opt = config.opt as Readonly<Record<string, unknown>> | undefined;
  const rate = (r: number): number => {
    const found = logged?.[r];
    return found === undefined || Number.isNaN(found) ? Number(opt?.lr) : found;
  };
  let time = steps[0] * rate(0);
  return steps.map((_, r) => {
    const now = time;
    time += rate(r);
    return now;
  });
}

function prepare(
  runs: readonly ComparedRun[],
  differences: readonly Difference[],
  by: CompareBy,
): { prepared: Prepared[]; end: number | undefined } {
  const axes = runs.map((run) => {
    const steps = stepsOf(run.rows);
    return { steps, times: timesOf(run, steps) };
  });
  const measure = by === "step" ? "steps" : "times";
  const last = Math.min(...axes.map((axis) => axis[measure][axis.steps.length - 1]));
  // Runs of different stretches have no step in common: each is taken at its own end.
  const end = axes.every((axis) => axis[measure][0] <= last) ? last : undefined;
  const told = differences.length <= MOST_IN_LABEL;
  const prepared = runs.map((run, i): Prepared => {
    const values = differences.map((difference) => difference.values[i]);
    const label = values.map((value, d) => `${differences[d].name} ${value}`).join(", ");
    return {
      ...run,
      axis: axes[i],
      // A little room, since times are sums of roundings.
      at:
        end === undefined
          ? run.rows.length - 1
          : axes[i][measure].findLastIndex((place) => place <= end + 1e-9 * Math.abs(end)),
      values,
      label: `${told && label !== "" ? label : run.name}${run.mark === undefined ? "" : ` (${run.mark})`}`,
    };
  });
  return { prepared, end };
}

const byValues = (a: Prepared, b: Prepared): number =>
  a.values.map((value, d) => compareValues(value, b.values[d])).find((order) => order !== 0) ?? 0;

function describe(runs: readonly Prepared[], differences: readonly Difference[], where: string): string {
  if (runs.length === 1) return `One run, at ${where}.`;
  const names = differences.map(({ name }) => name);
  const differing =
    names.length === 0
      ? "All settings are the same"
      : `They differ in ${names.length <= 6 ? list(names) : `${names.length} settings`}`;
  const shared = where.startsWith("the end") ? "" : ", the last that all have";
  return `${differing}; they are compared at ${where}${shared}.`;
}

const list = (words: readonly string[]): string =>
  words.length < 2 ? words.join() : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;

/** A setting has a column if there are few of them. */
const MOST_COLUMNS = 4;

function tableOf(runs: readonly Prepared[], differences: readonly Difference[], where: string): Table {
  const settings = differences.length <= MOST_COLUMNS ? differences : [];
  return {
    label: `Table of runs and processes at ${where}`,
    first: "Run",
    columns: [
      ...settings.map(({ name }) => ({ title: name })),
      { title: "Process", words: true },
      ...[
        "Loss",
        "Mean loss",
        "Sharpness",
        "Accuracy",
        "From optimizer",
        "At the edge",
        "Farther",
        "Ratio",
      ].map((title) => ({ title })),
    ],
    rows: runs.flatMap((run) =>
      processesIn(run.rows).map((process) => ({
        name: run.name,
        ...(run.report !== undefined && { href: run.report }),
        cells: [...run.values.slice(0, settings.length), labelOf(process), ...numbersOf(run, process)],
      })),
    ),
  };
}

/** What the table says of a process of a run. */
function numbersOf({ rows, at, criticalValue }: Prepared, process: ProcessKind): string[] {
  const valueAt = (column: Float64Array | undefined): number | undefined => column?.[at];
  const pair = [process, "discrete"].sort().join("-");
  const mean =
    process === "discrete"
      ? valueAt(smoothed(columnOf(rows, "discrete/train_loss"), rows.length))
      : valueAt(columnOf(rows, `${process}/predicted_loss`));
  const edge = process === "central" ? edgeSummary(rows, criticalValue, at + 1) : undefined;
  return [
    ...[
      valueAt(columnOf(rows, `${process}/train_loss`)),
      mean,
      valueAt(columnsOf(rows, `${process}/effective_hessian_eigs`)[0]),
      valueAt(columnOf(rows, `${process}/train_acc`)),
      process === "discrete" ? undefined : valueAt(columnOf(rows, `distances/${pair}`)),
    ].map(formatNumber),
    edge ? `${edge.rows.length} of ${at + 1}` : "–",
    edge?.nearer === undefined ? "–" : `${Number((100 * (1 - edge.nearer)).toFixed(1))} %`,
    formatNumber(edge?.ratio),
  ];
}

/** A running average that goes to the end, where the last steps alone are averaged. */
function smoothed(column: Float64Array | undefined, rows: number): Float64Array | undefined {
  if (!column) return undefined;
  const window = averagingWindow(rows);
  const inside = runningMean(column, window);
  return inside.map((value, r) => {
    if (!Number.isNaN(value)) return value;
    const near = column
      .subarray(Math.max(0, r - (window >> 1)), r + (window >> 1) + 1)
      .filter((x) => !Number.isNaN(x));
    return near.reduce((sum, x) => sum + x, 0) / near.length;
  });
}

/** The quantities of the flow, or else of the optimizer, of all runs in one chart each; none for too many runs. */
function overlay(runs: readonly Prepared[]): Section[] {
  if (runs.length < 2 || runs.length > RUN_COLORS) return [];
  const process = runs.some(({ rows }) => processesIn(rows).includes("central")) ? "central" : "discrete";
  const lines = (pick: (run: Prepared) => Float64Array | undefined, name: string): Group[] =>
    runs.flatMap((run, i) => {
      const values = pick(run);
      const role: Role = `run-${i}`;
      return group(run.label, role, [values && { name: `${run.name}: ${name}`, values, axis: i }]);
    });
  const sharpness = `${process}/effective_hessian_eigs`;
  const critical = runs[0].criticalValue;
  const common = runs.every(({ criticalValue }) => criticalValue === critical);
  const whose = labelOf(process).toLowerCase();
  const charts = [
    ...chart({
      id: "loss",
      title: `Loss of the ${whose}s`,
      caption: "",
      axis: "loss",
      log: true,
      groups: lines(({ rows }) => columnOf(rows, `${process}/train_loss`), `${process}/train_loss`),
    }),
    ...chart({
      id: "sharpness",
      title: `Effective sharpness of the ${whose}s`,
      caption: "",
      axis: "largest eigenvalue",
      ...(common && { level: { value: critical, label: edgeLabel(critical) } }),
      groups: lines(({ rows }) => columnsOf(rows, sharpness)[0], `${sharpness}[0]`),
    }),
    ...chart({
      id: "distance",
      title: "Central flow to optimizer",
      caption: "",
      axis: "distance",
      log: true,
      groups: lines(({ rows }) => columnOf(rows, "distances/central-discrete"), "distances/central-discrete"),
    }),
  ];
  return [
    {
      panels: [
        { id: "together", title: "All runs in one picture", axes: runs.map(({ axis }) => axis), charts },
      ],
    },
  ];
}

/** What every run has a small chart of. */
const MULTIPLES = [
  ["loss", "Training loss", lossChart],
  ["sharpness", "Effective sharpness", sharpnessChart],
  ["distances", "Distance between the paths", distancesChart],
] as const;

/** For each quantity a small chart per run, all with the same axes where they have steps in common and one edge. */
function multiples(
  runs: readonly Prepared[],
  differences: readonly Difference[],
  together: boolean,
): Section[] {
  const oneEdge = new Set(runs.map(({ criticalValue }) => criticalValue)).size === 1;
  const columns = gridColumns(runs, differences);
  const panels = MULTIPLES.flatMap(([id, title, draw]): Panel[] => {
    const charts = runs.flatMap((run, i) =>
      draw(chartSource(run.rows, run.criticalValue)).map((found) =>
        placed(
          thinned([run.axis], found),
          run,
          i,
          together && (oneEdge || id !== "sharpness") ? id : undefined,
        ),
      ),
    );
    if (charts.length === 0) return [];
    return [{ id: `each-${id}`, title, axes: runs.map(({ axis }) => axis), charts, small: columns }];
  });
  return [{ panels }];
}

/** A run's chart among those of other runs. */
function placed(found: Chart, run: Prepared, i: number, family: string | undefined): AnyChart {
  const groups = found.groups
    .filter(({ role }) => role !== "warm")
    .map(
      (each): Group => ({
        ...each,
        lines: each.lines.map(({ name, values }) => ({ name, values, axis: i })),
      }),
    );
  return { ...found, id: `run-${i}`, title: run.label, groups, ...(family !== undefined && { family }) };
}

/** As many columns as the second of two settings has values, where the runs are a grid; else as many as fit. */
function gridColumns(runs: readonly Prepared[], differences: readonly Difference[]): number | "fit" {
  if (differences.length !== 2) return "fit";
  const [rows, columns] = differences.map((_, d) => new Set(runs.map(({ values }) => values[d])).size);
  return rows * columns === runs.length ? columns : "fit";
}
