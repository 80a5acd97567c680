/**
 * Runs the small presets and writes one page of them all:
 *
 *     npx tsx tools/gallery.ts [PRESET…] [--fresh]
 *
 * The runs are a sweep over presets in experiments/gallery/sweep (EXPERIMENT_DIR/gallery/sweep). One that has been stopped
 * goes on; one that has ended is kept unless --fresh is given or its preset has changed. Only the named presets are run, if
 * any are; the page shows all that there are.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { cpus } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { folderState, writeFileAtomic } from "../src/record/index.ts";
import {
  type GalleryRun,
  gallerySummary,
  galleryTable,
  renderGallery,
  tableText,
} from "../src/report/index.ts";
import { openRun } from "../src/run/index.ts";
import { PRESETS, SMALL_PRESET_NAMES, toConfigJson } from "../src/settings/index.ts";
import { criticalValueOf } from "../src/simulation/index.ts";
import {
  keepSweep,
  quoted,
  retryPoints,
  runFolder,
  type Sweep,
  type SweepPoint,
  TASK_CODES,
} from "../src/sweep/index.ts";

const COMMAND = fileURLToPath(new URL("../src/cli/main.ts", import.meta.url));
const FOLDER = resolve(process.env.EXPERIMENT_DIR || "experiments", "gallery");

const SWEEP = join(FOLDER, "sweep");
const PROGRAM = [process.execPath, ...process.execArgv, COMMAND];

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { fresh: { type: "boolean", default: false } },
});
const names = positionals.length > 0 ? positionals : SMALL_PRESET_NAMES;

/** The words after the program that compute a run of the sweep. */
const taskWords = ({ directory }: Sweep, index: number): string[] => [
  "sweep",
  "task",
  resolve(directory),
  String(index),
];

/** Brings a run to its end; returns false when it failed or was interrupted. */
function bringAbout(sweep: Sweep, { index, values: { preset } }: SweepPoint): boolean {
  process.stderr.write(`${preset}: ${PRESETS.get(preset)?.help}\n`);
  const [command, ...first] = PROGRAM;
  const { status } = spawnSync(command, [...first, ...taskWords(sweep, index)], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  return status === TASK_CODES.done;
}

async function galleryRun(sweep: Sweep, point: SweepPoint): Promise<GalleryRun> {
  const name = point.values.preset;
  const run = await openRun(runFolder(sweep, point), "gallery");
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
    report: `sweep/runs/${point.id}/report.html`,
  };
}

mkdirSync(FOLDER, { recursive: true });
const { sweep, points } = keepSweep(SWEEP, [], { name: "preset", values: names }, (kept, index) =>
  [...PROGRAM, ...taskWords(kept, index)].map(quoted).join(" "),
);
if (values.fresh) retryPoints(SWEEP, { indices: points.map(({ index }) => index), failed: false });
const failed = points.filter((point) => !bringAbout(sweep, point)).map((point) => point.values.preset);
const there = sweep.points.filter((point) =>
  ["unfinished", "ended"].includes(folderState(runFolder(sweep, point))),
);
const runs = await Promise.all(there.map((point) => galleryRun(sweep, point)));
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
