import { statSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { ruleChange } from "../../custom/index.ts";
import { readJournal, writeFileAtomic } from "../../record/index.ts";
import { renderReport, type Summary, summaryTable } from "../../report/index.ts";
import { readRunConfig } from "../../run/index.ts";
import { type RunConfig, toConfigJson } from "../../settings/index.ts";
import { criticalValueOf, type StepRow } from "../../simulation/index.ts";
import { version } from "../version.ts";

/** A line on what computed a run; without a backend, on what draws it. */
export function environmentLine(computed?: { readonly backend: string; readonly seconds: number }): string {
  const processor = cpus()[0]?.model.trim() ?? "unknown processor";
  const by = computed ? `, ${computed.backend} backend` : "";
  const duration = computed ? `, ${computed.seconds.toFixed(1)} s` : "";
  return `central-flows ${version()}${by}, Node ${process.versions.node}, ${processor} (${cpus().length} cores)${duration}`;
}

/**
 * Writes report.html into a run's folder; returns its path and the summary it shows.
 *
 * @param live the run still goes, and the page loads itself again
 */
export function writeReport(
  directory: string,
  config: RunConfig,
  rows: readonly StepRow[],
  criticalValue: number,
  status: string,
  {
    computed,
    live = false,
  }: {
    readonly computed?: { readonly backend: string; readonly seconds: number };
    readonly live?: boolean;
  } = {},
): { readonly path: string; readonly summary: Summary } {
  const path = join(directory, "report.html");
  const summary = summaryTable(rows, criticalValue);
  const json = toConfigJson(config, { cmd: "", gitHash: null, version: version() });
  const environment = environmentLine(computed);
  const told = { title: config.expid, summary, config: json, rows, criticalValue, status, environment };
  const page = renderReport(told, { live });
  writeFileAtomic(path, page);
  return { path, summary };
}

/**
 * Makes the report of a run, finished or not, from its journal. A rule of one's own is not run for it; `notice` says
 * where its file has changed since.
 *
 * @param live the run still goes: the page loads itself again until it is finished
 */
export function reportOf(
  directory: string,
  live = false,
): {
  readonly finished: boolean;
  readonly path: string;
  readonly summary: Summary;
  readonly notice: string | undefined;
} {
  const config = readRunConfig(directory, "report");
  const { rows } = readJournal(join(directory, "journal.jsonl"));
  const finished = rows.length >= config.steps;
  const status = finished ? `finished ${config.steps} steps` : `${rows.length} of ${config.steps} steps`;
  const notice = ruleChange(config);
  const told = notice === undefined ? status : `${status}; ${notice}`;
  const written = writeReport(directory, config, rows, criticalValueOf(config), told, {
    live: live && !finished,
  });
  return { ...written, notice, finished };
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
  let interrupted = false;
  let wake = (): void => {};
  const stop = (): void => {
    interrupted = true;
    wake();
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  const size = (): number => statSync(join(directory, "journal.jsonl")).size;
  try {
    let seen = -1;
    for (let first = true; !interrupted; first = false) {
      const now = size();
      if (now !== seen) {
        seen = now;
        const { path, finished, summary } = reportOf(directory, true);
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
    reportOf(directory);
    return 130;
  } finally {
    process.off("SIGINT", stop);
    process.off("SIGTERM", stop);
  }
}
