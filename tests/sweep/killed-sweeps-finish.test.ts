import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readOutcome } from "../../src/record/index.ts";
import { cancelSweep, planSweep, runFolder, sweepStatus } from "../../src/sweep/index.ts";
import { buildInto, ROOT } from "../support/build.ts";
import { campaign, startSubmitter } from "./kill-campaign.ts";
import { planTiny, TINY, taskLine, temporaryFolder } from "./small-sweeps.ts";

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

test("two submitters at once compute every point once: no outcome is written twice", async () => {
  const sweep = planTiny(join(folder, "both"), "opt.lr=0.2,0.5,1", "seed=0..1");
  const submitters = [0, 1].map(() => startSubmitter(command, sweep.directory));
  const first = new Map<string, number>();
  let over = false;
  const ended = Promise.all(submitters.map(({ ended }) => ended)).then(() => {
    over = true;
  });
  const outcomes = () =>
    sweep.points.flatMap((point) => {
      const path = join(runFolder(sweep, point), "outcome.json");
      return existsSync(path) ? [[point.id, statSync(path).ino] as const] : [];
    });
  while (!over) {
    for (const [id, inode] of outcomes()) if (!first.has(id)) first.set(id, inode);
    await Promise.race([ended, setTimeout(20)]);
  }
  await ended;
  for (const [id, inode] of outcomes()) expect(first.get(id) ?? inode).toBe(inode);
  for (const point of sweep.points)
    expect(readOutcome(runFolder(sweep, point))).toMatchObject({ exitCode: 0, rows: 6 });
  expect(submitters.map(({ child }) => child.exitCode)).toEqual([0, 0]);
}, 120_000);

test("a sweep that is cancelled while it is computed stops, and goes on when it is submitted again", async () => {
  const words = [...TINY.slice(0, -1), "1000000", "--opt.lr", "0.3", "--sweep", "seed=0..2"];
  const endless = planSweep(join(folder, "endless"), words, taskLine).sweep;
  const { child, ended } = startSubmitter(command, endless.directory);
  const holders = async () => (await sweepStatus(endless.directory)).counts.running;
  for (let waited = 0; waited < 300 && (await holders()) < 2; waited++) await setTimeout(100);
  execFileSync(process.execPath, [...command, "sweep", "cancel", endless.directory]);
  await ended;
  expect(child.exitCode).toBe(1);
  expect((await sweepStatus(endless.directory)).counts).toMatchObject({ running: 0, done: 0, failed: 0 });
  const short = planTiny(join(folder, "short"), "seed=0..1");
  cancelSweep(short.directory);
  await startSubmitter(command, short.directory).ended;
  const { cancelled, counts } = await sweepStatus(short.directory);
  expect([cancelled, counts.done]).toEqual([false, 2]);
}, 120_000);
