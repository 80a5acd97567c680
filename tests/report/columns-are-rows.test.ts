import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { extentsOf, readStoredRows, writeHdf5 } from "../../src/record/index.ts";
import { chartSource, columnsOf, edgeSummary, RowColumns, summaryTable } from "../../src/report/index.ts";
import { pathsUnder, stepsOf } from "../../src/report/series.ts";
import { type Quantity, type StepRow, withoutPadding } from "../../src/simulation/index.ts";
import { syntheticRun } from "./synthetic-run.ts";

const entry = fc.oneof(fc.double(), fc.constant(Number.NaN));
const quantity: fc.Arbitrary<Quantity> = fc.oneof(
  entry,
  fc
    .array(entry, { maxLength: 5 })
    .map((values) => ({ shape: [values.length], data: Float64Array.from(values) })),
);
const rows: fc.Arbitrary<StepRow[]> = fc
  .array(fc.dictionary(fc.constantFrom("a", "b/c", "b/d"), quantity, { noNullPrototype: true }), {
    maxLength: 40,
  })
  .map((all) => all.map((quantities, index) => ({ index, step: 3 + index, quantities })));

test("a run as columns has the columns, the paths and the steps of its rows, bit for bit", () => {
  fc.assert(
    fc.property(rows, (run) => {
      const columns = new RowColumns(run);
      expect(columns.length).toBe(run.length);
      expect(stepsOf(columns)).toEqual(stepsOf(run));
      expect(pathsUnder(columns, "b/")).toEqual(pathsUnder(run, "b/"));
      for (const path of ["a", "b/c", "b/d", "none"])
        expect(columnsOf(columns, path)).toEqual(columnsOf(run, path));
    }),
  );
});

test("summaries and charts of a run as columns are those of its rows", () => {
  const run = syntheticRun(120);
  const columns = new RowColumns(run);
  expect(summaryTable(columns, 2)).toEqual(summaryTable(run, 2));
  expect(edgeSummary(columns, 2)).toEqual(edgeSummary(run, 2));
  const { rows: _, ...source } = chartSource(columns, 2);
  expect(source).toEqual((({ rows: __, ...rest }) => rest)(chartSource(run, 2)));
});

/** Of each quantity one rank, as a run has it: numbers, vectors and matrices that grow and shrink, counts. */
const ranked: fc.Arbitrary<StepRow[]> = fc
  .array(
    fc.record(
      {
        "a/number": entry,
        "a/vector": fc
          .array(entry, { maxLength: 5 })
          .map((values): Quantity => ({ shape: [values.length], data: Float64Array.from(values) })),
        "a/matrix": fc
          .integer({ min: 0, max: 3 })
          .chain((k) =>
            fc.array(entry, { minLength: k * k, maxLength: k * k }).map((values) => [k, values] as const),
          )
          .map(([k, values]): Quantity => ({ shape: [k, k], data: Float64Array.from(values) })),
        "b/count": fc.nat().map((n): Quantity => ({ shape: [], data: Float64Array.of(n), integer: true })),
      },
      { requiredKeys: [], noNullPrototype: true },
    ),
    { minLength: 1, maxLength: 40 },
  )
  .map((all) => all.map((quantities, index) => ({ index, step: 3 + index, quantities })));

/** A row as a file gives it back: without what only pads. */
const unpadded = ({ index, step, quantities }: StepRow): StepRow => {
  const kept = Object.entries(quantities).flatMap(([path, quantity]): [string, Quantity][] => {
    const cut = withoutPadding(quantity);
    return cut === undefined ? [] : [[path, cut]];
  });
  return { index, step, quantities: Object.fromEntries(kept) };
};

test("columns whose first rows are read from a file are those of the rows, wherever the file ends", async () => {
  const folder = mkdtempSync(join(tmpdir(), "columns-"));
  try {
    await fc.assert(
      fc.asyncProperty(ranked, fc.nat(), async (given, cut) => {
        const run = given.map(unpadded);
        const first = run.slice(0, 1 + (cut % run.length));
        const path = join(folder, "data.hdf5");
        await writeHdf5(path, extentsOf(first), { rowCount: first.length, rows: () => first });
        const stored = await readStoredRows(path);
        const columns = RowColumns.of({ rows: (from) => run.slice(from), stored });
        expect(columns.length).toBe(run.length);
        expect(stepsOf(columns)).toEqual(stepsOf(run));
        for (const name of ["a/number", "a/vector", "a/matrix", "b/count", "none"])
          expect(columnsOf(columns, name)).toEqual(columnsOf(run, name));
      }),
      { numRuns: 60 },
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});
