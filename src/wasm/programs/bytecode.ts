/**
 * Kernel calls as numbers, which lie in the memory that the kernels work in and are run by `runner.ts`. A program is a list of
 * segments; a segment is a list of calls, each of them
 *
 *     kernel number | how many arrays | how many words | 4·region and address of each array … | words …
 *
 * The address is that of an array in a region that starts at entry 0: where the region starts is added when it runs.
 */
import type { Call } from "../emit/call.ts";

/** An array of a program: `offset` entries after the start of a region, whose address is set when the program runs. */
export interface ArrayPosition {
  readonly region: number;
  readonly offset: number;
}

/** Kernel calls with the arrays that they name by number. */
export interface PositionedCalls {
  readonly calls: readonly Call[];
  readonly arrays: readonly ArrayPosition[];
}

/** A program as numbers, in the format above. */
export interface Bytecode {
  readonly numbers: Int32Array;
  /** Where each segment starts; one more than there are segments. */
  readonly starts: Int32Array;
  /** One call of each kernel, in the order of their numbers. */
  readonly kernels: readonly Call[];
}

/**
 * Writes the bytecode of segments. Cost: linear in their calls.
 * @param start the address of entry 0 in the memory, in bytes
 */
export function bytecodeOf(segments: readonly (readonly PositionedCalls[])[], start: number): Bytecode {
  const numbers: number[] = [];
  const starts = [0];
  const kernels = new Map<string, { readonly number: number; readonly call: Call }>();
  const write = (call: Call, arrays: readonly ArrayPosition[]): void => {
    const known = kernels.get(call.key);
    if (!known) kernels.set(call.key, { number: kernels.size, call });
    const number = known ? known.number : kernels.size - 1;
    numbers.push(number, call.arrays.length, call.words.length);
    for (const { at, offset } of call.arrays)
      numbers.push(4 * arrays[at].region, start + 8 * (arrays[at].offset + offset));
    for (const word of call.words) numbers.push(word);
  };
  for (const segment of segments) {
    for (const { calls, arrays } of segment) for (const call of calls) write(call, arrays);
    starts.push(numbers.length);
  }
  return {
    numbers: Int32Array.from(numbers),
    starts: Int32Array.from(starts),
    kernels: [...kernels.values()].map(({ call }) => call),
  };
}
