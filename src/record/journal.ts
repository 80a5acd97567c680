/**
 * The journal of a run: a file that only grows, in the format of `journal-format.ts`. It begins with a head that says
 * which run it is; then come the rows. Every record has a checksum, so a row is either exactly what was appended or
 * known not to be.
 *
 * An append has reached the operating system when it returns: killing the process loses nothing.
 */
import { closeSync, fstatSync, fsyncSync, ftruncateSync, openSync, readSync } from "node:fs";
import { basename } from "node:path";
import { valueError } from "../base/index.ts";
import type { StepRow } from "../simulation/index.ts";
import {
  createFileAtomic,
  fileError,
  moveInto,
  removeIfThere,
  temporaryBeside,
  writeFully,
} from "./files.ts";
import {
  decodeRecord,
  decodeRow,
  encodeRecord,
  encodeRow,
  hasLayout,
  type Layout,
  layoutOf,
  MARKER,
  RECORD_HEAD,
  recordSize,
} from "./journal-format.ts";

const FORMAT = "central-flows journal";
const VERSION = 2;

/** What the head of a journal says of the run. */
export interface JournalHead {
  /** A hash of what decides the run's numbers: `resume` refuses a journal that another configuration wrote. */
  readonly configHash: string;
  /** The contents of config.json when the run was started. */
  readonly config: Readonly<Record<string, unknown>>;
  /** The package's version, and the engine with its own, that started the run. */
  readonly version: string;
  readonly engine: string;
}

/** What a journal file holds, read once from its beginning to its last whole row. */
export interface JournalContents {
  readonly path: string;
  readonly head: JournalHead;
  readonly rowCount: number;
  /** How often the run was gone on with. */
  readonly restarts: number;
  /** Bytes up to the end of the last whole record. */
  readonly validBytes: number;
  /** Bytes after that: a record torn by a crash. 0 for a journal that ended well. */
  readonly droppedBytes: number;
  /** The rows `from` … `to` − 1, read from disk in blocks; default all. A row is not touched once it is handed out. */
  readonly rows: (from?: number, to?: number) => IterableIterator<StepRow>;
}

/** An open journal. Made by `createJournal` or `openJournal`; one writer at a time. */
export class Journal {
  readonly path: string;
  private readonly fd: number;
  private readonly layouts: Layout[];
  private end: number;
  private count: number;
  private started: number;
  private latest = -1;

  /**
   * Opens `path` for appending after `end`; whatever follows is cut off.
   *
   * @param layouts those before `end`, in order
   * @param restarts how often the run was gone on with before
   */
  constructor(path: string, end: number, count: number, layouts: readonly Layout[], restarts: number) {
    this.path = path;
    this.end = end;
    this.count = count;
    this.layouts = [...layouts];
    this.started = restarts;
    try {
      this.fd = openSync(path, "a");
      ftruncateSync(this.fd, end);
    } catch (error) {
      throw fileError("journal", path, error);
    }
  }

  /** Rows in the file. */
  get rowCount(): number {
    return this.count;
  }

  /** How often the run was gone on with. */
  get restarts(): number {
    return this.started;
  }

  /** Writes down that the run is gone on with, and by what. @throws the error of `fileError` when the disk refuses */
  restart({ version, engine }: Pick<JournalHead, "version" | "engine">): void {
    const record = encodeRecord("S", new TextEncoder().encode(JSON.stringify({ version, engine })));
    try {
      writeFully(this.fd, record);
    } catch (error) {
      ftruncateSync(this.fd, this.end);
      throw fileError("a start in the journal", this.path, error, `its ${this.count} rows are kept`);
    }
    this.end += record.length;
    this.started++;
  }

  /**
   * The rows `from` … `to` − 1 (default all), read from the file in blocks; rows appended meanwhile are left out. The file is
   * not looked through first, as `readJournal` does.
   *
   * @throws InputValueError where a record is damaged
   */
  rows(from = 0, to = this.count): Generator<StepRow> {
    return rowsIn(this.path, this.end, from, Math.min(to, this.count));
  }

  /**
   * Appends the next row.
   *
   * @param row its index must be `rowCount`
   * @throws InputValueError for another index; Error where the file has been deleted meanwhile; the error of `fileError`
   *   when the disk refuses, after removing what was written of this row, so that the journal stays whole and the
   *   append can be tried again
   */
  append(row: StepRow): void {
    if (row.index !== this.count)
      throw valueError("journal", `row ${this.count}`, `row ${row.index}`, "append rows in order");
    const { number, record } = this.layoutRecord(row);
    const rowRecord = encodeRecord("R", encodeRow(row, this.layouts[number] ?? layoutOf(row), number));
    try {
      if (fstatSync(this.fd).nlink === 0) throw deleted(this.path, this.count);
      if (record) writeFully(this.fd, record);
      writeFully(this.fd, rowRecord);
    } catch (error) {
      ftruncateSync(this.fd, this.end);
      if (error instanceof JournalDeleted) throw error;
      throw fileError("a row of the journal", this.path, error, `the ${this.count} rows before it are kept`);
    }
    if (record) this.layouts.push(layoutOf(row));
    this.latest = number;
    this.end += (record?.length ?? 0) + rowRecord.length;
    this.count++;
  }

  /** The number of the row's layout, and the record that tells a new one. */
  private layoutRecord(row: StepRow): { readonly number: number; readonly record?: Uint8Array } {
    if (this.latest >= 0 && hasLayout(row, this.layouts[this.latest])) return { number: this.latest };
    const known = this.layouts.findIndex((layout) => hasLayout(row, layout));
    if (known >= 0) return { number: known };
    const record = encodeRecord("L", new TextEncoder().encode(JSON.stringify(layoutOf(row))));
    return { number: this.layouts.length, record };
  }

  /** Syncs and closes. The journal is not used afterwards. */
  close(): void {
    fsyncSync(this.fd);
    closeSync(this.fd);
  }
}

class JournalDeleted extends Error {}

function deleted(path: string, count: number): Error {
  return new JournalDeleted(
    `journal: expected ${path} to stay while its run goes, got it deleted after ${count} rows; restore it or start again`,
  );
}

const headRecord = (head: JournalHead): Uint8Array =>
  encodeRecord("H", new TextEncoder().encode(JSON.stringify({ format: FORMAT, version: VERSION, head })));

/**
 * Starts a journal whose head is complete from the first moment the file exists.
 *
 * @throws InputValueError if `path` exists (a run is never overwritten) or its folder cannot be written
 */
export function createJournal(path: string, head: JournalHead): Journal {
  const bytes = headRecord(head);
  if (!createFileAtomic(path, bytes))
    throw valueError("journal", "a new run", `a journal at ${path}`, "resume it or choose another expid");
  return new Journal(path, bytes.length, 0, [], 0);
}

/** Makes a journal of rows that are kept elsewhere: whole, or not at all. @param restarts of that run so far */
export function restoreJournal(path: string, head: JournalHead, rows: Iterable<StepRow>, restarts = 0): void {
  const temporary = temporaryBeside(path);
  const journal = createJournal(temporary, head);
  try {
    for (let i = 0; i < restarts; i++) journal.restart(head);
    for (const row of rows) journal.append(row);
    journal.close();
    moveInto(temporary, path);
  } finally {
    removeIfThere(temporary);
  }
}

/** Opens a journal for appending after its last whole row; a torn tail is cut off and reported. */
export function openJournal(path: string): JournalContents & { readonly journal: Journal } {
  const { layouts, ...contents } = scan(path);
  const { validBytes, rowCount, restarts } = contents;
  return { ...contents, journal: new Journal(path, validBytes, rowCount, layouts, restarts) };
}

/**
 * Reads a journal without touching it, also while another process appends to it.
 *
 * @throws InputValueError if it cannot be read, is not a journal, or a record before the tail is damaged
 */
export function readJournal(path: string): JournalContents {
  const { layouts: _, ...contents } = scan(path);
  return contents;
}

/** Bytes that are read at once. */
const BLOCK = 1 << 20;

/** Bytes after a damaged record that are searched for a whole one; no row is nearly as long. */
const LONGEST_TAIL = 1 << 28;

/** A file read from its beginning in blocks: `bytes` are those from `offset` on that are at hand. */
class BlockReader {
  bytes = new Uint8Array(0);
  offset = 0;
  private readonly fd: number;
  private readonly limit: number;

  constructor(fd: number, limit: number) {
    this.fd = fd;
    this.limit = limit;
  }

  /** Forgets what stands before `at` and has at least `wanted` bytes from there at hand, if the file has them. */
  need(at: number, wanted: number): void {
    const have = this.offset + this.bytes.length - at;
    if (have >= wanted || this.offset + this.bytes.length >= this.limit) return;
    const kept = this.bytes.subarray(at - this.offset);
    const size = Math.min(Math.max(wanted, BLOCK), this.limit - at);
    const block = new Uint8Array(size);
    block.set(kept);
    let filled = kept.length;
    while (filled < size) {
      const got = readSync(this.fd, block, filled, size - filled, at + filled);
      if (got === 0) break;
      filled += got;
    }
    this.bytes = block.subarray(0, filled);
    this.offset = at;
  }
}

interface Found {
  readonly letter: string;
  readonly payload: Uint8Array;
  readonly end: number;
}

/** The whole records of an open file up to the first that is not; returns where that begins. */
function* recordsOf(fd: number, limit: number): Generator<Found, number> {
  const reader = new BlockReader(fd, limit);
  let at = 0;
  for (;;) {
    reader.need(at, RECORD_HEAD);
    const size = recordSize(reader.bytes, at - reader.offset);
    if (size === undefined || at + size > limit) return at;
    reader.need(at, size);
    const record = decodeRecord(reader.bytes, at - reader.offset);
    if (record === undefined) return at;
    at += size;
    yield { letter: record.letter, payload: record.payload, end: at };
  }
}

function withFile<T>(path: string, use: (fd: number, size: number) => T): T {
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch (error) {
    const worded = valueError("journal", "one that can be read", `${path}: ${String(error)}`);
    worded.cause = error;
    throw worded;
  }
  try {
    return use(fd, fstatSync(fd).size);
  } finally {
    closeSync(fd);
  }
}

function scan(path: string): JournalContents & { readonly layouts: readonly Layout[] } {
  return withFile(path, (fd, size) => {
    const layouts: Layout[] = [];
    let head: JournalHead | undefined;
    let rowCount = 0;
    let restarts = 0;
    let validBytes = 0;
    const records = recordsOf(fd, size);
    let next = records.next();
    for (; !next.done; next = records.next()) {
      const { letter, payload, end } = next.value;
      if (head === undefined) head = letter === "H" ? decodeHead(payload, path) : undefined;
      else if (letter === "S") restarts++;
      else if (letter === "L") layouts.push(JSON.parse(new TextDecoder().decode(payload)));
      else if (letter === "R") checkIndex(payload, rowCount++, path);
      if (head === undefined) break;
      validBytes = end;
    }
    if (head === undefined)
      throw valueError("journal", `a file that begins as a ${FORMAT}`, path, "is it the right folder?");
    // Only a crash's torn tail may be damaged: a whole record after a bad one means that the file was harmed.
    if (validBytes < size && wholeRecordAfter(fd, validBytes + 1, size))
      throw damage(path, rowCount, "a checksum that does not match");
    const rows = (from = 0, to = rowCount): Generator<StepRow> =>
      rowsIn(path, validBytes, from, Math.min(to, rowCount));
    return { path, head, rowCount, restarts, validBytes, droppedBytes: size - validBytes, rows, layouts };
  });
}

function* rowsIn(path: string, limit: number, from: number, to: number): Generator<StepRow> {
  if (from >= to) return;
  const fd = openSync(path, "r");
  try {
    const layouts: Layout[] = [];
    let index = 0;
    for (const { letter, payload } of recordsOf(fd, limit)) {
      if (letter === "L") layouts.push(JSON.parse(new TextDecoder().decode(payload)));
      if (letter !== "R") continue;
      if (index >= from) yield decodeRow(payload, layouts);
      if (++index >= to) return;
    }
    throw damage(path, index, "no whole row");
  } finally {
    closeSync(fd);
  }
}

/** Whether any whole record stands after a damaged one. */
function wholeRecordAfter(fd: number, from: number, size: number): boolean {
  const tail = Buffer.alloc(Math.min(size - from, LONGEST_TAIL));
  readSync(fd, tail, 0, tail.length, from);
  for (let at = tail.indexOf(MARKER); at >= 0; at = tail.indexOf(MARKER, at + 1))
    if (decodeRecord(tail, at)) return true;
  return false;
}

function checkIndex(payload: Uint8Array, expected: number, path: string): void {
  const index = new DataView(payload.buffer, payload.byteOffset).getFloat64(8, true);
  if (index !== expected) throw damage(path, expected, `row ${index} where row ${expected} belongs`);
}

function damage(path: string, row: number, got: string): Error {
  const advice = `the ${row} rows before are whole; restore the file from a copy, or start a new run`;
  return valueError(
    "journal",
    `whole rows in ${basename(path)}`,
    `${got} after row ${row - 1} of ${path}`,
    advice,
  );
}

function decodeHead(payload: Uint8Array, path: string): JournalHead {
  const { format, version, head } = JSON.parse(new TextDecoder().decode(payload));
  if (format === FORMAT && version === VERSION && typeof head?.configHash === "string") return head;
  const got = `${String(format)} version ${String(version)} at ${path}`;
  throw valueError("journal", `a ${FORMAT}, version ${VERSION}`, got, "use the release that wrote it");
}
