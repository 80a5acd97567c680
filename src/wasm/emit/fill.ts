/** The kernel that repeats one number. */
import { loopWhile, ModuleWriter } from "./assembler.ts";
import { type Call, wholeArrays } from "./call.ts";
import { f64x2, i32, int, v128 } from "./instructions.ts";
import { kernelWords } from "./words.ts";

/** The calls that write `value` to the first `entries` entries of the result: one, or none for no entries. */
export function fillCalls(value: number, entries: number): Call[] {
  if (entries === 0) return [];
  const write = (): ModuleWriter => fillModule(value);
  return [{ key: `fill ${value}`, write, arrays: wholeArrays(1), words: WORDS.pack({ entries }) }];
}

const WORDS = kernelWords(["to"], ["entries"]);
const PAIRS = 4;

function fillModule(value: number): ModuleWriter {
  const module = new ModuleWriter();
  module.function("run", 0, (scope) => {
    const [to, left] = scope.locals("i32", 2);
    const filled = scope.local("v128");
    const loop = (entries: number, stores: readonly (readonly number[])[]) =>
      loopWhile(i32.greaterEqual(left.get, int(entries)), [
        ...stores,
        to.set(i32.add(to.get, int(8 * entries))),
        left.set(i32.subtract(left.get, int(entries))),
      ]);
    return [
      ...to.set(WORDS.word("to")),
      ...left.set(WORDS.word("entries")),
      ...filled.set(f64x2.constant(value)),
      ...loop(
        2 * PAIRS,
        Array.from({ length: PAIRS }, (_, pair) => v128.store(to.get, filled.get, 16 * pair)),
      ),
      ...loop(1, [v128.storeLow(to.get, filled.get)]),
    ];
  });
  return module;
}
