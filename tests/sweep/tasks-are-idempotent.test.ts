import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { makeFolder, readOutcome, takeLock } from "../../src/record/index.ts";
import type { RunEvents } from "../../src/run/index.ts";
import {
  cancelSweep,
  planSweep,
  retryPoints,
  runFolder,
  runTask,
  type Sweep,
  sweepStatus,
  TASK_CODES,
  uncancel,
} from "../../src/sweep/index.ts";
import { PROVENANCE, planTiny, taskLine, temporaryFolder } from "./small-sweeps.ts";

const folder = temporaryFolder();
const at = (name: string): string => join(folder, name);
const task = (sweep: Sweep, index: number, events: RunEvents = {}): Promise<number> =>
  runTask(sweep.directory, index, { provenance: PROVENANCE, events });
const outcomeOf = (sweep: Sweep, index: number) => readOutcome(runFolder(sweep, sweep.points[index]));
const stateOf = async (sweep: Sweep, index: number) =>
  (await sweepStatus(sweep.directory)).points[index].state;

test("a task that is done tells so again and computes nothing", async () => {
  const sweep = planTiny(at("done"), "seed=0..1");
  let rows = 0;
  const events = { row: () => void rows++ };
  expect(await task(sweep, 1, events)).toBe(TASK_CODES.done);
  const outcome = readFileSync(join(runFolder(sweep, sweep.points[1]), "outcome.json"), "utf8");
  expect([await task(sweep, 1, events), await task(sweep, 1, events)]).toEqual([0, 0]);
  expect(rows).toBe(6);
  expect(readFileSync(join(runFolder(sweep, sweep.points[1]), "outcome.json"), "utf8")).toBe(outcome);
  expect(outcomeOf(sweep, 0)).toBeUndefined();
  await expect(task(sweep, 2)).rejects.toThrow(/an index from 0 to 1, got 2/);
});

test("a task that is stopped has no outcome, and goes on to the same bits", async () => {
  const sweep = planTiny(at("stopped"), "seed=0");
  const whole = planTiny(at("whole"), "seed=0");
  let rows = 0;
  expect(await task(sweep, 0, { row: () => void rows++, shouldStop: () => rows >= 2 })).toBe(
    TASK_CODES.interrupted,
  );
  expect(outcomeOf(sweep, 0)).toBeUndefined();
  expect(await stateOf(sweep, 0)).toBe("interrupted");
  expect(await task(sweep, 0)).toBe(TASK_CODES.done);
  expect(await task(whole, 0)).toBe(TASK_CODES.done);
  expect(outcomeOf(sweep, 0)?.digest).toBe(outcomeOf(whole, 0)?.digest);
});

test("a run that diverges is a result: 1, and its outcome is there", async () => {
  const sweep = planTiny(at("diverges"), "opt.lr=1e6");
  expect(await task(sweep, 0)).toBe(TASK_CODES.failed);
  expect(outcomeOf(sweep, 0)).toMatchObject({ ending: "failed", exitCode: 1 });
  expect(await task(sweep, 0)).toBe(TASK_CODES.failed);
  expect(await stateOf(sweep, 0)).toBe("failed");
  expect(retryPoints(sweep.directory, { indices: [], failed: false })).toEqual([]);
  const { digest } = outcomeOf(sweep, 0) ?? {};
  expect(retryPoints(sweep.directory, { indices: [], failed: true })).toHaveLength(1);
  expect(await stateOf(sweep, 0)).toBe("pending");
  expect(await task(sweep, 0)).toBe(TASK_CODES.failed);
  expect(outcomeOf(sweep, 0)?.digest).toBe(digest);
});

test("what cannot be computed as asked is refused for good, until it is retried", async () => {
  const missing = join(folder, "later.npz");
  const words = `opt:gd data:npz arch:mlp --data.path ${missing} --data.criterion mse --opt.lr 0.1 --steps 2 --sweep seed=0`;
  const { sweep } = planSweep(at("refused"), words.split(" "), taskLine);
  expect(await task(sweep, 0)).toBe(TASK_CODES.refused);
  expect(outcomeOf(sweep, 0)).toMatchObject({ exitCode: 2, rows: 0 });
  expect(outcomeOf(sweep, 0)?.sentence).toContain("later.npz");
  expect(await stateOf(sweep, 0)).toBe("refused");
  expect(retryPoints(sweep.directory, { indices: [], failed: false }).map(({ index }) => index)).toEqual([0]);
  expect(await stateOf(sweep, 0)).toBe("pending");
});

test("while somebody holds the run a task is busy, and its point has no outcome", async () => {
  const sweep = planTiny(at("busy"), "seed=0");
  const run = runFolder(sweep, sweep.points[0]);
  makeFolder(run);
  const lock = takeLock(run, "test");
  expect(await task(sweep, 0)).toBe(TASK_CODES.busy);
  expect(await stateOf(sweep, 0)).toBe("running");
  expect(() => retryPoints(sweep.directory, { indices: [0], failed: false })).toThrow(
    /points that nobody computes/,
  );
  lock.release();
  expect(await task(sweep, 0)).toBe(TASK_CODES.done);
});

test("of two tasks at once one computes", async () => {
  const sweep = planTiny(at("twice"), "seed=0");
  const codes = await Promise.all([task(sweep, 0), task(sweep, 0)]);
  expect(codes.sort((a, b) => a - b)).toEqual([TASK_CODES.done, TASK_CODES.busy]);
});

test("after cancel a task ends at once; what is done stays done", async () => {
  const sweep = planTiny(at("cancelled"), "seed=0..1");
  expect(await task(sweep, 0)).toBe(TASK_CODES.done);
  cancelSweep(sweep.directory);
  expect(await task(sweep, 0)).toBe(TASK_CODES.done);
  expect(await task(sweep, 1)).toBe(TASK_CODES.interrupted);
  expect(existsSync(runFolder(sweep, sweep.points[1]))).toBe(false);
  uncancel(sweep.directory);
  expect(await task(sweep, 1)).toBe(TASK_CODES.done);
});

test("a point whose words mean another run than was planned is refused", async () => {
  const config = join(folder, "base.json");
  const sweep = planTiny(at("before"), "seed=0");
  expect(await task(sweep, 0)).toBe(0);
  writeFileSync(config, readFileSync(join(runFolder(sweep, sweep.points[0]), "config.json")));
  const planned = planSweep(at("changed"), ["--config", config, "--sweep", "seed=3"], taskLine).sweep;
  writeFileSync(config, readFileSync(config, "utf8").replace(/"width": *4/, '"width": 5'));
  expect(await task(planned, 0)).toBe(TASK_CODES.refused);
  expect(outcomeOf(planned, 0)?.sentence).toContain("the run that was planned");
});
