import fc from "fast-check";
import { expect, test } from "vitest";
import { RowPacker, RowUnpacker } from "../../../src/lab/engine/pack.ts";
import type { Quantity, StepRow } from "../../../src/simulation/index.ts";

const array = fc
  .array(fc.nat(3), { maxLength: 3 })
  .chain((shape) =>
    fc.tuple(
      fc.constant(shape),
      fc.array(fc.double(), {
        minLength: shape.reduce((size, length) => size * length, 1),
        maxLength: shape.reduce((size, length) => size * length, 1),
      }),
      fc.boolean(),
    ),
  )
  .map(
    ([shape, data, integer]): Quantity => ({
      shape,
      data: Float64Array.from(data),
      ...(integer && { integer }),
    }),
  );

test("rows are unpacked as they were packed, message after message", () => {
  const quantity = fc.oneof(fc.double(), array);
  const row = fc.record({
    index: fc.nat(),
    step: fc.nat(),
    quantities: fc.dictionary(fc.constantFrom("a", "b/c", "d", "e"), quantity, { noNullPrototype: true }),
  });
  fc.assert(
    fc.property(fc.array(fc.array(row, { maxLength: 4 }), { maxLength: 4 }), (messages: StepRow[][]) => {
      const [packer, unpacker] = [new RowPacker(), new RowUnpacker()];
      for (const rows of messages) expect(unpacker.unpack(packer.pack(rows))).toEqual(rows);
    }),
  );
});
