import { ERF_TABLE, EXP_TABLE, LOG_TABLE, valueError } from "../../base/index.ts";
import { base, type Code, MOST_PAGES } from "./assembler.ts";
import { engine, type Memory } from "./engine.ts";
import { i32, int } from "./instructions.ts";

/**
 * What lies below the entries of a program, in bytes from the start of an area. Every thread that works in a memory has
 * an area of its own, one after another; tables are those of the first.
 */
const PARAMETER_BYTES = 1024;
const LOG_ROW = 4;
const TABLE_BYTES = 8 * (EXP_TABLE.length + (LOG_TABLE.length / 3) * LOG_ROW + ERF_TABLE.length);

declare const inArea: unique symbol;
/** Bytes from the start of an area, not to be taken for a size or an address. */
export type AreaOffset = number & { readonly [inArea]: true };
const areaOffset = (bytes: number): AreaOffset => bytes as AreaOffset;

export const AREA_START = areaOffset(0);

/** Where a kernel notes the addresses of eight pixels: the last of the parameter words. */
export const SCRATCH = {
  sources: areaOffset(PARAMETER_BYTES - 64),
  targets: areaOffset(PARAMETER_BYTES - 32),
};

/** Tables of the elementary functions; rows of the logarithm's are widened from three doubles to four. */
export const TABLES = {
  exp: PARAMETER_BYTES,
  log: PARAMETER_BYTES + 8 * EXP_TABLE.length,
  erf: PARAMETER_BYTES + 8 * (EXP_TABLE.length + (LOG_TABLE.length / 3) * LOG_ROW),
};

const TILE_BYTES = 256;
const tile = 64 * Math.ceil((PARAMETER_BYTES + TABLE_BYTES) / 64);
/** A panel of 4 × 256 doubles is 8 KiB; 128 rows of them are 256 KiB and 256 columns 512 KiB, within a common second-level cache. */
const DEPTH = 256;
const ROWS = 128;
const COLUMNS = 256;
const left = tile + TILE_BYTES;
const right = left + 8 * DEPTH * ROWS;

/** Packed panels of the left and right factor of a product: inner indices, rows and columns at a time; and one tile. */
export const PANELS = {
  tile: areaOffset(tile),
  left: areaOffset(left),
  right: areaOffset(right),
  depth: DEPTH,
  rows: ROWS,
  columns: COLUMNS,
  /** Inner indices of the longest panel of eight columns that there is room for. */
  longest: (DEPTH * COLUMNS) / 8,
};

/** The length of an area. */
export const AREA_BYTES = right + 8 * DEPTH * COLUMNS;

const PAGE = 65536;

/** An address in the area of the thread that runs, `offset` bytes after its start. */
export const own = (offset: AreaOffset): Code => (offset === 0 ? base : i32.add(base, int(offset)));

/** The value of a kernel's i-th parameter word. */
export const word = (i: number): Code => i32.load(base, 4 * i);

/** A memory that kernels work in: an area for each thread, then a program's entries. */
export interface Workspace {
  readonly memory: Memory;
  readonly threads: number;
  readonly entries: Float64Array;
  /** The address of the first entry, in bytes. */
  readonly start: number;
  /** The parameter words of the first thread, which is the caller's. */
  readonly words: Int32Array;
  /** The kernels instantiated over this memory for the first thread, by key. */
  readonly kernels: Map<string, () => void>;
}

/** A zeroed workspace, shared if for several threads. Throws when it exceeds the 4 GiB that 32-bit addresses reach. */
export function newWorkspace(entries: number, threads = 1): Workspace {
  const start = threads * AREA_BYTES;
  const pages = Math.ceil((start + 8 * entries) / PAGE);
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
  const log = new Float64Array(memory.buffer, TABLES.log, (LOG_TABLE.length / 3) * LOG_ROW);
  for (let row = 0; 3 * row < LOG_TABLE.length; row++)
    log.set(LOG_TABLE.subarray(3 * row, 3 * row + 3), LOG_ROW * row);
  return {
    memory,
    threads,
    entries: new Float64Array(memory.buffer, start, entries),
    start,
    words: new Int32Array(memory.buffer, 0, PARAMETER_BYTES / 4),
    kernels: new Map(),
  };
}
