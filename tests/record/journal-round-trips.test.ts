import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { RowDigest } from "../../src/record/digest.ts";
import { createJournal, openJournal, readJournal, restoreJournal } from "../../src/record/journal.ts";
import { rowDifference, type StepRow } from "../../src/simulation/rows.ts";
import { arbitraryRows, HEAD, plainRow } from "./rows.ts";

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
      const journal = createJournal(path, HEAD);
      for (const row of rows) journal.append(row);
      const middle = Math.floor(rows.length / 2);
      expect([...journal.rows(0, middle), ...journal.rows(middle)]).toEqual([...readJournal(path).rows()]);
      journal.close();
      const read = readJournal(path);
      const kept = [...read.rows()];
      expect(read.head).toEqual(HEAD);
      expect(read.droppedBytes).toBe(0);
      expect(kept).toEqual(rows);
      rows.forEach((row, i) => {
        expect(rowDifference(row, kept[i])).toBeUndefined();
      });
    }),
    { numRuns: 300 },
  );
});

test("reopening continues, any stretch can be read, and neither touches the rows before", () => {
  const path = join(folder, "journal.bin");
  const first = createJournal(path, HEAD);
  for (let i = 0; i < 5; i++) first.append(plainRow(i));
  first.close();
  const { journal, rowCount, rows } = openJournal(path);
  expect(rowCount).toBe(5);
  expect([...rows(1, 3)]).toEqual([1, 2].map(plainRow));
  expect([...rows(4, 9)]).toEqual([plainRow(4)]);
  expect([...rows(5)]).toEqual([]);
  journal.append(plainRow(5));
  expect([...readJournal(path).rows()]).toEqual([0, 1, 2, 3, 4, 5].map(plainRow));
  expect(() => journal.append(plainRow(9))).toThrow("expected row 6, got row 9");
  journal.close();
});

test("rows of many blocks are read as they were written, and take 8 bytes a number and a few", () => {
  const path = join(folder, "journal.bin");
  const journal = createJournal(path, HEAD);
  const wide = (index: number): StepRow => ({
    index,
    step: index,
    quantities: {
      x: { shape: [100, 50], data: Float64Array.from({ length: 5000 }, (_, i) => index + i / 7) },
    },
  });
  for (let i = 0; i < 120; i++) journal.append(wide(i));
  journal.close();
  let index = 0;
  for (const row of readJournal(path).rows()) expect(row).toEqual(wide(index++));
  expect(index).toBe(120);
  expect(statSync(path).size).toBeLessThan(120 * (8 * 5000 + 64) + 512);
});

test("a journal that is deleted while it is written is noticed at the next row", () => {
  const path = join(folder, "journal.bin");
  const journal = createJournal(path, HEAD);
  journal.append(plainRow(0));
  rmSync(path);
  expect(() => journal.append(plainRow(1))).toThrow(
    /to stay while its run goes, got it deleted after 1 rows/,
  );
});

test("a restored journal has the rows, all or none", () => {
  const path = join(folder, "journal.bin");
  restoreJournal(path, HEAD, [0, 1, 2].map(plainRow));
  expect([...readJournal(path).rows()]).toEqual([0, 1, 2].map(plainRow));
  const other = join(folder, "other.bin");
  expect(() => restoreJournal(other, HEAD, [0, 2].map(plainRow))).toThrow(/expected row 1, got row 2/);
  expect(readdirSync(folder)).toEqual(["journal.bin"]);
});

test("a journal is never overwritten, and its folder must exist", () => {
  const path = join(folder, "journal.jsonl");
  createJournal(path, HEAD).close();
  expect(() => createJournal(path, HEAD)).toThrow(/resume it or choose another expid/);
  expect(() => createJournal(join(folder, "no", "journal.jsonl"), HEAD)).toThrow(/no such folder/);
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

test("padding is no difference, and changes no digest; every bit of a number does", () => {
  const row = (quantities: StepRow["quantities"]): StepRow => ({ index: 0, step: 0, quantities });
  const array = (shape: number[], ...data: number[]) => ({ shape, data: Float64Array.from(data) });
  const whole = (n: number) => ({ shape: [], data: Float64Array.of(n), integer: true as const });
  const digest = (of: StepRow) => {
    const hash = new RowDigest();
    hash.add(of);
    return hash.value;
  };
  const a = row({ k: array([2], 1, 2), X: array([1, 1], 5), n: whole(3), "p/times/x": 1 });
  const b = row({
    n: whole(3),
    X: array([2, 2], 5, NaN, NaN, NaN),
    k: array([3], 1, 2, NaN),
    y: NaN,
    m: whole(0),
  });
  expect(rowDifference(a, b)).toBeUndefined();
  expect(digest(a)).toBe(digest(b));
  for (const other of [
    row({ ...a.quantities, k: array([2], 1, 2 + 2 ** -51) }),
    row({ ...a.quantities, X: array([1, 1], -5) }),
    row({ ...a.quantities, n: whole(4) }),
    row({ ...a.quantities, k: array([2], 1, -0) }),
    { ...a, step: 1 },
  ]) {
    expect(rowDifference(a, other)).toBeDefined();
    expect(digest(other)).not.toBe(digest(a));
  }
});
