/**
 * Kernel calls as numbers, for threads that share memory and compiled code but know no plan. A program is a list of
 * segments; a segment is a list of calls, each of them
 *
 *     kernel number | how many arrays | how many words | region and offset of each array … | words …
 *
 * `worker.ts` runs it: the address of an array is 8·(base of its region + offset) bytes after the first entry.
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

/** Writes the bytecode of segments. Cost: linear in their calls. */
export function bytecodeOf(segments: readonly (readonly PositionedCalls[])[]): Bytecode {
  const numbers: number[] = [];
  const starts = [0];
  const kernels = new Map<string, { readonly number: number; readonly call: Call }>();
  const write = (call: Call, arrays: readonly ArrayPosition[]): void => {
    const known = kernels.get(call.key);
    if (!known) kernels.set(call.key, { number: kernels.size, call });
    const number = known ? known.number : kernels.size - 1;
    numbers.push(number, call.arrays.length, call.words.length);
    for (const { at, offset } of call.arrays) numbers.push(arrays[at].region, arrays[at].offset + offset);
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
