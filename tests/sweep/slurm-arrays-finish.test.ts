import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readOutcome } from "../../src/record/index.ts";
import { planSweep, runFolder, runTask, type Sweep, sweepStatus } from "../../src/sweep/index.ts";
import { buildInto, ROOT } from "../support/build.ts";
import { SlurmCluster, slurmIsHere } from "./slurm-cluster.ts";
import { PROVENANCE, taskLine, temporaryFolder } from "./small-sweeps.ts";

const built = join(ROOT, "dist", `slurm-${process.pid}`);
const program = join(built, "dist", "cli", "main.js");
const folder = temporaryFolder();
let cluster: SlurmCluster;

/** Four runs of some seconds each. */
const WORDS =
  "opt:gd data:moons arch:mlp --data.n=40 --data.n-test 6 --arch.width 4 --opt.lr 1 --runs discrete central --checkpoint.frequency 50";
const plan = (name: string, steps: number, seeds = "0..3"): Sweep =>
  planSweep(
    join(folder, name),
    [...WORDS.split(" "), "--steps", String(steps), "--sweep", `seed=${seeds}`],
    taskLine,
  ).sweep;

const command = (...words: readonly string[]): string =>
  execFileSync(process.execPath, [program, "sweep", ...words], {
    env: cluster.env,
    encoding: "utf8",
    stdio: "pipe",
  });
const submit = (sweep: Sweep, ...more: readonly string[]): string =>
  command("submit", sweep.directory, "--engine", "slurm", "--quiet", ...more);
const digests = (sweep: Sweep) => sweep.points.map((point) => readOutcome(runFolder(sweep, point))?.digest);
const rowsOf = async (sweep: Sweep, index: number) => (await sweepStatus(sweep.directory)).points[index].rows;

function logOf(sweep: Sweep, job: string): string {
  const path = join(sweep.directory, "slurm", "logs", `${job}_0.log`);
  return existsSync(path) ? readFileSync(path, "utf8") : "";
}

/** Waits for something; the message says for what. */
async function until(what: string, holds: () => boolean | Promise<boolean>, seconds = 100): Promise<void> {
  for (let waited = 0; waited < seconds * 4; waited++) {
    if (await holds()) return;
    await setTimeout(250);
  }
  throw new Error(`waited in vain: ${what}`);
}

/** The same runs, undisturbed. */
async function undisturbed(sweep: Sweep): Promise<(string | undefined)[]> {
  const peaceful = { ...sweep, directory: `${sweep.directory}-peaceful` };
  planSweep(peaceful.directory, [...sweep.words, "--sweep", `seed=0..${sweep.points.length - 1}`], taskLine);
  for (const { index } of sweep.points) await runTask(peaceful.directory, index, { provenance: PROVENANCE });
  return digests(peaceful);
}

describe.runIf(slurmIsHere())("on a real Slurm", () => {
  beforeAll(async () => {
    buildInto(join(built, "dist"));
    copyFileSync(join(ROOT, "package.json"), join(built, "package.json"));
    cluster = await SlurmCluster.start(join(folder, "slurm"));
  }, 120_000);
  afterAll(async () => {
    await cluster?.stop();
    rmSync(built, { recursive: true, force: true });
  }, 60_000);

  test("a killed process and a crashed node cost no row and change none", async () => {
    const sweep = plan("crashes", 1500);
    const [, job] = /job (\d+): 4 points in 4 array tasks/.exec(submit(sweep)) ?? [];
    expect(job).toBeDefined();
    await until(
      "two runs with rows",
      async () => (await rowsOf(sweep, 0)) > 5 && (await rowsOf(sweep, 1)) > 5,
    );
    const { points } = await sweepStatus(sweep.directory);
    const running = points.filter(({ state }) => state === "running");
    process.kill(running[0].holder?.pid as number, "SIGKILL");
    // The other one's node: on the first the script may be on its way to ask for a new start.
    const node = cluster.queue().get(`${job}_${running[1].point.index}`)?.node as "n1" | "n2";
    expect(["n1", "n2"]).toContain(node);
    await cluster.crash(node);
    cluster.boot(node);
    await until("all final", () => digests(sweep).every((digest) => digest !== undefined), 300);
    expect(digests(sweep)).toEqual(await undisturbed(sweep));
    await until("an empty queue", () => cluster.queue().size === 0);
  }, 600_000);

  test("told that the time limit is near, a task ends after its step and goes on in a new start", async () => {
    const sweep = plan("limit", 700, "0");
    const [, job] = /job (\d+)/.exec(submit(sweep)) ?? [];
    await until("rows", async () => (await rowsOf(sweep, 0)) > 5);
    // What slurmctld sends at --signal=B:USR1@120; its own clock looks every half minute only.
    execFileSync("scancel", ["--batch", "--signal=USR1", `${job}_0`], { env: cluster.env });
    await until("the end", () => digests(sweep)[0] !== undefined, 150);
    expect(logOf(sweep, job)).toMatch(/point 0: ended with status 130 \(limit\) and goes on/);
    expect(digests(sweep)).toEqual(await undisturbed(sweep));
  }, 300_000);

  test("at the time limit a long run goes on, but cancel is final: nothing runs, nothing is queued, nothing starts again", async () => {
    const sweep = plan("cancelled", 1_000_000, "0..2");
    const [, job] =
      /job (\d+)/.exec(
        submit(sweep, "--per-task", "2", "--at-once", "1", "--", "--time=1", "--signal=B:USR1@55"),
      ) ?? [];
    // Here the signal is Slurm's own.
    await until("the time limit", () => logOf(sweep, job).includes("(limit) and goes on"));
    const before = await rowsOf(sweep, 0);
    await until("further rows", async () => (await rowsOf(sweep, 0)) > before);
    expect(JSON.parse(command("status", sweep.directory, "--json")).counts).toMatchObject({
      running: 1,
      queued: 2,
    });
    expect(command("cancel", sweep.directory)).toContain("1 array taken out of Slurm's queue");
    await until("an empty queue", () => cluster.queue().size === 0);
    await until(
      "no process",
      () => cluster.processesOn("n1").length + cluster.processesOn("n2").length === 0,
    );
    await setTimeout(8000);
    expect(cluster.queue().size).toBe(0);
    const { counts, cancelled } = await sweepStatus(sweep.directory);
    expect(cancelled).toBe(true);
    expect(counts).toMatchObject({ done: 0, failed: 0, running: 0, queued: 0 });
  }, 300_000);
});
