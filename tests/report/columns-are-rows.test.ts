import fc from "fast-check";
import { expect, test } from "vitest";
import { chartSource, columnsOf, edgeSummary, RowColumns, summaryTable } from "../../src/report/index.ts";
import { pathsUnder, stepsOf } from "../../src/report/series.ts";
import type { Quantity, StepRow } from "../../src/simulation/index.ts";
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
