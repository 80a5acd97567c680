import { spawn, spawnSync } from "node:child_process";
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { FolderBusyError, NAMES, readCheckpoint, writeCheckpoint } from "../../src/record/index.ts";
import { openRun, resumeRun as resume } from "../../src/run/index.ts";
import {
  type LeftRun,
  MOONS,
  PROVENANCE,
  resumeRun,
  rowsDifference,
  runWords,
  temporaryFolder,
} from "./small-runs.ts";

const base = temporaryFolder();
const STEPS = 12;
const words = [...MOONS, "--steps", String(STEPS), "--checkpoint.frequency", "4"];
const stopped = join(base, "stopped");
let whole: LeftRun;
beforeAll(async () => {
  whole = await runWords(join(base, "whole"), words);
  let asked = 0;
  await runWords(stopped, words, { interrupted: () => asked++ === 7 });
});

const copyOf = (name: string): string => {
  const folder = join(base, name);
  cpSync(stopped, folder, { recursive: true });
  return folder;
};
const lockOf = (folder: string, lock: object): string => {
  const path = join(folder, "lock");
  writeFileSync(path, JSON.stringify(lock));
  return path;
};
const gone = (): number => spawnSync(process.execPath, ["-e", ""]).pid;

describe("one writer at a time", () => {
  test("of two who start in one folder one does, the other is told who, and nothing of the first is touched", async () => {
    const folder = join(base, "two");
    const results = await Promise.allSettled([runWords(folder, words), runWords(folder, words)]);
    expect(results.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    for (const result of results)
      if (result.status === "rejected") expect(result.reason).toBeInstanceOf(FolderBusyError);
      else expect(rowsDifference(result.value.rows, whole.rows)).toBeUndefined();
    expect(existsSync(join(folder, "lock"))).toBe(false);
  });

  test("a run and its resume exclude each other", async () => {
    const folder = copyOf("resumed-twice");
    const results = await Promise.allSettled([resumeRun(folder, null), resumeRun(folder, null)]);
    expect(results.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    const { rows } = await resumeRun(folder, null);
    expect(rowsDifference(rows, whole.rows)).toBeUndefined();
  });

  test("the lock of a process that is gone is taken over, that of a living one is not", async () => {
    const folder = copyOf("stale");
    lockOf(folder, { host: hostname(), pid: gone(), start: "" });
    expect((await resumeRun(folder, null)).ending).toBe("finished");
    const other = copyOf("held");
    const sleeper = spawn(process.execPath, ["-e", "setTimeout(() => {}, 60000)"]);
    try {
      lockOf(other, { host: hostname(), pid: sleeper.pid, start: "" });
      await expect(resumeRun(other, null)).rejects.toThrow(
        /a folder that nobody writes, got .*held.*process \d+ on/,
      );
      // The same number, started at another time: not that process.
      if (existsSync("/proc/self/stat")) {
        lockOf(other, { host: hostname(), pid: sleeper.pid, start: "1" });
        expect((await resumeRun(other, null)).ending).toBe("finished");
      }
    } finally {
      sleeper.kill();
    }
  });

  test("a lock of another host counts while it is touched", async () => {
    const folder = copyOf("elsewhere");
    const lock = lockOf(folder, { host: "elsewhere", pid: 1, start: "" });
    await expect(resumeRun(folder, null)).rejects.toThrow(/process 1 on elsewhere/);
    const before = Date.now() / 1000 - 61;
    utimesSync(lock, before, before);
    expect((await resumeRun(folder, null)).ending).toBe("finished");
  });
});

describe("nothing of others is overwritten", () => {
  test("data.hdf5 without a journal is not", async () => {
    const folder = join(base, "authors");
    mkdirSync(folder);
    writeFileSync(join(folder, NAMES.data), "theirs");
    await expect(runWords(folder, words)).rejects.toThrow(/which has data\.hdf5 of another program/);
    await expect(resumeRun(folder, null)).rejects.toThrow(/resume: expected/);
    expect(readdirSync(folder)).toEqual([NAMES.data]);
    expect(readFileSync(join(folder, NAMES.data), "utf8")).toBe("theirs");
  });

  test("a link at a name that is written is replaced, not followed", async () => {
    const folder = copyOf("linked");
    const victim = join(base, "victim");
    writeFileSync(victim, "precious");
    for (const name of [NAMES.outcome, "report.html"]) symlinkSync(victim, join(folder, `.${name}.tmp`));
    symlinkSync(victim, join(folder, NAMES.checkpoints, ".latest.npz.tmp"));
    await resumeRun(folder, null);
    expect(readFileSync(victim, "utf8")).toBe("precious");
  });

  test("what cannot be run leaves no folder behind", async () => {
    const folder = join(base, "nothing", "inside");
    await expect(runWords(folder, [...words, "--init", join(base, "none.npz")])).rejects.toThrow(/--init/);
    expect(existsSync(join(base, "nothing"))).toBe(false);
  });
});

describe("a checkpoint counts where it belongs", () => {
  const heard = async (folder: string): Promise<{ readonly told: string; readonly run: LeftRun }> => {
    const lines: string[] = [];
    const run = await resumeRun(folder, null, { notice: (line) => lines.push(line) });
    return { told: lines.join("\n"), run };
  };

  test.each([
    [
      "of another run",
      "another",
      (at: string) => copyFileSync(join(base, "another", NAMES.checkpoints, "checkpoint_4.npz"), at),
    ],
    [
      "damaged",
      "damaged",
      (at: string) =>
        writeFileSync(
          at,
          readFileSync(at).map((byte, i) => (i === 300 ? byte ^ 1 : byte)),
        ),
    ],
    ["no checkpoint at all", "none", (at: string) => writeFileSync(at, "nothing")],
    [
      "of rows that the journal does not have",
      "newer",
      (at: string) => copyFileSync(join(base, "whole", NAMES.checkpoints, "checkpoint_8.npz"), at),
    ],
    [
      "of these settings and other rows",
      "rows",
      (at: string) => {
        const { index, arrays } = readCheckpoint(at);
        writeCheckpoint(at, { index, arrays }, "0".repeat(64));
      },
    ],
  ])("one %s is passed over by name", async (_, name, harm) => {
    const other = words.map((word) => (word === "0.02" ? "0.021" : word));
    if (!existsSync(join(base, "another"))) await runWords(join(base, "another"), other);
    const folder = copyOf(`passed-${name}`);
    harm(join(folder, NAMES.checkpoints, NAMES.resume));
    const { told, run } = await heard(folder);
    expect(told).toMatch(/passing over checkpoints\/resume\.npz: /);
    expect(told).toMatch(/replaying 3 logged steps from the checkpoint at step 4/);
    expect(rowsDifference(run.rows, whole.rows)).toBeUndefined();
  });

  test("at least one row is always computed again, and without checkpoints all are", async () => {
    const { told, run } = await heard(copyOf("one-row"));
    expect(told).toContain("replaying 1 logged steps from the checkpoint at step 6");
    expect(rowsDifference(run.rows, whole.rows)).toBeUndefined();
    const bare = copyOf("no-checkpoints");
    for (const name of readdirSync(join(bare, NAMES.checkpoints)))
      writeFileSync(join(bare, NAMES.checkpoints, name), "");
    const all = await heard(bare);
    expect(all.told).toContain("replaying 7 logged steps from the checkpoint at step 0");
    expect(rowsDifference(all.run.rows, whole.rows)).toBeUndefined();
  });
});

test("settings of one run and rows of another are not drawn as one", async () => {
  const folder = copyOf("mixed");
  const path = join(folder, NAMES.config);
  const json = JSON.parse(readFileSync(path, "utf8"));
  writeFileSync(path, JSON.stringify({ ...json, seed: 5 }));
  await expect(openRun(folder, "report")).rejects.toThrow(
    /report: expected a config\.json and rows of one run/,
  );
  writeFileSync(path, JSON.stringify({ ...json, expid: "renamed" }));
  expect((await openRun(folder, "report")).rowCount).toBe(7);
});

test("a line tells when a run goes on under another version", async () => {
  const told = async (name: string, version: string): Promise<string> => {
    const lines: string[] = [];
    await resume(copyOf(name), null, { notice: (line) => lines.push(line) }, version);
    return lines.join("\n");
  };
  expect(await told("same-version", PROVENANCE.version)).not.toContain("going on with");
  expect(await told("other-version", "99.0.0")).toMatch(
    /started by central-flows 0 on Node .*, going on with central-flows 99\.0\.0/,
  );
});

test("a run whose config.json a crash has not left is what its journal says", async () => {
  const folder = copyOf("no-config");
  spawnSync("rm", [join(folder, NAMES.config)]);
  const { rows } = await resumeRun(folder, null);
  expect(rowsDifference(rows, whole.rows)).toBeUndefined();
  const written = ["whole", "no-config"].map((run) =>
    JSON.parse(readFileSync(join(base, run, NAMES.config), "utf8")),
  );
  expect({ ...written[1], expid: "" }).toEqual({ ...written[0], expid: "" });
});
