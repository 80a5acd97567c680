import type { Call } from "../../../wasm/index.ts";
import { placesOf } from "../../plan/fuse.ts";
import type { Location } from "../../plan/plan.ts";
import type { Item } from "../backend.ts";
import { callsOf } from "./lower.ts";

/**
 * Kernel calls as numbers, for threads that have no plan: per call the kernel's number, how many arrays and further
 * words, region and offset of each array, the words.
 */
export interface Tape {
  readonly numbers: Int32Array;
  /** Where each segment starts; one more than there are segments. */
  readonly starts: Int32Array;
  /** One call of each kernel, in the order of their numbers. */
  readonly kernels: readonly Call[];
}

export function tapeOf(segments: readonly (readonly Item[])[]): Tape {
  const numbers: number[] = [];
  const starts = [0];
  const kernels = new Map<string, { readonly number: number; readonly call: Call }>();
  const write = (call: Call, places: readonly Location[]): void => {
    const known = kernels.get(call.key);
    if (!known) kernels.set(call.key, { number: kernels.size, call });
    const number = known ? known.number : kernels.size - 1;
    numbers.push(number, call.arrays.length, call.words.length);
    for (const { at, offset } of call.arrays) numbers.push(places[at].region, places[at].offset + offset);
    for (const word of call.words) numbers.push(word);
  };
  for (const items of segments) {
    for (const item of items) {
      const places = placesOf(item);
      for (const call of callsOf(item)) write(call, places);
    }
    starts.push(numbers.length);
  }
  return {
    numbers: Int32Array.from(numbers),
    starts: Int32Array.from(starts),
    kernels: [...kernels.values()].map(({ call }) => call),
  };
}
