/** Nests of loops whose lengths and strides are parameter words, so that one kernel serves all shapes. */
import { type Code, type Local, repeatWhile, type Scope } from "./assembler.ts";
import { word } from "./header.ts";
import { i32, int } from "./instructions.ts";

/** Nested loops over several arrays at once, outermost first; `strides[l][j]` is how far array j moves, in entries, per turn of loop l. */
export interface LoopNest {
  readonly lengths: readonly number[];
  readonly strides: readonly (readonly number[])[];
}

/**
 * Loops as words, from the innermost outwards: the length, and for each array what its address gains per turn in bytes
 * beyond what the loops inside have moved it. `moved` says that of the innermost loop, in entries.
 */
export function loopWords({ lengths, strides }: LoopNest, moved: readonly number[]): number[] {
  const words: number[] = [];
  let inside = moved;
  for (let loop = lengths.length - 1; loop >= 0; loop--) {
    const before = inside;
    words.push(lengths[loop], ...strides[loop].map((stride, j) => 8 * (stride - before[j])));
    inside = strides[loop].map((stride) => stride * lengths[loop]);
  }
  return words;
}

/** A nest of loops whose words start at `first`, around `body`, which moves the addresses as `moved` said. */
export function nestedLoops(
  scope: Scope,
  depth: number,
  first: number,
  addresses: readonly Local[],
  body: Code,
): Code {
  let code = body;
  for (let loop = 0; loop < depth; loop++) {
    const at = first + loop * (addresses.length + 1);
    const turns = scope.local("i32");
    const gains = addresses.flatMap((address, j) => address.set(i32.add(address.get, word(at + 1 + j))));
    code = [
      ...turns.set(word(at)),
      ...repeatWhile([code, gains], turns.tee(i32.subtract(turns.get, int(1)))),
    ];
  }
  return code;
}
