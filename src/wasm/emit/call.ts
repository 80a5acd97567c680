/** Calls of kernels as data. */
import type { ModuleWriter } from "./assembler.ts";

/**
 * One call of a generated kernel. Kernels have no parameters: they read words at the start of their header, first the
 * addresses of their arrays, then numbers (`words.ts`).
 */
export interface Call {
  /** Names the kernel: calls with equal keys share their code. */
  readonly key: string;
  /** Writes the module whose export `run` is the kernel. */
  readonly write: () => ModuleWriter;
  /** For each array the position of its address among those of the whole list of calls, and how many entries after it to start. */
  readonly arrays: readonly { readonly at: number; readonly offset: number }[];
  /** The words that follow the addresses. */
  readonly words: readonly number[];
}

/** Arrays 0 … count − 1 of a call, each from its first entry. */
export const wholeArrays = (count: number): Call["arrays"] =>
  Array.from({ length: count }, (_, at) => ({ at, offset: 0 }));
