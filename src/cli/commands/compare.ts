import { existsSync, readdirSync } from "node:fs";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { choice, text, valueError } from "../../base/index.ts";
import { folderState, writeFileAtomic } from "../../record/index.ts";
import { type ComparedRun, compareRuns, RowColumns, tableText } from "../../report/index.ts";
import { openRun } from "../../run/index.ts";
import { toConfigJson } from "../../settings/index.ts";
import { criticalValueOf } from "../../simulation/index.ts";
import { version } from "../terminal/version.ts";
import { command } from "./command.ts";
import { environmentLine } from "./report.ts";
import { json } from "./shared-settings.ts";

/** Compares runs, finished or not: prints a table and writes a page. */
export const compare = command({
  name: "compare",
  usage: "DIR… [--by step|time] [--output FILE] [--json]",
  summary: "hold runs against each other: one table, one page",
  about: [
    "Compares runs, finished or not: prints a table of runs and processes (loss, sharpness, accuracy,",
    "distances, predictions) and writes one page with the runs in one picture and side by side. DIR is",
    "the folder of a run, or one that holds such folders.",
  ],
  settings: {
    by: {
      kind: choice("step", "time"),
      default: "step",
      help: "compare at the last step that all have, or at the last time, η times steps",
    },
    output: { kind: text("FILE"), default: "comparison.html", help: "the page to write" },
    json: json("print the table as JSON"),
  },
  example: "compare experiments/first experiments/second --by time",
  words(dirs) {
    if (dirs.length > 0) return { dirs };
    throw valueError("compare", "folders of runs", "none", "for example central-flows compare experiments");
  },
  async run({ dirs, by, output, json }) {
    const folders = [...new Set(dirs.flatMap(runFolders).map((folder) => resolve(folder)))];
    const names = distinctNames(folders);
    const runs: ComparedRun[] = [];
    for (const [i, folder] of folders.entries())
      runs.push(await comparedRun(folder, names[i], dirname(resolve(output))));
    const { table, page } = compareRuns(runs, { by, environment: environmentLine() });
    writeFileAtomic(output, page);
    if (json) {
      const rows = table.rows.map(({ name, cells }) =>
        Object.fromEntries([
          ["run", name],
          ...table.columns.map(({ title }, c) => [title.toLowerCase(), cells[c]]),
        ]),
      );
      process.stdout.write(`${JSON.stringify({ rows, page: output }, null, 2)}\n`);
    } else process.stdout.write(`${tableText(table)}\npage ${output}\n`);
    return 0;
  },
});

const isRun = (folder: string): boolean => ["unfinished", "ended"].includes(folderState(folder));

/** A run's folder itself, or the folders of runs in it, by name. */
function runFolders(folder: string): string[] {
  if (isRun(folder)) return [folder];
  const inside = existsSync(folder)
    ? readdirSync(folder, { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map(({ name }) => join(folder, name))
        .filter(isRun)
        .sort()
    : [];
  if (inside.length === 0)
    throw valueError("compare", "folders of runs, or a folder that holds some", `${folder} without any`);
  return inside;
}

/** The last part of each path, or as many parts as tell all of them apart. */
function distinctNames(folders: readonly string[]): string[] {
  for (let parts = 1; ; parts++) {
    const names = folders.map((folder) => folder.split(sep).slice(-parts).join("/"));
    if (new Set(names).size === names.length) return names;
  }
}

async function comparedRun(folder: string, name: string, page: string): Promise<ComparedRun> {
  const run = await openRun(folder, "compare");
  const { config, outcome } = run;
  const report = join(folder, "report.html");
  return {
    name: name || basename(folder),
    config: toConfigJson(config, { cmd: "", gitHash: null, version: version() }),
    rows: RowColumns.of(run),
    criticalValue: outcome?.criticalValue ?? criticalValueOf(config),
    ...(existsSync(report) && { report: relative(page, report).split(sep).join("/") }),
  };
}
