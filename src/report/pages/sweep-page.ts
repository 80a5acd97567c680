import { PROCESS_KINDS } from "../../flows/index.ts";
import { scatterHtml } from "../charts/scatter.ts";
import { formatNumber } from "../format.ts";
import { labelOf } from "../processes.ts";
import { type ComparedRun, sectionsOfRuns } from "./compare.ts";
import { renderRuns } from "./runs-page.ts";
import type { Table } from "./table.ts";

/** A run of a sweep, as its table tells of it. */
export interface SweepRun {
  readonly name: string;
  /** Its value of each axis. */
  readonly values: Readonly<Record<string, string>>;
  /** One word, such as `done` or `failed`. */
  readonly state: string;
  /** It ended before its last step. */
  readonly diverged: boolean;
  /** Rows that are logged. */
  readonly rows: number;
  /** The last value of scalar quantities by path, and of the largest of `…_eigs`. */
  readonly summary: Readonly<Record<string, number>>;
  /** The most eigenvalues that were at the edge at once. */
  readonly edge: number | undefined;
  /** The address of its report, relative to the page. */
  readonly report?: string;
}

/** What the page of a sweep shows. */
export interface SweepPage {
  readonly name: string;
  readonly axes: readonly string[];
  readonly runs: readonly SweepRun[];
  /** Those of which there are small charts. */
  readonly charted: readonly ComparedRun[];
  readonly environment: string;
}

/** Quantities of a run, with a place for the process's name. */
const METRICS = [
  ["train_loss", "Loss"],
  ["effective_hessian_eigs", "Sharpness"],
] as const;

const DISTANCE = "distances/central-discrete";

/**
 * Renders a sweep as one HTML page: a table of its runs, final loss, sharpness and distance against every axis of numbers
 * with runs that ended early as crosses, and small multiples.
 */
export function renderSweep({ name, axes, runs, charted, environment }: SweepPage): string {
  const ended = runs.filter(({ diverged }) => diverged).length;
  return renderRuns({
    name,
    kicker: "Central flow sweep",
    heading: `${name}: ${runs.length} ${runs.length === 1 ? "run" : "runs"}`,
    environment,
    lede: `Axes: ${axes.join(", ")}.${ended > 0 ? ` ${ended} of the runs ended early.` : ""}${
      charted.length < runs.length && charted.length > 0
        ? ` The charts below show ${charted.length} runs.`
        : ""
    }`,
    table: sweepTable(axes, runs),
    note: "Values are those of the last step that has one. Sharpness is the largest effective eigenvalue; distance that of the central flow from the optimizer; at the edge the most eigenvalues that were there at once.",
    figures: figures(axes, runs),
    sections: charted.length > 0 ? sectionsOfRuns(charted) : [],
  });
}

/** The table of a sweep, for its page and a terminal: a line per run. */
export function sweepTable(axes: readonly string[], runs: readonly SweepRun[]): Table {
  const processes = PROCESS_KINDS.filter((kind) =>
    runs.some(({ summary }) => `${kind}/train_loss` in summary),
  );
  return {
    label: "Table of the runs of the sweep",
    first: "Run",
    columns: [
      ...axes.map((title) => ({ title })),
      { title: "State", words: true },
      { title: "Steps" },
      ...processes.flatMap((kind) =>
        METRICS.map(([, title]) => ({ title: `${title}, ${labelOf(kind).toLowerCase()}` })),
      ),
      { title: "Predicted loss" },
      { title: "Distance" },
      { title: "At the edge" },
    ],
    rows: runs.map(({ name, values, state, rows, summary, edge, report }) => ({
      name,
      ...(report !== undefined && { href: report }),
      cells: [
        ...axes.map((axis) => values[axis] ?? "–"),
        state,
        String(rows),
        ...processes.flatMap((kind) => METRICS.map(([path]) => formatNumber(summary[`${kind}/${path}`]))),
        formatNumber(summary["central/predicted_loss"]),
        formatNumber(summary[DISTANCE]),
        edge === undefined ? "–" : String(edge),
      ],
    })),
  };
}

function figures(axes: readonly string[], runs: readonly SweepRun[]): string {
  const labels = PROCESS_KINDS.map((kind) => [kind, labelOf(kind)] as const);
  const drawn = axes.flatMap((axis) => {
    const values = new Set(runs.map((run) => run.values[axis]));
    if (values.size < 2 || [...values].some((value) => !Number.isFinite(Number(value)))) return [];
    const of = (path: string, role: string) =>
      runs.map((run) => ({
        x: Number(run.values[axis]),
        y: run.summary[path] ?? Number.NaN,
        role,
        name: run.name,
        diverged: run.diverged,
      }));
    const shown = PROCESS_KINDS.filter((kind) => runs.some(({ summary }) => `${kind}/train_loss` in summary));
    return [
      ...METRICS.map(([path, title]) =>
        scatterHtml({
          title: `${title} against ${axis}`,
          horizontal: axis,
          points: shown.flatMap((kind) => of(`${kind}/${path}`, kind)),
          labels,
        }),
      ),
      scatterHtml({
        title: `Central flow to optimizer against ${axis}`,
        horizontal: axis,
        points: of(DISTANCE, "central"),
        labels: [["central", "Distance"]],
      }),
    ];
  });
  return drawn.join("\n");
}
