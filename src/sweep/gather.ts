import { existsSync } from "node:fs";
import { join } from "node:path";
import { valueError } from "../base/index.ts";
import { type OutcomeFile, writeFileAtomic, writeStack } from "../record/index.ts";
import {
  type ComparedRun,
  edgeSummary,
  RowColumns,
  renderSweep,
  type SweepRun,
  sweepTable,
  type Table,
} from "../report/index.ts";
import { openRun } from "../run/index.ts";
import { toConfigJson } from "../settings/index.ts";
import { runFolder, SWEEP_NAMES } from "./folder.ts";
import { type PointStatus, sweepStatus } from "./status.ts";

/** Charts of more runs than this are left out of the page: it would take long to open, and nobody compares so many by eye. */
const MOST_CHARTED = 48;

/** What gather has made. */
export interface Gathered {
  readonly table: Table;
  /** Runs that have ended with rows, of so many points. */
  readonly runs: number;
  readonly total: number;
  readonly files: Readonly<Record<"table" | "data" | "page", string>>;
}

/** A point that has ended with rows, and what its rows say. */
interface GatheredRun {
  readonly status: PointStatus;
  readonly outcome: OutcomeFile;
  readonly edge: ReturnType<typeof edgeSummary>;
}

/**
 * Makes table.csv (every point), sweep.hdf5 (scalars of the runs that have ended, [runs, steps], with the axes as coordinates)
 * and index.html of a sweep, whether all its points have ended or not.
 *
 * @param options `environment`: a line on machine and engine; `version`: of this program
 * @throws InputValueError where no run has ended yet
 */
export async function gatherSweep(
  directory: string,
  { environment, version }: { readonly environment: string; readonly version: string },
): Promise<Gathered> {
  const { sweep, points } = await sweepStatus(directory);
  const ended = points.flatMap((status) => {
    const { outcome } = status;
    return outcome && outcome.rows > 0 ? [{ status, outcome }] : [];
  });
  if (ended.length === 0)
    throw valueError(
      "sweep gather",
      "runs that have ended",
      `none in ${directory}`,
      `central-flows sweep submit ${directory}`,
    );
  const gathered: GatheredRun[] = [];
  const charted: ComparedRun[] = [];
  async function* runs(): AsyncGenerator<RowColumns> {
    for (const { status, outcome } of ended) {
      const run = await openRun(runFolder(sweep, status.point), "sweep gather");
      const rows = RowColumns.of(run);
      gathered.push({ status, outcome, edge: edgeSummary(rows, outcome.criticalValue) });
      if (charted.length < MOST_CHARTED)
        charted.push({
          name: status.point.id,
          config: toConfigJson(run.config, { cmd: "", gitHash: null, version }),
          rows,
          criticalValue: outcome.criticalValue,
          ...(outcome.exitCode !== 0 && { mark: "ended early" }),
        });
      yield rows;
    }
  }
  const scalars = scalarsOf(ended.map(({ outcome }) => outcome));
  const files = {
    table: join(directory, SWEEP_NAMES.table),
    data: join(directory, SWEEP_NAMES.data),
    page: join(directory, SWEEP_NAMES.page),
  };
  await writeStack(files.data, {
    coordinates: coordinatesOf(sweep.axes, ended),
    scalars,
    steps: Math.max(...ended.map(({ outcome }) => outcome.rows)),
    runs: runs(),
  });
  const edges = new Map(gathered.map(({ status, edge }) => [status.point.index, edge]));
  writeFileAtomic(files.table, csvOf(sweep.axes, points, edges));
  const told = points
    .filter(({ outcome }) => outcome)
    .map((status): SweepRun => {
      const { point, outcome } = status;
      const report = join(SWEEP_NAMES.runs, point.id, "report.html");
      return {
        name: point.id,
        values: point.values,
        state: status.state,
        diverged: outcome?.exitCode === 1,
        rows: status.rows,
        summary: outcome?.summary ?? {},
        edge: edges.get(point.index)?.most,
        ...(existsSync(join(directory, report)) && { report: report.replaceAll("\\", "/") }),
      };
    });
  writeFileAtomic(
    files.page,
    renderSweep({ name: sweep.name, axes: sweep.axes, runs: told, charted, environment }),
  );
  return { table: sweepTable(sweep.axes, told), runs: ended.length, total: points.length, files };
}

/** The scalars that runs have: what outcome.json sums up, but for the eigenvalues, which are several. */
function scalarsOf(outcomes: readonly OutcomeFile[]): string[] {
  const paths = new Set(outcomes.flatMap(({ summary }) => Object.keys(summary)));
  return [...paths].filter((path) => !path.endsWith("_eigs") && path !== "step").sort();
}

/** An axis is numbers where all its values are. */
function coordinatesOf(
  axes: readonly string[],
  runs: readonly { readonly status: PointStatus; readonly outcome: OutcomeFile }[],
): Record<string, readonly number[] | readonly string[]> {
  const column = (axis: string): readonly number[] | readonly string[] => {
    const words = runs.map(({ status }) => status.point.values[axis] ?? "");
    const numbers = words.map((word) => (word === "" ? Number.NaN : Number(word)));
    return numbers.every((x, i) => !Number.isNaN(x) || words[i] === "") ? numbers : words;
  };
  return {
    ...Object.fromEntries(axes.map((axis) => [`axes/${axis}`, column(axis)])),
    "points/index": runs.map(({ status }) => status.point.index),
    "points/exit_code": runs.map(({ outcome }) => outcome.exitCode),
    "points/rows": runs.map(({ outcome }) => outcome.rows),
    "points/seconds": runs.map(({ outcome }) => outcome.seconds),
    "points/id": runs.map(({ status }) => status.point.id),
    "points/digest": runs.map(({ outcome }) => outcome.digest),
  };
}

const cell = (value: string | number | undefined): string => {
  const text = value === undefined ? "" : String(value);
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

/** A line per point: axes, how it ended, last values by path, and how it went at the edge. */
function csvOf(
  axes: readonly string[],
  points: readonly PointStatus[],
  edges: ReadonlyMap<number, ReturnType<typeof edgeSummary>>,
): string {
  const paths = [...new Set(points.flatMap(({ outcome }) => Object.keys(outcome?.summary ?? {})))].sort();
  const titles = [
    ...[
      "index",
      "id",
      ...axes,
      "state",
      "exit_code",
      "rows",
      "steps",
      "seconds",
      "backend",
      "host",
      "digest",
      "sentence",
    ],
    ...["edge_eigenvalues", "edge_rows", "edge_nearer", "edge_ratio"],
    ...paths,
  ];
  const lines = points.map(({ point, state, rows, outcome }) => {
    const edge = edges.get(point.index);
    return [
      ...[
        point.index,
        point.id,
        ...axes.map((axis) => point.values[axis]),
        state,
        outcome?.exitCode,
        rows,
        point.steps,
      ],
      ...[outcome?.seconds, outcome?.backend, outcome?.host, outcome?.digest, outcome?.sentence],
      ...[edge?.most, edge?.rows.length, edge?.nearer, edge?.ratio],
      ...paths.map((path) => outcome?.summary[path]),
    ];
  });
  return [titles, ...lines].map((values) => `${values.map(cell).join(",")}\n`).join("");
}
