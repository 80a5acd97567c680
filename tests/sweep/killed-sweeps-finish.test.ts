import { copyFileSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readOutcome } from "../../src/record/index.ts";
import { runFolder } from "../../src/sweep/index.ts";
import { buildInto, ROOT } from "../support/build.ts";
import { campaign, startSubmitter } from "./kill-campaign.ts";
import { planTiny, temporaryFolder } from "./small-sweeps.ts";

const KILLS = 10;
/** Below the checkout, so that the built program finds its packages. */
const built = join(ROOT, "dist", `sweeps-${process.pid}`);
const command = [join(built, "dist", "cli", "main.js")];
const folder = temporaryFolder();
beforeAll(() => {
  buildInto(join(built, "dist"));
  copyFileSync(join(ROOT, "package.json"), join(built, "package.json"));
}, 120_000);
afterAll(() => rmSync(built, { recursive: true, force: true }));

test("tasks and submitters killed, submitted again, a sweep of twelve ends as one left in peace", async () => {
  const seed = Date.now();
  const result = await campaign({ folder, command, kills: KILLS, seed });
  expect(result.differing, `seed ${seed}, ${JSON.stringify(result)}`).toEqual([]);
  expect(result.lost, `seed ${seed}`).toBe(0);
  expect(result.tasks, `seed ${seed}`).toBeGreaterThan(0);
}, 600_000);

test("two submitters at once compute every point once", async () => {
  const sweep = planTiny(join(folder, "both"), "opt.lr=0.2,0.5,1", "seed=0..1");
  const submitters = [0, 1].map(() => startSubmitter(command, sweep.directory));
  await Promise.all(submitters.map(({ ended }) => ended));
  const told = submitters.flatMap(({ said }) =>
    [...said().matchAll(/ (\d{4}_\S+): (.+)/g)].map(([, id, how]) => [id, how]),
  );
  expect(told.map(([id]) => id).sort()).toEqual(sweep.points.map(({ id }) => id));
  expect(told.every(([, how]) => how === "done")).toBe(true);
  for (const point of sweep.points) {
    expect(readOutcome(runFolder(sweep, point))?.rows).toBe(6);
    expect(readFileSync(join(runFolder(sweep, point), "config.json"), "utf8")).toContain(point.id);
  }
}, 120_000);
