import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startRun } from "../run/index.ts";
import type { Provenance } from "../settings/index.ts";
import { readSweep } from "./folder.ts";
import { pointReader } from "./plan.ts";

/** What the points of a sweep that have no rows yet will take, about. */
export interface Estimate {
  /** Seconds of computing, one run after another on one thread each. */
  readonly seconds: number;
  readonly bytes: number;
}

/** Rows that are tried, and the longest that they may take, in milliseconds. */
const PROBE_ROWS = 4;
const PROBE_TIME = 3_000;

/**
 * Tries the first steps of the first of some points, in a folder that is removed again, and takes the others to be like it.
 *
 * @returns undefined where no two rows came in time
 */
export async function estimate(
  directory: string,
  indices: readonly number[],
  provenance: Provenance,
): Promise<Estimate | undefined> {
  const { points } = readSweep(directory, "sweep submit");
  if (indices.length === 0) return { seconds: 0, bytes: 0 };
  const { words, id } = points[indices[0]];
  const config = pointReader()(words, id);
  const folder = mkdtempSync(join(tmpdir(), "probe-"));
  const times: number[] = [];
  const began = performance.now();
  try {
    await startRun(
      { ...config, threads: 1, steps: Math.min(config.steps, PROBE_ROWS) },
      join(folder, "run"),
      provenance,
      {
        row: () => times.push(performance.now()),
        shouldStop: () => performance.now() - began > PROBE_TIME,
      },
    );
    if (times.length < 2) return undefined;
    const perRow = (times[times.length - 1] - times[0]) / 1000 / (times.length - 1);
    const rows = indices.reduce((sum, index) => sum + points[index].steps, 0);
    const start = (times[0] - began) / 1000;
    const { journal, rest } = sizesIn(join(folder, "run"));
    return {
      seconds: indices.length * start + rows * perRow,
      bytes: indices.length * rest + (journal / times.length) * rows,
    };
  } catch {
    // A point that cannot be run says so as a task, with its sentence.
    return undefined;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Bytes of rows, and of what a run has once. */
function sizesIn(folder: string): { readonly journal: number; readonly rest: number } {
  let [journal, rest] = [0, 0];
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    const stat = statSync(join(folder, name));
    if (!stat.isFile()) continue;
    if (name === "data.hdf5" || /^(journal|archive)/.test(name)) journal += stat.size;
    else rest += stat.size;
  }
  return { journal, rest };
}
