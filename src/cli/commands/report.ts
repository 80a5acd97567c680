import { existsSync, readFileSync, statSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { type Diagnostics, diagnosticsAt } from "../../analysis/index.ts";
import { flag } from "../../base/index.ts";
import { changesOf } from "../../custom/index.ts";
import { NAMES, writeFileAtomic } from "../../record/index.ts";
import { RowColumns, renderReport, type Summary, summaryTable, summaryText } from "../../report/index.ts";
import {
  configAtCheckpoints,
  latestCheckpoint,
  nodeHost,
  openRun,
  processIn,
  type RunOnDisk,
  type RunOutcome,
} from "../../run/index.ts";
import { toConfigJson } from "../../settings/index.ts";
import { type BuiltRun, buildRun, criticalValueOf } from "../../simulation/index.ts";
import { version } from "../terminal/version.ts";
import { command, oneFolder } from "./command.ts";

/** A line on what computed a run; without a backend, on what draws it. */
export function environmentLine(computed?: { readonly backend: string; readonly seconds: number }): string {
  const processor = cpus()[0]?.model.trim() ?? "unknown processor";
  const by = computed ? `, ${computed.backend} backend` : "";
  const duration = computed ? `, ${computed.seconds.toFixed(1)} s` : "";
  return `central-flows ${version()}${by}, Node ${process.versions.node}, ${processor} (${cpus().length} cores)${duration}`;
}

/** The page and its summary, of a run on disk. @param live the run still goes, and the page loads itself again */
function drawn(
  directory: string,
  run: RunOnDisk,
  criticalValue: number,
  status: string,
  environment: string,
  live = false,
): { readonly page: string; readonly summary: Summary } {
  const { config } = run;
  const rows = RowColumns.of(run);
  const summary = summaryTable(rows, criticalValue);
  const json = toConfigJson(config, { cmd: "", gitHash: null, version: version() });
  const diagnostics = diagnosticsIn(directory);
  const told = {
    title: config.expid,
    summary,
    config: json,
    rows,
    criticalValue,
    status,
    environment,
    ...(diagnostics && { diagnostics }),
  };
  const page = renderReport(told, { live });
  return { page, summary };
}

/** What diagnostics.json of a run says; undefined where there is none that can be read. */
function diagnosticsIn(directory: string): Diagnostics | undefined {
  try {
    return JSON.parse(readFileSync(join(directory, NAMES.diagnostics), "utf8")) as Diagnostics;
  } catch {
    return undefined;
  }
}

/** Writes diagnostics.json of a run that has ended, from its last checkpoint: one gradient more. */
function writeDiagnostics({ directory, ending }: RunOutcome, built: BuiltRun): void {
  if (ending === "interrupted") return;
  const last = latestCheckpoint(directory);
  if (!last?.arrays.has("discrete.w")) return;
  const whole =
    built.coordinates && buildRun(configAtCheckpoints(directory, "report"), nodeHost({ copies: directory }));
  try {
    const { objective, rule } = whole ?? built;
    const place = processIn(last, "discrete", objective.dimension, "report");
    const found = diagnosticsAt(objective, rule, last.index, place);
    if (found) writeFileAtomic(join(directory, NAMES.diagnostics), `${JSON.stringify(found)}\n`);
  } finally {
    whole?.dispose();
  }
}

/** Writes what a run that has just been computed leaves for readers, report.html above all; returns the summary it shows. */
export async function writeReport(outcome: RunOutcome, built: BuiltRun): Promise<Summary> {
  const { directory, criticalValue, status, ...computed } = outcome;
  writeDiagnostics(outcome, built);
  const run = await openRun(directory, "report");
  const { page, summary } = drawn(directory, run, criticalValue, status, environmentLine(computed));
  writeFileAtomic(join(directory, "report.html"), page);
  return summary;
}

/** The summary of a run on disk. */
export async function summaryOf({
  directory,
  criticalValue,
}: Pick<RunOutcome, "directory" | "criticalValue">): Promise<Summary> {
  return summaryTable(RowColumns.of(await openRun(directory, "report")), criticalValue);
}

/**
 * Makes the report of a run, finished or not, from its rows on disk. A custom rule is not run for it; `notice` says
 * where its file has changed since.
 *
 * @param live the run still goes: the page loads itself again until it is finished
 */
export async function reportOf(
  directory: string,
  live = false,
): Promise<{
  readonly finished: boolean;
  readonly path: string;
  readonly summary: Summary;
  readonly notice: string | undefined;
}> {
  const run = await openRun(directory, "report");
  const { config, rowCount, outcome } = run;
  const finished = outcome !== undefined || rowCount >= config.steps;
  const status =
    outcome?.sentence ??
    (rowCount >= config.steps ? `finished ${config.steps} steps` : `${rowCount} of ${config.steps} steps`);
  const notice = changesOf(config).join("; ") || undefined;
  const told = notice === undefined ? status : `${status}; ${notice}`;
  const environment = environmentLine(outcome);
  const criticalValue = outcome?.criticalValue ?? criticalValueOf(config);
  const { page, summary } = drawn(directory, run, criticalValue, told, environment, live && !finished);
  const path = join(directory, "report.html");
  writeFileAtomic(path, page);
  return { path, summary, notice, finished };
}

/** Seconds between looks at a run that is followed. */
const FOLLOW_SECONDS = 3;

/**
 * Writes the report of a run again and again while it goes, until it is finished or someone interrupts; an open page
 * loads itself again.
 *
 * @param say told what is written
 * @returns the exit status: 0 when the run is finished, 130 when interrupted
 */
export async function followReport(directory: string, say: (line: string) => void): Promise<number> {
  const journal = join(directory, NAMES.journal);
  let interrupted = false;
  let wake = (): void => {};
  const stop = (): void => {
    interrupted = true;
    wake();
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  const size = (): number => (existsSync(journal) ? statSync(journal).size : -1);
  try {
    let seen = Number.NaN;
    for (let first = true; !interrupted; first = false) {
      const now = size();
      if (now !== seen) {
        seen = now;
        const { path, finished, summary } = await reportOf(directory, true);
        if (first) say(`report ${path}; open it, it follows the run`);
        else say(`step ${summary.step}`);
        if (finished) return 0;
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 1000 * FOLLOW_SECONDS);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    await reportOf(directory);
    return 130;
  } finally {
    process.off("SIGINT", stop);
    process.off("SIGTERM", stop);
  }
}

/** Writes the report of a run again. */
export const report = command({
  name: "report",
  usage: "DIR [--follow]",
  summary: "write the HTML report of a run again",
  about: ["Writes report.html again from the rows and config.json in the folder of a run, ended or not."],
  settings: {
    follow: {
      kind: flag,
      default: false,
      help: "again and again while the run goes; the open page loads itself until it is finished",
    },
  },
  example: "report experiments/my-run",
  words: (positionals) => oneFolder("report", positionals),
  async run({ dir, follow }) {
    if (follow) return followReport(dir, (line) => process.stderr.write(`${line}\n`));
    const { path, summary, notice } = await reportOf(dir);
    if (notice !== undefined) process.stderr.write(`${notice}\n`);
    process.stdout.write(`${summaryText(summary)}\nreport ${path}\n`);
    return 0;
  },
});
