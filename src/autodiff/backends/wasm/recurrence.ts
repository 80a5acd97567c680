/** Lowers linear recurrences: two independent ones at a time where rows are wide enough. */
import {
  type Call,
  type Code,
  f64x2,
  i32,
  int,
  kernelWords,
  loopWhile,
  ModuleWriter,
  repeatWhile,
  v128,
  wholeArrays,
} from "../../../wasm/index.ts";
import type { PrimitiveParams } from "../../graph/graph.ts";
import { type Shape, sizeOf } from "../../graph/shape.ts";

/** h_t = a_t∘h_{t−1} + b_t, or its reverse. */
export function lowerRecurrence({ axis, reversed }: PrimitiveParams["recurrence"], shape: Shape): Call[] {
  const row = sizeOf(shape.slice(axis + 1));
  if (sizeOf(shape) === 0) return [];
  const pairs = row > 1;
  const write = (): ModuleWriter => recurrenceModule(reversed, pairs);
  const key = `recurrence ${reversed} ${pairs}`;
  const words = WORDS.pack({
    blocks: sizeOf(shape.slice(0, axis)),
    row,
    following: row * (shape[axis] - 1),
    rowBytes: 8 * row,
  });
  return [{ key, write, arrays: wholeArrays(3), words }];
}

/** Independent recurrences, entries at one time, entries at all later times; a row in bytes. */
const WORDS = kernelWords(["h", "a", "b"], ["blocks", "row", "following", "rowBytes"]);
const { word } = WORDS;

/**
 * The entries of a block in order of time, in pairs where a row has two entries at least, so that what a pair needs of
 * the row before it has been stored.
 */
function recurrenceModule(reversed: boolean, pairs: boolean): ModuleWriter {
  const module = new ModuleWriter();
  module.function("run", 0, (scope) => {
    const [h, a, b, left, blocks, jump] = scope.locals("i32", 6);
    const row = word("rowBytes");
    const back = i32.subtract(int(0), row);
    /** Moves all three addresses. */
    const move = (step: Code): Code[] => [h, a, b].map((address) => address.set(i32.add(address.get, step)));
    const entries = (value: (load: (address: Code) => Code) => Code): Code => {
      const pair = v128.store(h.get, value(v128.load));
      const single = v128.storeLow(h.get, value(v128.loadLow));
      const before = (count: number): Code[] => (reversed ? move(int(-8 * count)) : []);
      const after = (count: number): Code[] => (reversed ? [] : move(int(8 * count)));
      const run = (count: number, store: Code): Code =>
        loopWhile(i32.greaterEqual(left.get, int(count)), [
          ...before(count),
          store,
          ...after(count),
          left.set(i32.subtract(left.get, int(count))),
        ]);
      return [...(pairs ? run(2, pair) : []), ...run(1, single)];
    };
    const first = entries((load) => load(b.get));
    const following = entries((load) =>
      reversed
        ? f64x2.add(f64x2.multiply(load(i32.add(a.get, row)), load(i32.add(h.get, row))), load(b.get))
        : f64x2.add(f64x2.multiply(load(a.get), load(i32.add(h.get, back))), load(b.get)),
    );
    const whole = i32.shiftLeft(i32.add(word("row"), word("following")), int(3));
    return [
      ...h.set(word("h")),
      ...a.set(word("a")),
      ...b.set(word("b")),
      ...blocks.set(word("blocks")),
      ...jump.set(whole),
      ...repeatWhile(
        [
          ...(reversed ? move(jump.get) : []),
          left.set(word("row")),
          first,
          left.set(word("following")),
          following,
          ...(reversed ? move(jump.get) : []),
        ],
        blocks.tee(i32.subtract(blocks.get, int(1))),
      ),
    ];
  });
  return module;
}
