import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { expect, test } from "vitest";
import { Random } from "../../src/base/index.ts";
import { readHdf5, readJournal, rowsOfDataSets } from "../../src/record/index.ts";
import { LATEST_CHECKPOINT } from "../../src/run/run.ts";
import { MOONS, rowsDifference, runWords, temporaryFolder } from "./small-runs.ts";

const KILLS = 20;
const MAIN = new URL("../../src/cli/main.ts", import.meta.url).pathname;
const WORDS = [...MOONS, "--steps", "300", "--checkpoint.frequency", "7"];

const sizeOf = (path: string): number => (existsSync(path) ? statSync(path).size : 0);

/** Runs a command line in a process of its own until it ends, or until `moment` comes and kills it. */
async function runUntil(
  words: readonly string[],
  moment?: () => Promise<unknown>,
): Promise<"ended" | "killed"> {
  const child = spawn(process.execPath, ["--import", "tsx", MAIN, ...words], { stdio: "ignore" });
  const exit = once(child, "exit");
  if (moment) {
    await Promise.race([moment(), exit]);
    child.kill("SIGKILL");
  }
  const [code, signal] = await exit;
  if (signal === null) expect(code).toBe(0);
  return signal === null ? "ended" : "killed";
}

/** Waits until a file grows, then some milliseconds more. */
async function afterGrowth(path: string, milliseconds: number): Promise<void> {
  const before = sizeOf(path);
  while (sizeOf(path) <= before) await setTimeout(5);
  await setTimeout(milliseconds);
}

test("killed twenty times at random moments and resumed, a run has the rows and weights of one left in peace", async () => {
  const base = temporaryFolder();
  const [peaceful, disturbed] = [join(base, "peaceful"), join(base, "disturbed")];
  const { rows } = await runWords(peaceful, WORDS);
  const journal = join(disturbed, "journal.jsonl");
  const next = (): string[] =>
    existsSync(journal) ? ["resume", disturbed, "--quiet"] : ["run", ...WORDS, "--out", disturbed, "--quiet"];
  const random = new Random(Date.now(), "kills");
  let inside = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    // Every fourth kill falls into the start or the replay, the others into the rows.
    const milliseconds = 150 * random.uniform();
    const moment =
      kill % 4 === 3 ? () => setTimeout(6 * milliseconds) : () => afterGrowth(journal, milliseconds);
    const ending = await runUntil(next(), moment);
    if (!existsSync(journal)) continue;
    const kept = readJournal(journal).rows;
    expect(rowsDifference(kept, rows.slice(0, kept.length))).toBeUndefined();
    if (ending === "killed" && kept.length > 0 && kept.length < rows.length) inside++;
    const data = join(disturbed, "data.hdf5");
    if (existsSync(data)) {
      const stored = rowsOfDataSets(await readHdf5(data));
      expect(stored.length).toBeLessThanOrEqual(kept.length);
    }
  }
  expect(await runUntil(next())).toBe("ended");
  expect(inside).toBeGreaterThan(KILLS / 2);
  expect(rowsDifference(readJournal(journal).rows, rows)).toBeUndefined();
  const saved = (folder: string): string[] =>
    readdirSync(join(folder, "checkpoints")).filter((name) => !name.startsWith("."));
  expect(saved(disturbed).sort()).toEqual(saved(peaceful).sort());
  expect(saved(peaceful)).toContain(LATEST_CHECKPOINT);
  for (const name of saved(peaceful)) {
    const [a, b] = [peaceful, disturbed].map((folder) => readFileSync(join(folder, "checkpoints", name)));
    expect(a.equals(b), name).toBe(true);
  }
  const sets = await Promise.all([peaceful, disturbed].map((folder) => readHdf5(join(folder, "data.hdf5"))));
  const timeless = sets.map((list) => list.filter(({ path }) => !path.includes("/times/")));
  expect(timeless[0]).toEqual(timeless[1]);
}, 180_000);
