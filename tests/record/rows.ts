import fc from "fast-check";
import type { JournalHead } from "../../src/record/journal.ts";
import type { Quantity, StepRow } from "../../src/simulation/rows.ts";

const double = fc.oneof(
  fc.double(),
  fc.constantFrom(NaN, Infinity, -Infinity, -0, 0, Number.MIN_VALUE, Number.MAX_VALUE, 0.1 + 0.2),
);

/** Arrays of rank 1 to 3 with axes of 0 to 3 entries. */
const array: fc.Arbitrary<Quantity> = fc.array(fc.nat(3), { minLength: 1, maxLength: 3 }).chain((shape) => {
  const size = shape.reduce((product, n) => product * n, 1);
  const entries = fc.array(double, { minLength: size, maxLength: size });
  return entries.map((data) => ({ shape, data: Float64Array.from(data) }));
});

const count: fc.Arbitrary<Quantity> = fc
  .nat()
  .map((n) => ({ shape: [], data: Float64Array.of(n), integer: true }));

/** Any rows 0, 1, … a run could log, with every kind of quantity and awkward but legal names. */
export const arbitraryRows: fc.Arbitrary<StepRow[]> = fc
  .array(fc.dictionary(fc.string({ minLength: 1 }), fc.oneof(double, array, count), { maxKeys: 5 }), {
    maxLength: 6,
  })
  .map((logs) => logs.map((quantities, index) => ({ index, step: 7 + index, quantities })));

/** A plain row: one number and one array that grows with the index. */
export function plainRow(index: number): StepRow {
  const data = Float64Array.from({ length: 1 + (index % 3) }, (_, i) => index + i / 8);
  return {
    index,
    step: index,
    quantities: { "central/train_loss": 1 / (1 + index), deltas: { shape: [data.length], data } },
  };
}

/** The head of a journal of no run in particular. */
export const HEAD: JournalHead = { configHash: "hash", config: {}, version: "0", engine: "Node" };
