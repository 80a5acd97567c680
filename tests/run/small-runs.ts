import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { parseCommand } from "../../src/cli/parse.ts";
import {
  openRun,
  type RunEvents,
  type RunOutcome,
  resumeRun as resume,
  startRun,
} from "../../src/run/index.ts";
import type { RunConfig } from "../../src/settings/index.ts";
import { rowDifference, type StepRow } from "../../src/simulation/index.ts";

export const PROVENANCE = { cmd: "test", gitHash: null, version: "0" };

/** A problem that takes milliseconds a step and reaches the edge: words of the command line. */
export const MOONS = (
  "opt:rmsprop data:moons arch:mlp --data.n=20 --data.n-test 12 --arch.width 8 --opt.lr 0.02 --opt.beta2 0.95 " +
  "--opt.eps 1e-7 --opt.bias-correction --warm-start 3 --runs discrete midpoint central stable --eig.frequency 1"
).split(" ");

/** A new folder that is removed after the file's tests. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "runs-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The configuration that a command line asks for. */
export function configOf(...words: string[]): RunConfig {
  const command = parseCommand(["run", ...words]);
  if (command.command !== "run") throw new Error("not a run");
  return command.config;
}

/** How a run ended, and the rows it left on disk. */
export interface LeftRun extends RunOutcome {
  readonly rows: readonly StepRow[];
}

/** The rows of a run's folder, from its journal or from data.hdf5. */
export async function rowsIn(directory: string): Promise<StepRow[]> {
  return [...(await openRun(directory, "test")).rows()];
}

/** Runs a configuration in this process. */
export async function runConfig(directory: string, config: RunConfig, events?: RunEvents): Promise<LeftRun> {
  const outcome = await startRun(config, directory, PROVENANCE, events);
  return { ...outcome, rows: await rowsIn(directory) };
}

/** Runs a command line in this process. */
export function runWords(directory: string, words: readonly string[], events?: RunEvents): Promise<LeftRun> {
  return runConfig(directory, configOf(...words), events);
}

/** Resumes a run in this process. */
export async function resumeRun(
  directory: string,
  steps: number | null,
  events?: RunEvents,
): Promise<LeftRun> {
  const outcome = await resume(directory, steps, events);
  return { ...outcome, rows: await rowsIn(directory) };
}

/** The first thing in which two lists of rows differ. */
export function rowsDifference(a: readonly StepRow[], b: readonly StepRow[]): string | undefined {
  if (a.length !== b.length) return `${a.length} and ${b.length} rows`;
  for (let i = 0; i < a.length; i++) {
    const difference = rowDifference(a[i], b[i]);
    if (difference !== undefined) return `row ${i}: ${difference}`;
  }
  return undefined;
}
