/**
 * The header: what lies in front of a program's entries in a kernel memory. Every thread that works there has one of its
 * own, one after another from address 0, each of `HEADER_BYTES`:
 *
 *     parameter words | starts of regions | pulse | tables of exp, log, erf, erfc | one tile | packed left panel | packed right panel
 *
 * Kernels find the header of the thread that runs them by the imported number `env.base`; the tables are those of the
 * first header. Sizes are in bytes unless said otherwise.
 */
import { ERF_TABLE, ERFC_TABLE, EXP_TABLE, LOG_TABLE } from "../../base/index.ts";
import { base, type Code } from "./assembler.ts";
import { i32, int } from "./instructions.ts";

/** Room for the parameter words of one call. */
export const PARAMETER_BYTES = 1024;
/** Doubles of a row of the logarithm's table, one of them unused: rows then start at multiples of 32 bytes. */
export const LOG_ROW = 4;
const LOG_LENGTH = (LOG_TABLE.length / 3) * LOG_ROW;
const TABLE_BYTES = 8 * (EXP_TABLE.length + LOG_LENGTH + ERF_TABLE.length + ERFC_TABLE.length);

declare const inHeader: unique symbol;
/** Bytes from the start of a header, not to be taken for a size or an address. */
export type HeaderOffset = number & { readonly [inHeader]: true };
const headerOffset = (bytes: number): HeaderOffset => bytes as HeaderOffset;

/** The first byte of a header. */
export const HEADER_START = headerOffset(0);

/** Where a kernel notes the addresses of eight pixels: the last of the parameter words. */
export const SCRATCH = {
  sources: headerOffset(PARAMETER_BYTES - 64),
  targets: headerOffset(PARAMETER_BYTES - 32),
};

/** Most regions of a program. */
export const MOST_REGIONS = 62;
/** Where the entry stands at which each region of a program starts, and how many kernels its runner has called. */
export const PROGRAM = {
  bases: headerOffset(PARAMETER_BYTES),
  pulse: headerOffset(PARAMETER_BYTES + 4 * MOST_REGIONS),
};
const FIRST_TABLE = PARAMETER_BYTES + 256;

/** Tables of the elementary functions; rows of the logarithm's are widened from three doubles to four. */
export const TABLES = {
  exp: FIRST_TABLE,
  log: FIRST_TABLE + 8 * EXP_TABLE.length,
  erf: FIRST_TABLE + 8 * (EXP_TABLE.length + LOG_LENGTH),
  erfc: FIRST_TABLE + 8 * (EXP_TABLE.length + LOG_LENGTH + ERF_TABLE.length),
};

const TILE_BYTES = 256;
const tile = 64 * Math.ceil((FIRST_TABLE + TABLE_BYTES) / 64);
/** A panel of 4 × 256 doubles is 8 KiB; 128 rows of them are 256 KiB and 256 columns 512 KiB, within a common second-level cache. */
const DEPTH = 256;
const ROWS = 128;
const COLUMNS = 256;
const left = tile + TILE_BYTES;
const right = left + 8 * DEPTH * ROWS;

/** Packed panels of the left and right factor of a product: inner indices, rows and columns at a time; and one tile. */
export const PANELS = {
  tile: headerOffset(tile),
  left: headerOffset(left),
  right: headerOffset(right),
  depth: DEPTH,
  rows: ROWS,
  columns: COLUMNS,
  /** Inner indices of the longest panel of eight columns that there is room for. */
  longest: (DEPTH * COLUMNS) / 8,
};

/** The length of a header. */
export const HEADER_BYTES = right + 8 * DEPTH * COLUMNS;

/** An address in the header of the thread that runs, `offset` bytes after its start. */
export const own = (offset: HeaderOffset): Code => (offset === 0 ? base : i32.add(base, int(offset)));

/** The value of a kernel's i-th parameter word. */
export const word = (i: number): Code => i32.load(base, 4 * i);
