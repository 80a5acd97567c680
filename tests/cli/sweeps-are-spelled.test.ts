import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { isMisuse } from "../../src/base/index.ts";
import { runCommandLine } from "../../src/cli/command-line.ts";
import { parseCommand } from "../../src/cli/parse.ts";
import { isLong } from "../../src/cli/terminal/signals.ts";

const folder = mkdtempSync(join(tmpdir(), "sweeps-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const read = (line: string) => parseCommand(["sweep", ...line.split(" ")]);

describe("a sweep's commands are read", () => {
  test.each([
    [
      "grid opt:gd --sweep seed=0..1",
      "sweep plan",
      { dir: "sweeps/grid", argv: ["opt:gd", "--sweep", "seed=0..1"] },
    ],
    ["./grid --sweep seed=0..1", "sweep plan", { dir: "./grid" }],
    ["task a/b 7 --threads 2", "sweep task", { dir: "a/b", index: 7, threads: 2 }],
    ["status a/b --json", "sweep status", { dir: "a/b", json: true }],
    ["retry a/b 3 4", "sweep retry", { dir: "a/b", indices: [3, 4], failed: false }],
    ["add a/b --sweep seed=5", "sweep add", { dir: "a/b", argv: ["--sweep", "seed=5"] }],
    ["submit a/b -j 3", "sweep submit", { dir: "a/b", jobs: 3, engine: null, sbatch: [] }],
    ["submit a/b -j3 --engine local", "sweep submit", { jobs: 3, engine: "local" }],
    [
      "submit a/b --per-task 4 --at-once 9 -- --partition=main -j 2",
      "sweep submit",
      { dir: "a/b", perTask: 4, atOnce: 9, jobs: null, sbatch: ["--partition=main", "-j", "2"] },
    ],
  ])("%s", (line, part, asked) => {
    expect(read(line)).toMatchObject({ command: "sweep", part, asked });
  });
});

describe("what is not meant is told in a sentence", () => {
  test.each([
    ["", "a name for the sweep"],
    ["--sweep seed=0..1", "a name for the sweep"],
    ["opt:gd --sweep seed=0..1", "a name for the sweep"],
    ["statsu a/b", "did you mean status?"],
    ["task a/b", "the folder of a sweep and an index"],
    ["task a/b first", "first"],
    ["status", "one folder of a sweep"],
    ["status a b", "one folder of a sweep"],
    ["submit a/b --engin slurm", "did you mean --engine?"],
    ["submit a/b --per-task 0", "≥ 1"],
    ["submit a/b main", "words for sbatch after --"],
  ])("sweep %s", (line, told) => {
    let error: unknown;
    try {
      parseCommand(["sweep", ...line.split(" ").filter((word) => word !== "")]);
    } catch (thrown) {
      error = thrown;
    }
    expect(isMisuse(error)).toBe(true);
    expect((error as Error).message).toContain(told);
  });
});

test("a task computes on a thread of its own, so that signals reach it; the others do not", () => {
  expect(isLong(["sweep", "task", "a", "0"])).toBe(true);
  expect(isLong(["sweep", "submit", "a"])).toBe(false);
});

test("the exit status of a plan is 0, of a misspelt flag and of a folder that is no sweep 2", async () => {
  const grid = join(folder, "grid");
  expect(await runCommandLine(["sweep", grid, "opt:gd", "--opt.lrr", "1", "--sweep", "seed=0..1"])).toBe(2);
  expect(existsSync(grid)).toBe(false);
  expect(await runCommandLine(["sweep", "status", grid])).toBe(2);
  expect(await runCommandLine(["sweep", grid, "opt:gd", "--opt.lr", "1", "--sweep", "seed=0..1"])).toBe(0);
  expect(await runCommandLine(["sweep", grid, "opt:gd", "--opt.lr", "2", "--sweep", "seed=0..1"])).toBe(2);
  expect(await runCommandLine(["sweep", "task", grid, "2"])).toBe(2);
});
