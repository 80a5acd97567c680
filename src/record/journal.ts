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
  writeFileAtomic,
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
/** The format, and that of a journal whose first rows are in an archive. */
const VERSION = 2;
const ARCHIVED_VERSION = 3;

/** What is known of a file with a run's first rows. */
export interface Seal {
  /** SHA-256 of its bytes, 64 hexadecimal digits. */
  readonly sha256: string;
  /** The running hash (`RowDigest`) before some rows, by index: before its last row at least, and after it. */
  readonly digests: Readonly<Record<string, string>>;
}

/** What the head of a journal says of the rows that it does not have itself. */
export interface Archive extends Seal {
  /** A name in the run's folder. */
  readonly file: string;
  /** It has the rows 0 … rows − 1. */
  readonly rows: number;
  /** The last value of each scalar quantity, and of the largest of `…_eigs`. */
  readonly summary: Readonly<Record<string, number>>;
  /** How often the run had been gone on with. */
  readonly restarts: number;
}

/** What the head of a journal says of the run. */
export interface JournalHead {
  /** A hash of what decides the run's numbers: `resume` refuses a journal that another configuration wrote. */
  readonly configHash: string;
  /** The contents of config.json when the run was started. */
  readonly config: Readonly<Record<string, unknown>>;
  /** The package's version, and the engine with its own, that started the run. */
  readonly version: string;
  readonly engine: string;
  /** Where the rows before the journal's own are; undefined where it has all. */
  readonly archive?: Archive;
}

/** What a journal file holds, read once from its beginning to its last whole row. */
export interface JournalContents {
  readonly path: string;
  readonly head: JournalHead;
  /** Rows of the run: those of the archive, and its own. */
  readonly rowCount: number;
  /** How often the run was gone on with. */
  readonly restarts: number;
  /** Bytes up to the end of the last whole record. */
  readonly validBytes: number;
  /** Bytes after that: a record torn by a crash. 0 for a journal that ended well. */
  readonly droppedBytes: number;
  /** The rows `from` … `to` − 1 of its own, read from disk in blocks; default all. A row is not touched once it is handed out. */
  readonly rows: (from?: number, to?: number) => IterableIterator<StepRow>;
}

/** An open journal. Made by `createJournal` or `openJournal`; one writer at a time. */
export class Journal {
  readonly path: string;
  private fd: number;
  private layouts: Layout[];
  private end: number;
  private first: number;
  private count: number;
  private started: number;
  private latest = -1;

  /**
   * Opens `path` for appending after `end`; whatever follows is cut off.
   *
   * @param count rows of the run; @param first those of them that are in the archive
   * @param layouts those before `end`, in order
   * @param restarts how often the run was gone on with before
   */
  constructor(
    path: string,
    end: number,
    count: number,
    layouts: readonly Layout[],
    restarts: number,
    first: number,
  ) {
    this.path = path;
    this.end = end;
    this.count = count;
    this.first = first;
    this.layouts = [...layouts];
    this.started = restarts;
    try {
      this.fd = openSync(path, "a");
      ftruncateSync(this.fd, end);
    } catch (error) {
      throw fileError("journal", path, error);
    }
  }

  /** Rows of the run: those of the archive, and those in the file. */
  get rowCount(): number {
    return this.count;
  }

  /** Bytes of the file. */
  get size(): number {
    return this.end;
  }

  /** How often the run was gone on with. */
  get restarts(): number {
    return this.started;
  }

  /**
   * Begins the file anew, without rows: all that it had are in the archive that the head names.
   *
   * @throws InputValueError where the archive has not all rows; the error of `fileError` when the disk refuses, and the
   *   journal is as it was
   */
  continueAfter(head: JournalHead): void {
    if (head.archive?.rows !== this.count)
      throw valueError("journal", `an archive of ${this.count} rows`, String(head.archive?.rows ?? "none"));
    const bytes = headRecord(head);
    if (fstatSync(this.fd).nlink === 0) throw deleted(this.path, this.count);
    writeFileAtomic(this.path, bytes);
    const old = this.fd;
    try {
      this.fd = openSync(this.path, "a");
    } catch (error) {
      throw fileError("journal", this.path, error);
    }
    closeSync(old);
    this.end = bytes.length;
    this.layouts = [];
    this.latest = -1;
    this.first = this.count;
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
   * The rows `from` … `to` − 1 of its own (default all), read from the file in blocks; rows appended meanwhile are left out.
   * The file is not looked through first, as `readJournal` does.
   *
   * @throws InputValueError where a record is damaged
   */
  rows(from = this.first, to = this.count): Generator<StepRow> {
    return rowsIn(this.path, this.end, this.first, from, Math.min(to, this.count));
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
  encodeRecord(
    "H",
    new TextEncoder().encode(
      JSON.stringify({ format: FORMAT, version: head.archive ? ARCHIVED_VERSION : VERSION, head }),
    ),
  );

/**
 * Starts a journal whose head is complete from the first moment the file exists.
 *
 * @throws InputValueError if `path` exists (a run is never overwritten) or its folder cannot be written
 */
export function createJournal(path: string, head: JournalHead): Journal {
  const bytes = headRecord(head);
  if (!createFileAtomic(path, bytes))
    throw valueError("journal", "a new run", `a journal at ${path}`, "resume it or choose another expid");
  const { rows, restarts } = head.archive ?? { rows: 0, restarts: 0 };
  return new Journal(path, bytes.length, rows, [], restarts, rows);
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
  const { validBytes, rowCount, restarts, head } = contents;
  const first = head.archive?.rows ?? 0;
  return { ...contents, journal: new Journal(path, validBytes, rowCount, layouts, restarts, first) };
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

/** The head of a journal, which says which run it is. @throws InputValueError if it cannot be read, or is not a journal */
export function readHead(path: string): JournalHead {
  return withFile(path, (fd, size) => {
    const { value } = recordsOf(fd, size).next();
    if (typeof value === "number" || value.letter !== "H") throw noJournal(path);
    return decodeHead(value.payload, path);
  });
}

const noJournal = (path: string): Error =>
  valueError("journal", `a file that begins as a ${FORMAT}`, path, "is it the right folder?");

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
    let first = 0;
    let rowCount = 0;
    let restarts = 0;
    let validBytes = 0;
    const records = recordsOf(fd, size);
    let next = records.next();
    for (; !next.done; next = records.next()) {
      const { letter, payload, end } = next.value;
      if (head === undefined) {
        head = letter === "H" ? decodeHead(payload, path) : undefined;
        first = head?.archive?.rows ?? 0;
        rowCount = first;
        restarts = head?.archive?.restarts ?? 0;
      } else if (letter === "S") restarts++;
      else if (letter === "L") layouts.push(JSON.parse(new TextDecoder().decode(payload)));
      else if (letter === "R") checkIndex(payload, rowCount++, path);
      if (head === undefined) break;
      validBytes = end;
    }
    if (head === undefined) throw noJournal(path);
    // Only a crash's torn tail may be damaged: a whole record after a bad one means that the file was harmed.
    if (validBytes < size && wholeRecordAfter(fd, validBytes + 1, size))
      throw damage(path, rowCount, "a checksum that does not match");
    const rows = (from = first, to = rowCount): Generator<StepRow> =>
      rowsIn(path, validBytes, first, from, Math.min(to, rowCount));
    return { path, head, rowCount, restarts, validBytes, droppedBytes: size - validBytes, rows, layouts };
  });
}

function* rowsIn(path: string, limit: number, first: number, from: number, to: number): Generator<StepRow> {
  if (from >= to) return;
  const fd = openSync(path, "r");
  try {
    const layouts: Layout[] = [];
    let index = first;
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
  const known =
    version === VERSION || (version === ARCHIVED_VERSION && typeof head?.archive?.rows === "number");
  if (format === FORMAT && known && typeof head?.configHash === "string") return head;
  const got = `${String(format)} version ${String(version)} at ${path}`;
  throw valueError(
    "journal",
    `a ${FORMAT}, version ${VERSION} or ${ARCHIVED_VERSION}`,
    got,
    "use the release that wrote it",
  );
}
