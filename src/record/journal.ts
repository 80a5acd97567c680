/**
 * The journal of a run: a JSON-lines file that only grows. Its first line names the format and the run's
 * configuration; every further line is a row. Each line ends in a CRC-32 of what stands before it, so a line is
 * either exactly what was appended or known not to be.
 *
 * An append has reached the operating system when it returns: killing the process loses nothing. Surviving a
 * power cut as well takes `sync`, or `fsync: true` for every row.
 */
import { closeSync, existsSync, fsyncSync, ftruncateSync, openSync, readFileSync } from "node:fs";
import { valueError } from "../base/index.ts";
import type { Quantity, StepRow } from "../simulation/index.ts";
import { fileError, writeFileAtomic, writeFully } from "./folder.ts";

const FORMAT = "central-flows journal";
const VERSION = 1;

/** What the first line says of the run. */
export interface JournalHeader {
  /** A hash of the run's configuration: `resume` refuses a journal that another configuration wrote. */
  readonly configHash: string;
}

/** How a journal writes. */
export interface JournalOptions {
  /** Wait for the disk after every row (milliseconds each). Default false. */
  readonly fsync?: boolean;
}

/** What a journal file holds. */
export interface JournalContents {
  readonly header: JournalHeader;
  /** The rows 0, 1, … in order. */
  readonly rows: readonly StepRow[];
  /** Bytes up to the end of the last whole line. */
  readonly validBytes: number;
  /** Bytes after that: a line torn by a crash. 0 for a journal that ended well. */
  readonly droppedBytes: number;
}

/** An open journal. Made by `createJournal` or `openJournal`; one writer at a time. */
export class Journal {
  readonly path: string;
  private readonly fd: number;
  private readonly fsync: boolean;
  /** ends[i]: bytes up to the end of row i − 1; ends[0] is the end of the header. */
  private readonly ends: number[];

  /** Opens `path`, whose whole lines end at the bytes `ends`, for appending; whatever follows them is cut off. */
  constructor(path: string, ends: readonly number[], options: JournalOptions = {}) {
    this.path = path;
    this.ends = [...ends];
    this.fsync = options.fsync ?? false;
    try {
      this.fd = openSync(path, "a");
      ftruncateSync(this.fd, this.ends.at(-1));
    } catch (error) {
      throw fileError("openJournal", path, error);
    }
  }

  /** Rows in the file. */
  get rowCount(): number {
    return this.ends.length - 1;
  }

  /**
   * Appends the next row.
   *
   * @param row its index must be `rowCount`
   * @throws InputValueError for another index; the error of `fileError` when the disk refuses, after removing
   *   what was written of this row, so that the journal stays whole and the append can be tried again
   */
  append(row: StepRow): void {
    if (row.index !== this.rowCount)
      throw valueError("journal.append", `row ${this.rowCount}`, `row ${row.index}`, "append rows in order");
    const line = encodeLine(encodeRow(row));
    const start = this.ends[this.rowCount];
    try {
      writeFully(this.fd, line);
      if (this.fsync) fsyncSync(this.fd);
    } catch (error) {
      ftruncateSync(this.fd, start);
      throw fileError("journal.append", this.path, error, `the ${this.rowCount} rows before it are kept`);
    }
    this.ends.push(start + line.length);
  }

  /** Removes the rows from `rowCount` on: rows that a resumed run computes anew. No effect if there are none. */
  truncateTo(rowCount: number): void {
    if (!Number.isInteger(rowCount) || rowCount < 0)
      throw valueError("journal.truncateTo", "a number of rows ≥ 0", String(rowCount));
    if (rowCount >= this.rowCount) return;
    ftruncateSync(this.fd, this.ends[rowCount]);
    this.ends.length = rowCount + 1;
  }

  /** Waits until every appended row is on the disk. */
  sync(): void {
    fsyncSync(this.fd);
  }

  /** Syncs and closes. The journal is not used afterwards. */
  close(): void {
    fsyncSync(this.fd);
    closeSync(this.fd);
  }
}

/**
 * Starts a journal whose header is complete from the first moment the file exists.
 *
 * @throws InputValueError if `path` exists (a run is never overwritten) or its folder cannot be written
 */
export function createJournal(path: string, header: JournalHeader, options: JournalOptions = {}): Journal {
  if (existsSync(path))
    throw valueError(
      "createJournal",
      "a new run",
      `a journal at ${path}`,
      "resume it or choose another expid",
    );
  const line = encodeLine({ format: FORMAT, version: VERSION, configHash: header.configHash });
  writeFileAtomic(path, line);
  return new Journal(path, [line.length], options);
}

/** Reads a journal and opens it for appending after its last whole row; a torn tail is cut off and reported. */
export function openJournal(
  path: string,
  options: JournalOptions = {},
): JournalContents & { readonly journal: Journal } {
  const { ends, ...contents } = readLines(path);
  return { ...contents, journal: new Journal(path, ends, options) };
}

/**
 * Reads a journal without touching it, also while another process appends to it.
 *
 * @throws InputValueError if it cannot be read, is not a journal, or a line before the tail is damaged; the
 *   message gives the line's number
 */
export function readJournal(path: string): JournalContents {
  const { ends: _ends, ...contents } = readLines(path);
  return contents;
}

function readLines(path: string): JournalContents & { readonly ends: readonly number[] } {
  const bytes = readBytes(path);
  const rows: StepRow[] = [];
  const ends: number[] = [];
  let header: JournalHeader | undefined;
  let damaged = 0;
  let number = 0;
  for (let start = 0; start < bytes.length; ) {
    number++;
    const newline = bytes.indexOf(10, start);
    const end = newline < 0 ? bytes.length : newline + 1;
    const record = newline < 0 ? undefined : decodeLine(bytes.subarray(start, newline));
    start = end;
    if (record === undefined) {
      if (number === 1) break;
      damaged ||= number;
      continue;
    }
    // Only a crash's torn tail may be damaged: a good line after a bad one means that the file was harmed.
    if (damaged > 0) throw damage(path, damaged, "a checksum that does not match");
    if (number === 1) header = decodeHeader(record, path);
    else rows.push(decodeRow(record, rows.length, path, number));
    ends.push(end);
  }
  if (header === undefined)
    throw valueError("readJournal", `a file that begins as a ${FORMAT}`, path, "is it the right folder?");
  const validBytes = ends[ends.length - 1];
  return { header, rows, validBytes, droppedBytes: bytes.length - validBytes, ends };
}

function readBytes(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const worded = valueError("readJournal", "a journal that can be read", `${path}: ${String(error)}`);
    worded.cause = error;
    throw worded;
  }
}

function damage(path: string, line: number, got: string): Error {
  const advice = `the rows before it are whole: keep the first ${line - 1} lines and resume`;
  return valueError("readJournal", `whole lines in ${path}`, `${got} in line ${line}`, advice);
}

// A line is a JSON object whose last member is the CRC-32 of the bytes before it:
// {"index":0,…,"crc32":"89abcdef"}. The suffix has a fixed length, so it is cut off, not searched for.
const SUFFIX_LENGTH = ',"crc32":"01234567"}'.length;

function encodeLine(record: object): Uint8Array {
  const body = JSON.stringify(record).slice(0, -1);
  return Buffer.from(`${body},"crc32":"${crc32(Buffer.from(body))}"}\n`);
}

function decodeLine(line: Buffer): Record<string, unknown> | undefined {
  const body = line.subarray(0, Math.max(0, line.length - SUFFIX_LENGTH));
  const suffix = line.subarray(body.length).toString("latin1");
  if (suffix !== `,"crc32":"${crc32(body)}"}`) return undefined;
  return JSON.parse(line.toString("utf8"));
}

function decodeHeader(record: Record<string, unknown>, path: string): JournalHeader {
  const { format, version, configHash } = record;
  if (format !== FORMAT || version !== VERSION || typeof configHash !== "string") {
    const got = `${String(format)} version ${String(version)} at ${path}`;
    throw valueError("readJournal", `a ${FORMAT}, version ${VERSION}`, got, "use the release that wrote it");
  }
  return { configHash };
}

type EncodedArray = { shape: readonly number[]; data: (number | string)[]; integer?: true };
type EncodedQuantity = number | string | EncodedArray;

// Object.fromEntries defines own properties: a quantity may have any name, `__proto__` included.
function encodeRow({ index, step, quantities }: StepRow): object {
  const encoded = Object.entries(quantities).map(([path, quantity]) => [path, encodeQuantity(quantity)]);
  return { index, step, quantities: Object.fromEntries(encoded) };
}

function decodeRow(record: Record<string, unknown>, index: number, path: string, line: number): StepRow {
  if (record.index !== index)
    throw damage(path, line, `row ${String(record.index)} where row ${index} belongs`);
  const encoded = Object.entries(record.quantities as Record<string, EncodedQuantity>);
  const quantities = encoded.map(([key, value]) => [key, decodeQuantity(value)]);
  return { index, step: record.step as number, quantities: Object.fromEntries(quantities) };
}

function encodeQuantity(quantity: Quantity): EncodedQuantity {
  if (typeof quantity === "number") return encodeNumber(quantity);
  const { shape, integer } = quantity;
  const data = Array.from(quantity.data, encodeNumber);
  return integer ? { shape, data, integer } : { shape, data };
}

function decodeQuantity(encoded: EncodedQuantity): Quantity {
  if (typeof encoded !== "object") return Number(encoded);
  const { shape, integer } = encoded;
  const data = Float64Array.from(encoded.data, Number);
  return integer ? { shape, data, integer } : { shape, data };
}

/** JSON's shortest decimal restores every finite double but −0; that, NaN and infinities are written as strings. */
function encodeNumber(x: number): number | string {
  if (Object.is(x, -0)) return "-0";
  return Number.isFinite(x) ? x : String(x);
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let c = byte;
  for (let bit = 0; bit < 8; bit++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
  return c;
});

/** CRC-32 as in zip and PNG (ISO 3309, reflected polynomial EDB88320), as eight hexadecimal digits. */
function crc32(bytes: Uint8Array): string {
  let c = 0xffffffff;
  for (const byte of bytes) c = CRC_TABLE[(c ^ byte) & 255] ^ (c >>> 8);
  return ((c ^ 0xffffffff) >>> 0).toString(16).padStart(8, "0");
}
