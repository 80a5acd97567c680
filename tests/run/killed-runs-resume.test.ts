import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { NAMES } from "../../src/record/index.ts";
import { buildRunnable } from "../support/build.ts";
import { campaign } from "./kill-campaign.ts";
import { temporaryFolder } from "./small-runs.ts";

const KILLS = 12;
let built: ReturnType<typeof buildRunnable>;
beforeAll(() => {
  built = buildRunnable(`kills-${process.pid}`);
}, 120_000);
afterAll(() => rmSync(built.folder, { recursive: true, force: true }));

test("killed a dozen times and resumed, beside other writers and stale files, a run is the one left in peace", async () => {
  const folder = temporaryFolder();
  const seed = Date.now();
  const result = await campaign({
    folder,
    kills: KILLS,
    seed,
    steps: 400,
    command: [built.main],
  });
  expect(result.stuck, `seed ${seed}`).toEqual([]);
  expect([result.rowsLost, result.rowsDiffering], `seed ${seed}`).toEqual([0, 0]);
  expect(result.kills).toBe(KILLS);
  // The weights are the same, too: checkpoints hold nothing of the clock.
  const saved = (run: string): string => join(folder, run, NAMES.checkpoints);
  for (const name of readdirSync(saved("peaceful"))) {
    const [a, b] = ["peaceful", "disturbed-0"].map((run) => readFileSync(join(saved(run), name)));
    expect(a.equals(b), name).toBe(true);
  }
}, 300_000);
