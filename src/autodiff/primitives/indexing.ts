/** Reading and adding rows of a table by index: each is the other's transpose. */
import { valueError } from "../../base/index.ts";
import { formatShape, sameShape, sizeOf } from "../graph/shape.ts";
import { iota } from "../tensor/iota.ts";
import { array, equal, gather, reshape, scatterAdd, select } from "../tensor/operations.ts";
import type { PrimitiveRule } from "./rule.ts";

/** Linear in the table; indices have no tangent. An index that is no row gives NaN, never another row's numbers. */
export const gatherRule: PrimitiveRule<"gather"> = {
  access: "contiguous",
  shape(_, [table, indices]) {
    if (table.length === 0) throw valueError("gather", "a table with at least one axis", formatShape(table));
    return [...indices, ...table.slice(1)];
  },
  jvp: ({ primals: [, indices], tangents: [dTable] }) => dTable && gather(dTable, indices),
  transpose: ({ operands: [table, indices], cotangent }) => [
    scatterAdd(cotangent, indices, table.shape[0]),
    undefined,
  ],
  kernel(_, [table, indices]) {
    const rows = table.shape[0];
    const width = sizeOf(table.shape.slice(1));
    const count = sizeOf(indices.shape);
    return (memory, at) => {
      for (let i = 0; i < count; i++) {
        const row = memory[at[2] + i];
        const to = at[0] + i * width;
        if (row >= 0 && row < rows && row === Math.floor(row)) {
          const from = at[1] + row * width;
          memory.copyWithin(to, from, from + width);
        } else memory.fill(Number.NaN, to, to + width);
      }
    };
  },
  cost: () => ({ flops: 0, products: 0 }),
};

/**
 * Linear in the updates. Updates are added in the order of their indices; one whose index is no row is dropped, and
 * its cotangent is 0, where gather alone would give NaN.
 */
export const scatterAddRule: PrimitiveRule<"scatterAdd"> = {
  access: "contiguous",
  shape({ rows }, [updates, indices]) {
    if (!sameShape(updates.slice(0, indices.length), indices) || !Number.isSafeInteger(rows) || rows < 0)
      throw valueError(
        "scatterAdd",
        `updates whose first axes are those of the indices ${formatShape(indices)}, and a number of rows`,
        `${formatShape(updates)} and ${rows}`,
      );
    return [rows, ...updates.slice(indices.length)];
  },
  jvp: ({ params, primals: [, indices], tangents: [dUpdates] }) =>
    dUpdates && scatterAdd(dUpdates, indices, params.rows),
  transpose({ params: { rows }, operands: [updates, indices], cotangent }) {
    const isRow = equal(gather(array(indices, iota(rows), [rows]), indices), indices);
    const perUpdate = updates.shape.map((length, axis) => (axis < indices.shape.length ? length : 1));
    return [select(reshape(isRow, perUpdate), gather(cotangent, indices), 0), undefined];
  },
  kernel({ rows }, [updates, indices], shape) {
    const width = sizeOf(updates.shape.slice(indices.shape.length));
    const count = sizeOf(indices.shape);
    const size = sizeOf(shape);
    return (memory, at) => {
      memory.fill(0, at[0], at[0] + size);
      for (let i = 0; i < count; i++) {
        const row = memory[at[2] + i];
        if (!(row >= 0 && row < rows && row === Math.floor(row))) continue;
        const to = at[0] + row * width;
        const from = at[1] + i * width;
        for (let j = 0; j < width; j++) memory[to + j] += memory[from + j];
      }
    };
  },
  cost: (_, [updates]) => ({ flops: sizeOf(updates), products: 0 }),
};
