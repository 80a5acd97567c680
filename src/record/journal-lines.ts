/**
 * The journal of version 0.1.0, which can only be read: lines of JSON, the first with the run's hash, the others rows, each
 * ending in a CRC-32 of what stands before it.
 */
import { closeSync, openSync, readSync } from "node:fs";
import { valueError } from "../base/index.ts";
import { crc32 } from "../data/index.ts";
import type { Quantity, StepRow } from "../simulation/index.ts";

/** Whole lines of an old journal, counted. */
export interface OldJournal {
  readonly rowCount: number;
  /** Whether the last line was torn by a crash. */
  readonly torn: boolean;
  /** The rows `from` … `to` − 1; default all. */
  readonly rows: (from?: number, to?: number) => IterableIterator<StepRow>;
}

/**
 * Reads a journal of 0.1.0 in blocks, without touching it.
 *
 * @throws InputValueError if it cannot be read, is no such journal, or a line before the tail is damaged
 */
export function readOldJournal(path: string): OldJournal {
  let rowCount = -1;
  let damaged = 0;
  let number = 0;
  for (const line of linesOf(path)) {
    number++;
    if (decodeLine(line) === undefined) damaged ||= number;
    // Only a crash's torn tail may be damaged: a good line after a bad one means that the file was harmed.
    else if (damaged > 0) throw damage(path, damaged, "a checksum that does not match");
    else rowCount++;
  }
  if (rowCount < 0)
    throw valueError(
      "journal",
      "a file that begins as a central-flows journal",
      path,
      "is it the right folder?",
    );
  const rows = (from = 0, to = rowCount): Generator<StepRow> => rowsIn(path, from, Math.min(to, rowCount));
  return { rowCount, torn: damaged > 0, rows };
}

function* rowsIn(path: string, from: number, to: number): Generator<StepRow> {
  let index = -1;
  for (const line of linesOf(path)) {
    if (index >= to) return;
    if (index >= Math.max(from, 0)) {
      const record = decodeLine(line) as Record<string, unknown>;
      if (record.index !== index)
        throw damage(path, index + 2, `row ${String(record.index)} where row ${index} belongs`);
      yield decodeRow(record, index);
    }
    index++;
  }
}

const BLOCK = 1 << 20;

/** The lines of a file without their ends; a last one that has no end too. */
function* linesOf(path: string): Generator<Buffer> {
  const fd = openOld(path);
  try {
    let rest = Buffer.alloc(0);
    for (;;) {
      const block = Buffer.alloc(BLOCK);
      const got = readSync(fd, block, 0, BLOCK, null);
      if (got === 0) break;
      rest = Buffer.concat([rest, block.subarray(0, got)]);
      let start = 0;
      for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10, start)) {
        yield rest.subarray(start, end);
        start = end + 1;
      }
      rest = rest.subarray(start);
    }
    if (rest.length > 0) yield rest;
  } finally {
    closeSync(fd);
  }
}

function openOld(path: string): number {
  try {
    return openSync(path, "r");
  } catch (error) {
    const worded = valueError("journal", "one that can be read", `${path}: ${String(error)}`);
    worded.cause = error;
    throw worded;
  }
}

function damage(path: string, line: number, got: string): Error {
  const advice = `the rows before it are whole: keep the first ${line - 1} lines and resume`;
  return valueError("journal", `whole lines in ${path}`, `${got} in line ${line}`, advice);
}

// The last member of a line has a fixed length, so it is cut off, not searched for.
const SUFFIX_LENGTH = ',"crc32":"01234567"}'.length;

function decodeLine(line: Buffer): Record<string, unknown> | undefined {
  const body = line.subarray(0, Math.max(0, line.length - SUFFIX_LENGTH));
  const suffix = line.subarray(body.length).toString("latin1");
  if (suffix !== `,"crc32":"${crc32(body).toString(16).padStart(8, "0")}"}`) return undefined;
  return JSON.parse(line.toString("utf8"));
}

type EncodedQuantity =
  | number
  | string
  | {
      readonly shape: readonly number[];
      readonly data: readonly (number | string)[];
      readonly integer?: true;
    };

function decodeRow(record: Record<string, unknown>, index: number): StepRow {
  const encoded = Object.entries(record.quantities as Record<string, EncodedQuantity>);
  const quantities = encoded.map(([key, value]) => [key, decodeQuantity(value)]);
  return { index, step: record.step as number, quantities: Object.fromEntries(quantities) };
}

/** −0, NaN and infinities are written as strings. */
function decodeQuantity(encoded: EncodedQuantity): Quantity {
  if (typeof encoded !== "object") return Number(encoded);
  const { shape, integer } = encoded;
  const data = Float64Array.from(encoded.data, Number);
  return integer ? { shape, data, integer } : { shape, data };
}
