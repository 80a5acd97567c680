import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, openSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { expect, test } from "vitest";
import { NAMES, readJournal, readOutcome } from "../../src/record/index.ts";
import { MOONS, resumeRun, temporaryFolder } from "../run/small-runs.ts";

const MAIN = new URL("../../src/cli/main.ts", import.meta.url).pathname;
const base = temporaryFolder();
const run = (name: string, steps = 4): string[] => [
  "run",
  ...MOONS,
  "--steps",
  String(steps),
  "--out",
  join(base, name),
];

const start = (words: readonly string[], stdout: number | "pipe" = "pipe"): ChildProcess =>
  spawn(process.execPath, ["--import", "tsx", MAIN, ...words], { stdio: ["ignore", stdout, "pipe"] });

/** What a process writes to stderr, and its exit status. */
async function ended(
  child: ChildProcess,
): Promise<{ readonly told: string; readonly status: number | null }> {
  let told = "";
  child.stderr?.on("data", (chunk) => {
    told += chunk;
  });
  const [status] = await once(child, "close");
  return { told, status };
}

test("a run whose readers have gone writes its outputs and ends as it would", async () => {
  const child = start(run("unread"));
  child.stdout?.destroy();
  child.stderr?.destroy();
  const [status] = await once(child, "exit");
  expect(status).toBe(0);
  expect(readOutcome(join(base, "unread"))?.exitCode).toBe(0);
  expect(existsSync(join(base, "unread", "report.html"))).toBe(true);
});

test("a full standard output is told, after the outputs", async (ctx) => {
  if (!existsSync("/dev/full")) {
    console.warn("skipped: no /dev/full");
    return ctx.skip();
  }
  const { told, status } = await ended(start(run("full"), openSync("/dev/full", "w")));
  expect(told).toMatch(/standard output: expected to be written, got ENOSPC/);
  expect(told).not.toMatch(/\n\s+at /);
  expect(status).toBe(1);
  expect(readOutcome(join(base, "full"))?.ending).toBe("finished");
});

/** Starts a run that lasts until it is stopped; gives it over when it has rows, or is in its warm start. */
async function started(words: readonly string[], folder: string, rows: number): Promise<ChildProcess> {
  const child = start(words);
  const journal = join(folder, NAMES.journal);
  while (!existsSync(journal) || readJournal(journal).rowCount < rows) await setTimeout(20);
  return child;
}

test("SIGTERM ends a run with 130 in its warm start and among its rows, and resume goes on", async () => {
  for (const [name, words, rows] of [
    ["warm", run("warm").map((word, i, all) => (all[i - 1] === "--warm-start" ? "100000000" : word)), 0],
    ["rows", run("rows", 100_000), 3],
  ] as const) {
    const folder = join(base, name);
    const child = await started(words, folder, rows);
    if (rows === 0) await setTimeout(300);
    child.kill("SIGTERM");
    const { told, status } = await ended(child);
    expect(status, told).toBe(130);
    expect(told).toContain("stopping; press Ctrl-C again to stop at once");
    expect(existsSync(join(folder, NAMES.outcome))).toBe(false);
    expect(existsSync(join(folder, "lock"))).toBe(false);
    expect(existsSync(join(folder, "report.html"))).toBe(true);
    const kept = readJournal(join(folder, NAMES.journal)).rowCount;
    expect(kept).toBeGreaterThanOrEqual(rows);
    if (rows > 0) expect((await resumeRun(folder, kept + 1)).rowCount).toBe(kept + 1);
  }
});

test("a second signal ends the process at once, and no row is lost", async () => {
  const folder = join(base, "twice");
  const child = await started(run("twice", 100_000), folder, 3);
  const before = readJournal(join(folder, NAMES.journal)).rowCount;
  child.kill("SIGINT");
  child.kill("SIGTERM");
  const { status } = await ended(child);
  expect(status).toBe(130);
  const { ending, rowCount } = await resumeRun(folder, readJournal(join(folder, NAMES.journal)).rowCount + 1);
  expect(ending).toBe("finished");
  expect(rowCount).toBeGreaterThan(before);
});
