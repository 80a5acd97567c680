import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { crc32, readNpz, type WritableArray, writeNpz } from "../../src/data/index.ts";
import { NAMES, readOldJournal } from "../../src/record/index.ts";
import { openRun } from "../../src/run/index.ts";
import { type Quantity, quantityData, quantityShape, type StepRow } from "../../src/simulation/index.ts";
import { MOONS, resumeRun, rowsDifference, rowsIn, runWords, temporaryFolder } from "./small-runs.ts";

const base = temporaryFolder();
const words = [...MOONS, "--steps", "9", "--checkpoint.frequency", "4", "--log.outputs-every", "1"];

const encodeNumber = (x: number): number | string =>
  Object.is(x, -0) ? "-0" : Number.isFinite(x) ? x : String(x);

function encodeQuantity(quantity: Quantity): unknown {
  if (typeof quantity === "number") return encodeNumber(quantity);
  const data = Array.from(quantityData(quantity), encodeNumber);
  return { shape: quantityShape(quantity), data, ...(quantity.integer && { integer: true }) };
}

/** A line of the journal of 0.1.0. */
function line(record: object): string {
  const body = JSON.stringify(record).slice(0, -1);
  return `${body},"crc32":"${crc32(new TextEncoder().encode(body)).toString(16).padStart(8, "0")}"}\n`;
}

const rowLine = ({ index, step, quantities }: StepRow): string => {
  const encoded = Object.entries(quantities).map(([path, quantity]) => [path, encodeQuantity(quantity)]);
  return line({ index, step, quantities: Object.fromEntries(encoded) });
};

/** Makes of a stopped run's folder what 0.1.0 would have left: its journal, checkpoints bound to nothing. */
async function age(folder: string, checkpoints: readonly string[]): Promise<StepRow[]> {
  const rows = await rowsIn(folder);
  const head = line({ format: "central-flows journal", version: 1, configHash: "0123456789abcdef" });
  writeFileSync(join(folder, NAMES.oldJournal), [head, ...rows.map(rowLine)].join(""));
  for (const name of [NAMES.journal, NAMES.data]) rmSync(join(folder, name));
  rmSync(join(folder, NAMES.checkpoints, NAMES.resume));
  const path = join(folder, NAMES.config);
  const { log: _, ...json } = JSON.parse(readFileSync(path, "utf8"));
  writeFileSync(path, JSON.stringify(json));
  for (const name of checkpoints) {
    const at = join(folder, NAMES.checkpoints, name);
    const arrays = new Map<string, WritableArray>(readNpz(readFileSync(at)));
    arrays.delete("binding");
    writeFileSync(at, writeNpz(arrays));
  }
  return rows;
}

test("a folder of version 0.1.0 is read, and goes on to the same rows with all network outputs", async () => {
  const whole = await runWords(join(base, "whole"), words);
  for (const [name, torn] of [
    ["clean", false],
    ["torn", true],
  ] as const) {
    const folder = join(base, name);
    let asked = 0;
    await runWords(folder, words, { interrupted: () => asked++ === 6 });
    const rows = await age(folder, ["checkpoint_0.npz", "checkpoint_4.npz", NAMES.latest]);
    const journal = join(folder, NAMES.oldJournal);
    if (torn) writeFileSync(journal, readFileSync(journal).subarray(0, -20));
    const kept = torn ? 5 : 6;
    expect([...readOldJournal(journal).rows()]).toEqual(rows.slice(0, kept));
    expect([...readOldJournal(journal).rows(2, 4)]).toEqual(rows.slice(2, 4));
    expect((await openRun(folder, "report")).rowCount).toBe(kept);
    const told: string[] = [];
    const last = await resumeRun(folder, null, { notice: (each) => told.push(each) });
    expect(told.join("\n")).toMatch(/started by version 0\.1\.0/);
    expect(told.join("\n")).toMatch(/from the checkpoint at step 4/);
    expect(/torn by the stop/.test(told.join("\n"))).toBe(torn);
    expect(rowsDifference(last.rows, whole.rows)).toBeUndefined();
  }
});

test("a checkpoint of 0.1.0 that is of another run is found out by its next row", async () => {
  const folder = join(base, "foreign");
  let asked = 0;
  await runWords(folder, words, { interrupted: () => asked++ === 6 });
  const other = join(base, "other");
  await runWords(
    other,
    words.map((word) => (word === "0.02" ? "0.021" : word)),
  );
  writeFileSync(
    join(folder, NAMES.checkpoints, "checkpoint_4.npz"),
    readFileSync(join(other, NAMES.checkpoints, "checkpoint_4.npz")),
  );
  await age(folder, ["checkpoint_0.npz", "checkpoint_4.npz", NAMES.latest]);
  const told: string[] = [];
  const last = await resumeRun(folder, null, { notice: (each) => told.push(each) });
  expect(told.join("\n")).toMatch(/passing over checkpoints\/checkpoint_4\.npz: the row after it is not/);
  expect(rowsDifference(last.rows, await rowsIn(join(base, "whole")))).toBeUndefined();
});

test("one that has all its rows is told of, and nothing in it is touched", async () => {
  const folder = join(base, "complete");
  let asked = 0;
  await runWords(folder, words, { interrupted: () => asked++ === 6 });
  const rows = await age(folder, []);
  const told: string[] = [];
  const { ending, rowCount } = await resumeRun(folder, rows.length, { notice: (each) => told.push(each) });
  expect([ending, rowCount]).toEqual(["finished", rows.length]);
  expect(told).toEqual([`all ${rows.length} steps are logged already; nothing is computed`]);
});
