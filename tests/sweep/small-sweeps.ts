import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { planSweep, type Sweep } from "../../src/sweep/index.ts";

/** A run of some milliseconds a step. */
export const TINY =
  "opt:gd data:moons arch:mlp --data.n=12 --data.n-test 6 --arch.width 4 --runs discrete central --steps 6".split(
    " ",
  );

/** A new folder that is removed after the file's tests. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "sweeps-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export const taskLine = ({ directory }: Sweep, index: number): string => `task ${directory} ${index}`;

/** Plans a sweep of tiny runs over axes; η is 0.3 where it is no axis. */
export function planTiny(directory: string, ...axes: readonly string[]): Sweep {
  const words = axes.some((axis) => axis.startsWith("opt.lr=")) ? TINY : [...TINY, "--opt.lr", "0.3"];
  return planSweep(directory, [...words, ...axes.flatMap((axis) => ["--sweep", axis])], taskLine).sweep;
}

export const PROVENANCE = { cmd: "test", gitHash: null, version: "0" };
