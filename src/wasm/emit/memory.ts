/** Memories that kernels work in: one WebAssembly memory each, headers first, then a program's entries. */
import { ERF_TABLE, ERFC_TABLE, EXP_TABLE, LOG_TABLE, valueError } from "../../base/index.ts";
import { MOST_PAGES } from "./assembler.ts";
import { engine, type Memory } from "./engine.ts";
import { HEADER_BYTES, LOG_ROW, PARAMETER_BYTES, TABLES } from "./header.ts";

const PAGE = 65536;

/** A memory with a header for each thread, then a program's entries, then perhaps its bytecode. */
export interface KernelMemory {
  readonly memory: Memory;
  readonly threads: number;
  readonly entries: Float64Array;
  /** The address of the first entry, in bytes. */
  readonly start: number;
  /** The address of the bytecode, in bytes. */
  readonly code: number;
  /** The parameter words of the first thread, which is the caller's. */
  readonly words: Int32Array;
  /** The kernels instantiated over this memory for the first thread, by key. */
  readonly kernels: Map<string, () => void>;
}

/** The address of the first entry in a memory for so many threads, in bytes. */
export const entriesStart = (threads: number): number => threads * HEADER_BYTES;

/**
 * A memory of `entries` zeros with the tables of the elementary functions in its first header; shared if for several
 * threads; with a copy of a program's bytecode, if there is one. Throws when it exceeds the 4 GiB that 32-bit addresses reach. The host must have WebAssembly.
 */
export function newKernelMemory(
  entries: number,
  threads = 1,
  bytecode: ArrayLike<number> = [],
): KernelMemory {
  const start = entriesStart(threads);
  const code = start + 8 * entries;
  const pages = Math.ceil((code + 4 * bytecode.length) / PAGE);
  if (pages > MOST_PAGES)
    throw valueError(
      "wasm backend",
      "arrays of at most 4 GiB in one program",
      `${((PAGE * pages) / 2 ** 30).toFixed(1)} GiB`,
      "use smaller chunks of examples, a smaller memory budget, or the js backend",
    );
  const memory = new (engine()!.Memory)({ initial: pages, maximum: pages, shared: threads > 1 });
  new Float64Array(memory.buffer, TABLES.exp, EXP_TABLE.length).set(EXP_TABLE);
  new Float64Array(memory.buffer, TABLES.erf, ERF_TABLE.length).set(ERF_TABLE);
  new Float64Array(memory.buffer, TABLES.erfc, ERFC_TABLE.length).set(ERFC_TABLE);
  const log = new Float64Array(memory.buffer, TABLES.log, (LOG_TABLE.length / 3) * LOG_ROW);
  for (let row = 0; 3 * row < LOG_TABLE.length; row++)
    log.set(LOG_TABLE.subarray(3 * row, 3 * row + 3), LOG_ROW * row);
  new Int32Array(memory.buffer, code, bytecode.length).set(bytecode);
  return {
    memory,
    code,
    threads,
    entries: new Float64Array(memory.buffer, start, entries),
    start,
    words: new Int32Array(memory.buffer, 0, PARAMETER_BYTES / 4),
    kernels: new Map(),
  };
}
