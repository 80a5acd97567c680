import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { addPoints, planSweep, readSweep, retryPoints, sweepStatus } from "../../src/sweep/index.ts";
import { planTiny, TINY, taskLine, temporaryFolder } from "./small-sweeps.ts";

const folder = temporaryFolder();
const at = (name: string): string => join(folder, name);

test("every point of a plan has its words, its folder's name and a line in tasks.txt; nothing else is written", () => {
  const sweep = planTiny(at("grid"), "opt.lr=0.1,0.2", "seed=0..2");
  expect(sweep.points.map(({ id }) => id)).toEqual([
    "0000_opt.lr=0.1_seed=0",
    "0001_opt.lr=0.1_seed=1",
    "0002_opt.lr=0.1_seed=2",
    "0003_opt.lr=0.2_seed=0",
    "0004_opt.lr=0.2_seed=1",
    "0005_opt.lr=0.2_seed=2",
  ]);
  expect(sweep.points[4].words).toEqual([...TINY, "--opt.lr=0.2", "--seed=1"]);
  expect(new Set(sweep.points.map(({ hash }) => hash)).size).toBe(6);
  expect(readSweep(at("grid"), "test")).toEqual(sweep);
  expect(
    readFileSync(join(at("grid"), "tasks.txt"), "utf8")
      .trim()
      .split("\n"),
  ).toHaveLength(6);
});

test("a plan of the same words changes nothing; of other words it is refused, also where other files lie", () => {
  const before = planTiny(at("same"), "opt.lr=0.1,0.2");
  const text = readFileSync(join(at("same"), "sweep.json"), "utf8");
  expect(planSweep(at("same"), [...TINY, "--sweep", "opt.lr=0.1,0.2"], taskLine)).toEqual({
    sweep: before,
    known: true,
  });
  expect(() => planTiny(at("same"), "opt.lr=0.1,0.3")).toThrow(/sweep: expected a new name.*sweep add/);
  expect(readFileSync(join(at("same"), "sweep.json"), "utf8")).toBe(text);
  mkdirSync(at("foreign"));
  writeFileSync(join(at("foreign"), "notes.txt"), "mine");
  expect(() => planTiny(at("foreign"), "seed=0..1")).toThrow(
    /a new folder for the sweep, got .* other files/,
  );
});

test.each([
  ["--sweep opt.lrr=1,2", /did you mean --opt.lr/],
  ["--frobnicate --sweep opt.lr=1,2", /a flag that exists, got --frobnicate/],
  ["--sweep opt.lr=0.1,big", /--opt.lr.*big/],
  ["--opt.lr 1", /an axis or more, got none/],
  ["--sweep opt.lr=1,2 --out elsewhere", /folders and names of runs are the sweep's own/],
  ["--opt.lr 1 --sweep expid=a,b", /folders and names of runs are the sweep's own/],
])("a plan that cannot be run is refused before its folder is made: %s", (line, told) => {
  expect(() => planSweep(at("refused"), [...TINY, ...line.split(" ")], taskLine)).toThrow(told);
  expect(existsSync(at("refused"))).toBe(false);
});

test("points are appended: those that are there keep their index, known ones are left out", () => {
  const before = planTiny(at("grow"), "opt.lr=0.1,0.2");
  const { sweep, added } = addPoints(at("grow"), ["--sweep", "opt.lr=0.2,0.3,0.4"], taskLine);
  expect(added).toBe(2);
  expect(sweep.points.slice(0, 2)).toEqual(before.points);
  expect(sweep.points.map(({ values }) => values["opt.lr"])).toEqual(["0.1", "0.2", "0.3", "0.4"]);
  expect(readSweep(at("grow"), "test")).toEqual(sweep);
  expect(addPoints(at("grow"), ["--sweep", "opt.lr=0.1..0.4:4"], taskLine).added).toBe(0);
});

test("a folder that is no sweep is told of in a sentence", async () => {
  await expect(sweepStatus(at("nowhere"))).rejects.toThrow(
    /sweep status: expected the folder of a sweep, .*does not exist/,
  );
  mkdirSync(at("empty"));
  expect(() => retryPoints(at("empty"), { indices: [], failed: false })).toThrow(
    /sweep retry: expected the folder of a sweep/,
  );
  writeFileSync(join(at("empty"), "sweep.json"), '{"points": []}');
  await expect(sweepStatus(at("empty"))).rejects.toThrow(/another program/);
  expect(() => retryPoints(at("grid"), { indices: [6], failed: false })).toThrow(
    /an index from 0 to 5, got 6/,
  );
});

test("a thousand points are planned and looked at, all of them pending", async () => {
  planTiny(at("thousand"), "opt.lr=log:0.01..1:100", "seed=0..9");
  const { counts, points } = await sweepStatus(at("thousand"));
  expect(points).toHaveLength(1000);
  expect(counts.pending).toBe(1000);
});
