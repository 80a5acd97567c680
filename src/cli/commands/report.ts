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

/** Writes report.html into a run's folder; returns its path and the summary it shows. */
export function writeReport(
  directory: string,
  config: RunConfig,
  rows: readonly StepRow[],
  criticalValue: number,
  status: string,
  computed?: { readonly backend: string; readonly seconds: number },
): { readonly path: string; readonly summary: Summary } {
  const path = join(directory, "report.html");
  const summary = summaryTable(rows, criticalValue);
  const json = toConfigJson(config, { cmd: "", gitHash: null, version: version() });
  const page = renderReport({
    title: config.expid,
    summary,
    config: json,
    rows,
    criticalValue,
    status,
    environment: environmentLine(computed),
  });
  writeFileAtomic(path, page);
  return { path, summary };
}

/**
 * Makes the report of a run, finished or not, from its journal. A rule of one's own is not run for it; `notice` says
 * where its file has changed since.
 */
export function reportOf(directory: string): {
  readonly path: string;
  readonly summary: Summary;
  readonly notice: string | undefined;
} {
  const config = readRunConfig(directory);
  const { rows } = readJournal(join(directory, "journal.jsonl"));
  const status =
    rows.length >= config.steps
      ? `finished ${config.steps} steps`
      : `${rows.length} of ${config.steps} steps`;
  const notice = ruleChange(config);
  const told = notice === undefined ? status : `${status}; ${notice}`;
  return { ...writeReport(directory, config, rows, criticalValueOf(config), told), notice };
}
