import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { NAMES, readJournal, readOutcome } from "../../src/record/index.ts";
import { buildRunnable } from "../support/build.ts";
import { MOONS, runWords, temporaryFolder } from "./small-runs.ts";

const base = temporaryFolder();
const words = [...MOONS, "--steps", "1"];

test("an engine without WebAssembly computes the same bits, with a line for the backend and one for data.hdf5", async () => {
  const { digest } = await runWords(join(base, "with"), words);
  const built = buildRunnable(`jitless-${process.pid}`);
  const folder = join(base, "without");
  const { status, stderr } = spawnSync(
    process.execPath,
    ["--jitless", built.main, "run", ...words, "--out", folder],
    { encoding: "utf8" },
  );
  rmSync(built.folder, { recursive: true, force: true });
  expect(status, stderr).toBe(0);
  expect(stderr).toContain("using the js backend: this host has no WebAssembly");
  expect(stderr).toMatch(
    /data\.hdf5 is not written: expected WebAssembly.*the journal has every row and stays/,
  );
  const outcome = readOutcome(folder);
  expect(outcome?.backend).toBe("js");
  expect(outcome?.digest).toBe(digest);
  expect(readJournal(join(folder, NAMES.journal)).rowCount).toBe(1);
});
