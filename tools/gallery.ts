/**
 * Runs the small presets and writes one page of them all:
 *
 *     npx tsx tools/gallery.ts [PRESET…] [--fresh] [--backend NAME]
 *
 * Each run has its folder in experiments/gallery (EXPERIMENT_DIR/gallery). A run that has been stopped goes on; one that
 * has ended is kept unless --fresh is given or its preset has changed. Only the named presets are run, if any are; the
 * page shows all that there are.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { cpus } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { parseRun } from "../src/cli/parse.ts";
import { folderState, writeFileAtomic } from "../src/record/index.ts";
import {
  type GalleryRun,
  gallerySummary,
  galleryTable,
  renderGallery,
  tableText,
} from "../src/report/index.ts";
import { openRun, readRunConfig } from "../src/run/index.ts";
import { PRESETS, type RunConfig, SMALL_PRESET_NAMES, toConfigJson } from "../src/settings/index.ts";
import { criticalValueOf } from "../src/simulation/index.ts";

const COMMAND = fileURLToPath(new URL("../src/cli/main.ts", import.meta.url));
const FOLDER = resolve(process.env.EXPERIMENT_DIR || "experiments", "gallery");

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { fresh: { type: "boolean", default: false }, backend: { type: "string" } },
});
const names = positionals.length > 0 ? positionals : SMALL_PRESET_NAMES;
const chosen = values.backend === undefined ? [] : ["--backend", values.backend];

/** What `run` is told for a preset, and what it makes of it. */
function planOf(name: string): { words: string[]; config: RunConfig; directory: string } {
  const directory = join(FOLDER, name);
  const words = ["--preset", name, "--expid", name, "--out", directory, ...chosen];
  return { words, config: parseRun(words).config, directory };
}

/** The configuration without what changes no number. */
function settings(config: RunConfig): string {
  const { out, quiet, json, profile, backend, threads, ...rest } = config;
  return JSON.stringify(rest);
}

/** Brings the run of a preset to its end; returns false when it failed or was interrupted. */
function bringAbout(name: string): boolean {
  const { words, config, directory } = planOf(name);
  const state = folderState(directory);
  const started = state === "unfinished" || state === "ended";
  const kept = started && !values.fresh && settings(readRunConfig(directory)) === settings(config);
  if (started && !kept) rmSync(directory, { recursive: true });
  if (kept && state === "ended") {
    process.stderr.write(`${name}: done before\n`);
    return true;
  }
  process.stderr.write(`${name}: ${PRESETS.get(name)?.help}\n`);
  const command = kept ? ["resume", directory] : ["run", ...words];
  const { status } = spawnSync(process.execPath, [...process.execArgv, COMMAND, ...command], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  return status === 0;
}

async function galleryRun(name: string): Promise<GalleryRun> {
  const run = await openRun(join(FOLDER, name), "gallery");
  const { config } = run;
  const rows = [...run.rows()];
  const ended =
    rows.length >= config.steps ? `${config.steps} steps` : `${rows.length} of ${config.steps} steps`;
  return {
    name,
    help: PRESETS.get(name)?.help ?? "",
    config: toConfigJson(config, { cmd: "", gitHash: null, version: "" }),
    rows,
    criticalValue: criticalValueOf(config),
    status: ended,
    report: `${name}/report.html`,
  };
}

for (const name of names) planOf(name); // a wrong name or setting shows before anything runs
mkdirSync(FOLDER, { recursive: true });
const failed = names.filter((name) => !bringAbout(name));
const shown = [...new Set([...SMALL_PRESET_NAMES, ...names])];
const there = shown.filter((name) => ["unfinished", "ended"].includes(folderState(join(FOLDER, name))));
const runs = await Promise.all(there.map(galleryRun));
const machine = `Node ${process.versions.node}, ${cpus()[0]?.model.trim()} (${cpus().length} cores)`;
const page = join(FOLDER, "index.html");
writeFileAtomic(page, renderGallery(runs, machine));
const summaries = runs.map(({ name, rows, criticalValue }) => ({
  name,
  summary: gallerySummary(rows, criticalValue),
}));
process.stdout.write(`${tableText(galleryTable(summaries))}gallery ${page}\n`);
if (failed.length > 0) {
  process.stderr.write(`not finished: ${failed.join(", ")}\n`);
  process.exitCode = 1;
}
