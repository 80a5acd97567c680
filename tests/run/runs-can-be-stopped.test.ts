import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { NAMES } from "../../src/record/index.ts";
import { type LeftRun, MOONS, resumeRun, rowsDifference, runWords, temporaryFolder } from "./small-runs.ts";

const base = temporaryFolder();
const words = [...MOONS, "--steps", "6"];

/** A `shouldStop` that says yes from the n-th time on, and how often it was asked. */
function after(n: number): { readonly shouldStop: () => boolean; readonly asked: () => number } {
  let asked = 0;
  return { shouldStop: () => asked++ >= n, asked: () => asked };
}

test("stopped at any moment, in the warm start, within a step or in a replay, a run goes on to the same rows", async () => {
  const counting = after(Number.POSITIVE_INFINITY);
  const whole = await runWords(join(base, "whole"), words, { shouldStop: counting.shouldStop });
  const total = counting.asked();
  expect(total).toBeGreaterThan(100);
  const seen = new Set<number>();
  for (const share of [0, 0.001, 0.01, 0.1, 0.35, 0.6, 0.9, 0.999]) {
    const folder = join(base, `stopped-${share}`);
    const first = await runWords(folder, words, { shouldStop: after(Math.floor(share * total)).shouldStop });
    expect(first.ending).toBe("interrupted");
    expect(first.status).toMatch(/^interrupted after \d of 6 steps$/);
    expect(first.rowCount).toBeLessThan(6);
    expect(existsSync(join(folder, NAMES.outcome))).toBe(false);
    expect(rowsDifference(first.rows, whole.rows.slice(0, first.rowCount))).toBeUndefined();
    seen.add(first.rowCount);
    // Once more on the way, then to the end.
    await resumeRun(folder, null, { shouldStop: after(Math.floor(0.3 * total)).shouldStop });
    const last: LeftRun = await resumeRun(folder, null);
    expect(last.ending).toBe("finished");
    expect(rowsDifference(last.rows, whole.rows)).toBeUndefined();
    expect(last.digest).toBe(whole.digest);
  }
  expect(seen.size).toBeGreaterThan(3);
});
