import fc from "fast-check";
import { expect, test } from "vitest";
import { argvOf } from "../../../src/lab/index.ts";
import { programOf } from "../../../src/lab/link/program.ts";
import { csvOf, readRun, saveRun } from "../../../src/lab/link/saved.ts";
import type { StepRow } from "../../../src/simulation/index.ts";

const rows: fc.Arbitrary<StepRow[]> = fc.array(
  fc.record({
    index: fc.nat(),
    step: fc.nat(),
    quantities: fc.dictionary(
      fc.constantFrom("a/b", "c"),
      fc.oneof(
        fc.double(),
        fc
          .array(fc.double(), { maxLength: 4 })
          .map((data) => ({ shape: [data.length], data: Float64Array.from(data) })),
      ),
      { noNullPrototype: true },
    ),
  }),
  { maxLength: 5 },
);

test("a saved run comes back, every number to the bit", () => {
  fc.assert(
    fc.property(rows, (all) => {
      const saved = { link: "opt=gd", criticalValue: 2, rows: all };
      expect(readRun(saveRun(saved))).toEqual(saved);
    }),
  );
});

test("other files are refused in words", () => {
  expect(() => readRun("not JSON")).toThrow("file: expected a run that the lab has saved as JSON");
  for (const text of ["{}", "null", '{"form":"central-flows lab 9"}', "[]"])
    expect(() => readRun(text), text).toThrow('file: expected one of the form "central-flows lab 1"');
});

test("the CSV has a line a row, and a column for each quantity that is one number", () => {
  const row = (index: number): StepRow => ({
    index,
    step: index + 2,
    quantities: {
      x: index / 2,
      many: { shape: [2], data: Float64Array.of(1, 2) },
      ...(index > 0 && { late: 7 }),
    },
  });
  expect(csvOf([row(0), row(1)])).toBe("step,x,late\n2,0,\n3,0.5,7\n");
});

test("the program has the words of the command line", () => {
  const pairs = new Map([
    ["opt", "gd"],
    ["opt.lr", "0.3"],
  ]);
  const program = programOf(pairs);
  for (const word of argvOf(pairs)) expect(program).toContain(JSON.stringify(word));
});
