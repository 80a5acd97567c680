import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { nodeHost } from "../../src/run/index.ts";
import { buildRun } from "../../src/simulation/index.ts";
import { configOf, resumeRun, rowsDifference, runWords, temporaryFolder } from "./small-runs.ts";

const base = temporaryFolder();
const STEPS = 6;
/** Several chunks, each with enough to do for other threads to be called. */
const WORDS = (
  "opt:rmsprop data:digits arch:mlp --data.n 160 --data.classes 3 --arch.width 16 --opt.lr 0.004 --opt.beta2 0.95 " +
  `--opt.eps 1e-7 --opt.bias-correction --eig.frequency 1 --runs discrete central --chunk 20 --backend wasm --steps ${STEPS}`
).split(" ");

const withThreads = (threads: string): string[] => [...WORDS, "--threads", threads];

test("runs with 1, 2 and 7 threads log the same rows, also when stopped and resumed with another number", async () => {
  const alone = await runWords(join(base, "1"), withThreads("1"));
  expect(alone.rows.length).toBe(STEPS);
  for (const threads of ["2", "7"]) {
    const folder = join(base, threads);
    const together = await runWords(folder, withThreads(threads));
    expect(rowsDifference(together.rows, alone.rows), `${threads} threads`).toBeUndefined();
  }
  const folder = join(base, "changing");
  let asked = 0;
  await runWords(folder, withThreads("7"), { interrupted: () => asked++ === 3 });
  const path = join(folder, "config.json");
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, "utf8")), threads: 2 }));
  const resumed = await resumeRun(folder, null);
  expect(resumed.ending).toBe("finished");
  expect(rowsDifference(resumed.rows, alone.rows)).toBeUndefined();
});

test("mini-batches are the same with any number of threads, and after a stop", async () => {
  const words = [...WORDS, "--data.batch-size", "60", "--warm-start", "2"];
  const alone = await runWords(join(base, "batches"), [...words, "--threads", "1"]);
  const together = await runWords(join(base, "batches-2"), [...words, "--threads", "2"]);
  expect(rowsDifference(together.rows, alone.rows)).toBeUndefined();
  const folder = join(base, "batches-stopped");
  let asked = 0;
  await runWords(folder, [...words, "--threads", "2"], { interrupted: () => asked++ === 4 });
  const resumed = await resumeRun(folder, null);
  expect(rowsDifference(resumed.rows, alone.rows)).toBeUndefined();
  const all = await runWords(join(base, "no-batches"), [...WORDS, "--threads", "1"]);
  expect(Object.keys(all.rows[0].quantities).filter((path) => path.includes("batch"))).toEqual([]);
  expect(alone.rows[0].quantities["discrete/batch_sharpness"]).not.toBe(
    all.rows[0].quantities["discrete/batch_sharpness"],
  );
});

test("more threads than there can be are told in a line", () => {
  const words = WORDS.map((word) => (word === "wasm" ? "js" : word));
  const built = buildRun(configOf(...words, "--threads", "3"), nodeHost());
  expect(built.threads).toBe(1);
  expect(built.notices).toEqual(["using one thread: the js backend has no more"]);
  expect(buildRun(configOf(...words), nodeHost()).notices).toEqual([]);
});

test("a profile is kept where it is asked for", async () => {
  const { profile } = await runWords(join(base, "profiled"), [...withThreads("2"), "--profile"]);
  expect(profile?.threads).toBe(2);
  for (const { runs, seconds, products } of profile?.stages ?? []) {
    expect(seconds > 0).toBe(runs > 0);
    expect(products >= 0).toBe(true);
  }
  expect(profile?.stages.some(({ runs }) => runs > 0)).toBe(true);
  const { profile: none } = await runWords(join(base, "plain"), withThreads("1"));
  expect(none).toBeUndefined();
});
