import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { takeLock } from "../../src/record/index.ts";
import { bringToEnd, keepSweep, runFolder } from "../../src/sweep/index.ts";
import { PROVENANCE, TINY, taskLine, temporaryFolder } from "./small-sweeps.ts";

const folder = temporaryFolder();
const keep = (name: string, values: readonly string[], words: readonly string[] = TINY) =>
  keepSweep(join(folder, name), words, { name: "opt.lr", values }, taskLine);
const outcome = ({ sweep, points }: ReturnType<typeof keep>, i: number): string =>
  join(runFolder(sweep, points[i]), "outcome.json");

test("a kept sweep keeps ended runs, adds new values, and gives back the points in the order asked for", async () => {
  const first = keep("grows", ["0.1"]);
  expect(await bringToEnd(first.sweep, first.points, { provenance: PROVENANCE })).toBe("ended");
  const then = keep("grows", ["0.2", "0.1"]);
  expect(then.points.map(({ values }) => values["opt.lr"])).toEqual(["0.2", "0.1"]);
  expect([existsSync(outcome(then, 0)), existsSync(outcome(then, 1))]).toEqual([false, true]);
});

test("a point that would compute something else than was planned is made anew, and no other", async () => {
  const planned = keep("changes", ["0.1", "0.2"]);
  await bringToEnd(planned.sweep, planned.points, { provenance: PROVENANCE });
  const path = join(planned.sweep.directory, "sweep.json");
  const { hash } = planned.points[1];
  writeFileSync(
    path,
    readFileSync(path, "utf8").replace(
      hash,
      hash.replace(/^./, (c) => (c === "0" ? "1" : "0")),
    ),
  );
  const again = keep("changes", ["0.1", "0.2"]);
  expect(again.points[1].hash).toBe(hash);
  expect([existsSync(outcome(again, 0)), existsSync(outcome(again, 1))]).toEqual([true, false]);
  expect(await bringToEnd(again.sweep, again.points, { provenance: PROVENANCE })).toBe("ended");
});

test("with other words for all points everything is made anew, unless somebody computes one", () => {
  const before = keep("other", ["0.1"]);
  const run = runFolder(before.sweep, before.points[0]);
  const other = [...TINY, "--seed", "1"];
  mkdirSync(run, { recursive: true });
  const lock = takeLock(run, "test");
  expect(() => keep("other", ["0.1"], other)).toThrow(/runs that nobody computes/);
  lock.release();
  expect(keep("other", ["0.1"], other).sweep.words).toEqual(other);
  expect(existsSync(run)).toBe(false);
});

test("a folder of other things is refused", () => {
  writeFileSync(join(folder, "note.txt"), "mine");
  expect(() => keepSweep(folder, TINY, { name: "opt.lr", values: ["0.1"] }, taskLine)).toThrow(
    /holds other files/,
  );
});
