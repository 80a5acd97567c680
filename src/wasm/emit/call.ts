import type { ModuleWriter } from "./assembler.ts";

/**
 * One call of a generated kernel. Kernels have no parameters: they read words at the start of their memory, first the
 * addresses of their arrays, then numbers that the instruction's layouts fix.
 */
export interface Call {
  /** Names the kernel: calls with equal keys share their code. */
  readonly key: string;
  /** Writes the module whose export `run` is the kernel. */
  readonly write: () => ModuleWriter;
  /** For each array the position of its address among the instruction's, and how many entries after it to start. */
  readonly arrays: readonly { readonly at: number; readonly offset: number }[];
  /** The words that follow the addresses. */
  readonly words: readonly number[];
}
