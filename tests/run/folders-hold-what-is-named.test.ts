import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { runCommand } from "../../src/cli/commands/run.ts";
import { helpText } from "../../src/cli/help.ts";
import { runDirectory } from "../../src/run/index.ts";
import { configOf, PROVENANCE, runWords, temporaryFolder } from "./small-runs.ts";

const base = temporaryFolder();
const text = (path: string): string =>
  readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), "utf8");

/** The rows of the guide's table of a run's folder: name, and what is said of it. */
const GUIDE = [
  ...text("docs/guide.md")
    .split("## What a run leaves")[1]
    .split("\n## ")[0]
    .matchAll(/^\| `([^`]+)` \| (.*) \|$/gm),
].map(([, name, said]) => ({ name, said }));
const named = (pattern: RegExp): string[] =>
  GUIDE.filter(({ said }) => pattern.test(said)).map(({ name }) => name);
/** Those that are there while the run goes only, with a rule file only, and in long runs only (`long-runs-are-archived.test.ts`). */
const PASSING = named(/while the run goes|^every row.*Goes at the end/);
const WITH_RULE = named(/of a rule file: a copy/);
const OF_LONG_RUNS = named(/^of a long run only/);

const entries = (directory: string): string[] =>
  readdirSync(directory, { withFileTypes: true })
    .map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name))
    .sort();
const TINY =
  "--data.n 6 --data.n-test 2 --arch.width 2 --opt.lr 0.1 --steps 3 --runs discrete midpoint --quiet".split(
    " ",
  );

/** Runs a command line as the program does, without its output. */
async function run(...words: string[]): Promise<string> {
  const config = configOf(...words);
  vi.spyOn(process.stdout, "write").mockReturnValue(true);
  expect(await runCommand(config, [], "test")).toBe(0);
  return runDirectory(config, process.env);
}
afterEach(() => {
  vi.restoreAllMocks();
});

let folder = "";
beforeAll(async () => {
  folder = await run(
    "data:moons",
    "arch:mlp",
    ...TINY,
    "--checkpoint.steps",
    "2",
    "--out",
    join(base, "plain"),
  );
});

test("a run leaves each file that the guide's table names, and no other", () => {
  expect(PASSING.sort()).toEqual(["journal.bin", "lock"]);
  expect(WITH_RULE.length).toBe(1);
  expect(OF_LONG_RUNS).toEqual(["archive-ROWS.hdf5"]);
  const others = [...PASSING, ...WITH_RULE, ...OF_LONG_RUNS];
  const left = GUIDE.map(({ name }) => name).filter((name) => !others.includes(name));
  expect(entries(folder)).toEqual(left.sort());
  expect(left.length).toBe(6);
});

test("its checkpoints are those that the table names", () => {
  const [said] = named(/latest\.npz/).map((name) => GUIDE.find((row) => row.name === name)!.said);
  const names = [...said.matchAll(/`(\w+\.npz)`/g)].map(([, name]) => name.replace("_N", "_2"));
  expect(entries(join(folder, "checkpoints"))).toEqual(names.sort());
});

test("what passes is there while the run goes", async () => {
  const directory = join(base, "going");
  const seen: string[][] = [];
  await runWords(directory, ["data:moons", "arch:mlp", ...TINY], {
    row: () => seen.push(entries(directory)),
  });
  expect(seen.length).toBe(3);
  for (const there of seen) for (const name of PASSING) expect(there).toContain(name);
  for (const name of PASSING) expect(entries(directory)).not.toContain(name);
});

test("the copy of a rule file is there where one ran, under the name that the table gives it", async () => {
  const rule = join(base, "twice.ts");
  writeFileSync(rule, "export default ({ lr }) => ({ criticalValue: 2, preconditioner: () => 1 / lr });\n");
  const directory = await run(`opt:${rule}`, "data:moons", "arch:mlp", ...TINY, "--out", join(base, "ruled"));
  const more = entries(directory).filter((name) => !entries(folder).includes(name));
  expect(more).toEqual(WITH_RULE.map((name) => name.replace("EXT", "ts")));
  expect(readFileSync(join(directory, more[0])).equals(readFileSync(rule))).toBe(true);
});

describe("where", () => {
  test.each([
    ["experiments", undefined],
    ["EXPERIMENT_DIR", join(base, "elsewhere")],
  ])("%s is the folder of all runs", (_, place) => {
    const config = configOf("data:moons", "arch:mlp", ...TINY, "--expid", "mine");
    expect(runDirectory(config, place === undefined ? {} : { EXPERIMENT_DIR: place })).toBe(
      join(place ?? "experiments", "mine"),
    );
  });

  test("--out is the run's own", () => {
    const config = configOf("data:moons", "arch:mlp", ...TINY, "--out", join(base, "own"));
    expect(runDirectory(config, { EXPERIMENT_DIR: "elsewhere" })).toBe(join(base, "own"));
  });
});

test("help run and README name files that a run leaves, and where", () => {
  const help = helpText("run").split("\n\n")[1];
  const readme = /A run leaves [\s\S]*?\. /.exec(text("README.md"))![0].replace(/\([\s\S]*?\)/g, "");
  for (const said of [help, readme]) {
    const names = [...said.matchAll(/(?<![\w/.])(\w+\.(?:json|hdf5|html|npz|bin))/g)].map(([name]) => name);
    expect(names).toEqual(expect.arrayContaining(["config.json", "data.hdf5", "report.html"]));
    for (const name of names) expect(entries(folder)).toContain(name);
    expect(said).toMatch(/checkpoints/);
    expect(said).toMatch(/experiments\/(EXPID|NAME)/);
  }
});

test("files that a message names are where it says", async () => {
  const written: string[] = [];
  const config = configOf("data:moons", "arch:mlp", ...TINY, "--out", join(base, "told"));
  vi.spyOn(process.stdout, "write").mockImplementation((chunk) => written.push(String(chunk)) > 0);
  await runCommand(config, [], PROVENANCE.cmd);
  const paths = written.join("").match(/\S*\/told\/\S+/g) ?? [];
  expect(paths.length).toBe(3);
  for (const path of paths) expect(existsSync(path)).toBe(true);
});
