import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createJournal, openJournal, readJournal } from "../../src/record/journal.ts";
import { rowDifference, type StepRow } from "../../src/simulation/rows.ts";
import { arbitraryRows, plainRow } from "./rows.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "journal-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Vitest's toEqual treats NaN as equal and tells −0 from 0, for numbers and typed arrays alike. */
test("every double, shape, integer flag and name comes back exactly", () => {
  let trial = 0;
  fc.assert(
    fc.property(arbitraryRows, (rows) => {
      const path = join(folder, `journal-${trial++}.jsonl`);
      const journal = createJournal(path, { configHash: "hash" });
      for (const row of rows) journal.append(row);
      journal.close();
      const read = readJournal(path);
      expect(read.header).toEqual({ configHash: "hash" });
      expect(read.droppedBytes).toBe(0);
      expect(read.rows).toEqual(rows);
      rows.forEach((row, i) => {
        expect(rowDifference(row, read.rows[i])).toBeUndefined();
      });
    }),
    { numRuns: 300 },
  );
});

test("reopening continues, truncating forgets, and neither touches the rows before", () => {
  const path = join(folder, "journal.jsonl");
  const first = createJournal(path, { configHash: "hash" });
  for (let i = 0; i < 5; i++) first.append(plainRow(i));
  first.close();
  const { journal, rows } = openJournal(path, { fsync: true });
  expect(rows).toHaveLength(5);
  journal.truncateTo(9);
  expect(journal.rowCount).toBe(5);
  journal.truncateTo(3);
  expect(readJournal(path).rows).toEqual([0, 1, 2].map(plainRow));
  journal.append(plainRow(3));
  journal.sync();
  expect(readJournal(path).rows).toEqual([0, 1, 2, 3].map(plainRow));
  expect(readJournal(path).validBytes).toBeGreaterThan(0);
  expect(() => journal.append(plainRow(9))).toThrow("expected row 4, got row 9");
  expect(() => journal.truncateTo(-1)).toThrow(RangeError);
  journal.close();
});

test("a journal is never overwritten, and its folder must exist", () => {
  const path = join(folder, "journal.jsonl");
  createJournal(path, { configHash: "hash" }).close();
  expect(() => createJournal(path, { configHash: "other" })).toThrow(/resume it or choose another expid/);
  expect(() => createJournal(join(folder, "no", "journal.jsonl"), { configHash: "" })).toThrow(
    /no such folder/,
  );
  expect(() => readJournal(join(folder, "absent.jsonl"))).toThrow(/ENOENT/);
});

test("rows differ in the bit that differs, times aside", () => {
  const row = (quantities: StepRow["quantities"]): StepRow => ({ index: 0, step: 0, quantities });
  const pair = (data: number[]) => ({ shape: [data.length], data: Float64Array.from(data) });
  const same = row({ a: NaN, b: pair([1, -0]), "central/times/eig": 1 });
  expect(rowDifference(same, row({ a: NaN, b: pair([1, -0]), "central/times/eig": 2 }))).toBeUndefined();
  expect(rowDifference(same, row({ a: NaN, b: pair([1, 0]) }))).toBe("b");
  expect(rowDifference(same, row({ a: NaN, b: pair([1]) }))).toBe("b");
  expect(rowDifference(same, row({ a: NaN }))).toBe("b");
  expect(rowDifference(row({ a: 1 }), row({ a: 1 + Number.EPSILON }))).toBe("a");
  expect(
    rowDifference(row({ a: 1 }), row({ a: { shape: [], data: Float64Array.of(1), integer: true } })),
  ).toBe("a");
  expect(rowDifference(row({}), { ...row({}), step: 1 })).toBe("step");
  expect(rowDifference(row({}), { ...row({}), index: 1 })).toBe("index");
});
