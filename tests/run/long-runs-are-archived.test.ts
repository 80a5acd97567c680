import { copyFileSync, cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { NAMES, openRows, readJournal, readOutcome } from "../../src/record/index.ts";
import { RowColumns } from "../../src/report/index.ts";
import { openRun, type RunEvents, type RunOutcome, resumeRun, startRun } from "../../src/run/index.ts";
import type { StepRow } from "../../src/simulation/index.ts";
import {
  configOf,
  type LeftRun,
  MOONS,
  PROVENANCE,
  rowsDifference,
  rowsIn,
  runWords,
  temporaryFolder,
} from "./small-runs.ts";

const STEPS = 40;
/** A few rows: archives are made again and again. */
const options = { archiveAfter: 30_000 };
const words = [...MOONS, "--steps", String(STEPS)];
const base = temporaryFolder();
let whole: LeftRun;
beforeAll(async () => {
  whole = await runWords(join(base, "whole"), words);
});

const archives = (folder: string): string[] =>
  readdirSync(folder).filter((name) => name.startsWith("archive"));
const start = (folder: string, events?: RunEvents): Promise<RunOutcome> =>
  startRun(configOf(...words), folder, PROVENANCE, events, options);
const resume = (folder: string, steps: number | null = null, events?: RunEvents): Promise<RunOutcome> =>
  resumeRun(folder, steps, events, "0", options);

/** Says yes when asked for the n-th time. */
function after(n: number): () => boolean {
  let asked = 0;
  return () => asked++ === n;
}

/** A run that was stopped with rows in an archive and in its journal. */
async function stopped(name: string, steps = 31): Promise<string> {
  const folder = join(base, name);
  await start(folder, { interrupted: after(steps) });
  return folder;
}

test("rows that have gone to archives are those of a run without, at any moment and at the end", async () => {
  const folder = join(base, "archived");
  const lengths = new Set<number>();
  let meanwhile: Promise<readonly StepRow[]> | undefined;
  const outcome = await start(folder, {
    row: ({ index }) => {
      lengths.add(readJournal(join(folder, NAMES.journal)).head.archive?.rows ?? 0);
      if (index === 25) meanwhile = rowsIn(folder);
    },
  });
  const seen = (await meanwhile) ?? [];
  expect(seen.length).toBeGreaterThan(25);
  expect(rowsDifference(seen, whole.rows.slice(0, seen.length))).toBeUndefined();
  expect(lengths.size).toBeGreaterThan(3);
  expect(outcome.digest).toBe(whole.digest);
  expect(readdirSync(folder).sort()).toEqual(["checkpoints", "config.json", "data.hdf5", "outcome.json"]);
  expect(rowsDifference(await rowsIn(folder), whole.rows)).toBeUndefined();
  const { digest, sealed, summary } = readOutcome(folder)!;
  expect(sealed?.digests[STEPS]).toBe(digest);
  expect(Object.keys(summary)).toEqual(Object.keys(whole.summary));
});

test("a stopped run has each row once, in its archive or in its journal, and is gone on with from there", async () => {
  const folder = await stopped("stopped");
  const { head, rows } = readJournal(join(folder, NAMES.journal));
  const own = [...rows()];
  expect(own[0].index).toBe(head.archive?.rows);
  expect(own.length).toBeLessThan(31);
  expect(archives(folder)).toEqual([head.archive?.file]);
  const kept = await openRows(folder, "test");
  expect(kept.rowCount).toBe(31);
  expect(rowsDifference([...kept.rows()], whole.rows.slice(0, 31))).toBeUndefined();
  expect(rowsDifference([...kept.rows(10, 28)], whole.rows.slice(10, 28))).toBeUndefined();
  const columns = RowColumns.of(await openRun(folder, "test"));
  expect(columns.columns("central/train_loss")[0]).toEqual(
    Float64Array.from(kept.rows(), ({ quantities }) => quantities["central/train_loss"] as number),
  );
  const outcome = await resume(folder);
  expect(outcome.digest).toBe(whole.digest);
  expect(rowsDifference(await rowsIn(folder), whole.rows)).toBeUndefined();
});

test("a run that has ended is made longer without reading its rows again, twice, to the same bits", async () => {
  const folder = join(base, "longer");
  await startRun(configOf(...MOONS, "--steps", "25"), folder, PROVENANCE, {}, options);
  const lines: string[] = [];
  const notice = (line: string): number => lines.push(line);
  await resume(folder, 28, { notice });
  expect(lines.filter((line) => line.startsWith("replaying"))).toEqual([
    "replaying 1 logged steps from the checkpoint at step 24",
  ]);
  expect(archives(folder)).toEqual([]);
  expect((await resume(folder, 33, { interrupted: after(2) })).ending).toBe("interrupted");
  expect(archives(folder)).toEqual(["archive-28.hdf5"]);
  const outcome = await resume(folder, STEPS);
  expect(outcome.digest).toBe(whole.digest);
  expect(outcome.summary).toEqual(whole.summary);
  expect(rowsDifference(await rowsIn(folder), whole.rows)).toBeUndefined();
  expect(readOutcome(folder)?.restarts).toBe(3);
});

test("a byte of the archive that has changed is noticed, by name, before anything is computed", async () => {
  const folder = await stopped("damaged");
  const [name] = archives(folder);
  const path = join(folder, name);
  const good = readFileSync(path);
  for (const at of [8, good.length >> 1, good.length - 1]) {
    const bad = Buffer.from(good);
    bad[at] ^= 1;
    writeFileSync(path, bad);
    await expect(resume(folder)).rejects.toThrow(
      new RegExp(`${name}, as the journal's head tells, got another file`),
    );
  }
  rmSync(path);
  await expect(resume(folder)).rejects.toThrow(/got no such file/);
  await expect(openRows(folder, "report")).rejects.toThrow(/report: expected the first \d+ rows in archive/);
  writeFileSync(path, good);
  expect((await resume(folder)).digest).toBe(whole.digest);
});

test("archives that the journal does not name are removed, and a checkpoint of before the archive holds", async () => {
  const folder = await stopped("strays");
  const [name] = archives(folder);
  copyFileSync(join(folder, name), join(folder, "archive-7.hdf5"));
  rmSync(join(folder, "checkpoints"), { recursive: true });
  const other = await stopped("early", 9);
  cpSync(join(other, "checkpoints"), join(folder, "checkpoints"), { recursive: true });
  const outcome = await resume(folder, null, {
    row: () => expect(archives(folder)).not.toContain("archive-7.hdf5"),
  });
  expect(outcome.digest).toBe(whole.digest);
});

test("data.hdf5 of an ended run that is another file is taken where its rows have the digest, and refused where not", async () => {
  const ended = join(base, "ended");
  await startRun(configOf(...MOONS, "--steps", "20"), ended, PROVENANCE);
  const copy = (name: string): string => {
    cpSync(ended, join(base, name), { recursive: true });
    return join(base, name);
  };
  const repacked = copy("repacked");
  const path = join(repacked, NAMES.outcome);
  const { sealed, ...earlier } = JSON.parse(readFileSync(path, "utf8"));
  expect(sealed.sha256).toMatch(/^[0-9a-f]{64}$/);
  writeFileSync(path, JSON.stringify(earlier));
  expect((await resume(repacked, STEPS)).digest).toBe(whole.digest);
  const foreign = copy("foreign");
  const other = join(base, "other");
  await startRun(
    configOf(...MOONS.map((word) => (word === "0.02" ? "0.021" : word)), "--steps", "20"),
    other,
    PROVENANCE,
  );
  copyFileSync(join(other, NAMES.data), join(foreign, NAMES.data));
  await expect(resume(foreign, STEPS)).rejects.toThrow(/expected the rows that outcome.json tells of/);
  expect(existsSync(join(foreign, NAMES.outcome))).toBe(true);
});
