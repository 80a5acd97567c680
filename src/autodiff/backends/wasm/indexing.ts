/** Lowers gather and scatterAdd: one visit of the indices in order, a row of memory for each. */
import {
  type Call,
  type Code,
  f64x2,
  fillCalls,
  gain,
  i32,
  i32x4,
  int,
  kernelWords,
  type Local,
  loopWhile,
  loseOne,
  ModuleWriter,
  repeatWhile,
  type Scope,
  v128,
  when,
  wholeArrays,
} from "../../../wasm/index.ts";
import type { PrimitiveParams } from "../../graph/graph.ts";
import { type Shape, sizeOf } from "../../graph/shape.ts";
import type { Layout } from "../../primitives/rule.ts";

/** Result, table or updates, indices; how many indices, entries of a row, rows of the table or of the result. */
const WORDS = kernelWords(["to", "from", "indices"], ["count", "width", "rows"]);
const { word } = WORDS;
const arrays = wholeArrays(3);

/** Rows of a table; NaN for an index that is no row. */
export function lowerGather([table, indices]: readonly Layout[]): Call[] {
  const width = sizeOf(table.shape.slice(1));
  const count = sizeOf(indices.shape);
  if (width * count === 0) return [];
  return [
    { key: "gather", write: gatherModule, arrays, words: WORDS.pack({ count, width, rows: table.shape[0] }) },
  ];
}

/** Updates added in the order of their indices into rows of zeros; one whose index is no row is dropped. */
export function lowerScatterAdd(
  { rows }: PrimitiveParams["scatterAdd"],
  [updates, indices]: readonly Layout[],
  shape: Shape,
): Call[] {
  const width = sizeOf(updates.shape.slice(indices.shape.length));
  const count = sizeOf(indices.shape);
  const zeros = fillCalls(0, sizeOf(shape));
  if (width * count === 0) return zeros;
  return [
    ...zeros,
    { key: "scatterAdd", write: scatterAddModule, arrays, words: WORDS.pack({ count, width, rows }) },
  ];
}

/** A visit of every index in order: `known` where it is a row of the table, `unknown` otherwise. */
function overIndices(
  scope: Scope,
  indices: Local,
  row: Local,
  known: readonly Code[],
  unknown: readonly Code[],
): Code {
  const left = scope.local("i32");
  const index = scope.local("v128");
  const whole = scope.local("v128");
  // Saturating truncation gives back the index itself only where that is a whole number; −0 is row 0, as in js.
  const isRow = i32.and(
    i32x4.lane(f64x2.equal(f64x2.fromIntegers(whole.get), index.get), 0),
    i32.and(i32.greaterEqual(row.get, int(0)), i32.less(row.get, word("rows"))),
  );
  return [
    ...left.set(word("count")),
    ...repeatWhile(
      [
        index.set(v128.loadLow(indices.get)),
        whole.set(i32x4.truncate(index.get)),
        row.set(i32x4.lane(whole.get, 0)),
        when(isRow, known, unknown),
        gain(indices, int(8)),
      ],
      loseOne(left),
    ),
  ];
}

/** The entries of a row, in pairs and perhaps one more: `write` gives the stores for a way to load and to store. */
function overRow(
  scope: Scope,
  addresses: readonly Local[],
  write: (load: (address: Code) => Code, store: (address: Code, value: Code) => Code) => Code,
): Code[] {
  const left = scope.local("i32");
  return [
    left.set(word("width")),
    loopWhile(i32.greaterEqual(left.get, int(2)), [
      write(v128.load, v128.store),
      ...addresses.map((address) => gain(address, int(16))),
      left.set(i32.subtract(left.get, int(2))),
    ]),
    when(left.get, [
      write(v128.loadLow, v128.storeLow),
      ...addresses.map((address) => gain(address, int(8))),
    ]),
  ];
}

const rowOf = (table: Code, row: Local): Code =>
  i32.add(table, i32.shiftLeft(i32.multiply(row.get, word("width")), int(3)));

function gatherModule(): ModuleWriter {
  const module = new ModuleWriter();
  module.function("run", 0, (scope) => {
    const [to, from, indices, row] = scope.locals("i32", 4);
    const copied = overRow(scope, [to, from], (load, store) => store(to.get, load(from.get)));
    const missing = overRow(scope, [to], (_, store) => store(to.get, f64x2.constant(Number.NaN)));
    return [
      ...to.set(word("to")),
      ...indices.set(word("indices")),
      ...overIndices(scope, indices, row, [from.set(rowOf(word("from"), row)), ...copied], missing),
    ];
  });
  return module;
}

function scatterAddModule(): ModuleWriter {
  const module = new ModuleWriter();
  module.function("run", 0, (scope) => {
    const [to, from, indices, row] = scope.locals("i32", 4);
    const added = overRow(scope, [to, from], (load, store) =>
      store(to.get, f64x2.add(load(to.get), load(from.get))),
    );
    const passed = gain(from, i32.shiftLeft(word("width"), int(3)));
    return [
      ...from.set(word("from")),
      ...indices.set(word("indices")),
      ...overIndices(scope, indices, row, [to.set(rowOf(word("to"), row)), ...added], [passed]),
    ];
  });
  return module;
}
