/**
 * The archive of a long run: its first rows in a compact HDF5 file, `archive-ROWS.hdf5`, so that the journal stays short and
 * a run of any length is gone on with quickly. The journal's head names it and has the hash of its bytes, and all that
 * a run must know of those rows to go on without reading them. Rows leave the journal only when they have been read
 * back from the archive and agree.
 */
import { copyFileSync, existsSync, linkSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { valueError } from "../base/index.ts";
import type { StepRow } from "../simulation/index.ts";
import { hashOfFile, moveInto, removeIfThere, temporaryBeside } from "./files.ts";
import type { SealedFile } from "./hdf5.ts";
import { library, loadedLibrary, StoredRows } from "./hdf5-read.ts";
import { type Archive, type JournalContents, readHead, readJournal } from "./journal.ts";

/** An archive that can be read. */
export interface OpenArchive extends SealedFile {
  readonly archive: Archive;
}

/** The name of an archive with so many rows. */
export const archiveName = (rows: number): string => `archive-${rows}.hdf5`;

/**
 * Opens a journal's archive.
 *
 * @param verify whether its bytes are held against its hash: a tenth of a second per 100 MB
 * @throws InputValueError where it is missing, cannot be read, or is not the one that the journal was continued on
 */
export async function openArchive(
  directory: string,
  archive: Archive,
  operation: string,
  verify: boolean,
): Promise<OpenArchive> {
  await library();
  return opened(directory, archive, operation, verify);
}

/** See `openArchive`. The library must be loaded. */
function opened(directory: string, archive: Archive, operation: string, verify: boolean): OpenArchive {
  const path = join(directory, archive.file);
  const refuse = (got: string): Error =>
    valueError(
      operation,
      `the first ${archive.rows} rows in ${archive.file}, as the journal's head tells`,
      got,
      "restore the file from a copy",
    );
  if (!existsSync(path)) throw refuse(`no such file in ${directory}`);
  if (verify && hashOfFile(path) !== archive.sha256) throw refuse(`another file at ${path} (SHA-256)`);
  const stored = new StoredRows(loadedLibrary(), path);
  if (stored.rowCount !== archive.rows) throw refuse(`${stored.rowCount} rows`);
  return { archive, path, sha256: archive.sha256, stored };
}

/** Makes a file an archive, under a second name; where the disk has no such names, as a copy. */
export function linkArchive(path: string, archive: string): void {
  removeIfThere(archive);
  try {
    linkSync(path, archive);
  } catch {
    const temporary = temporaryBeside(archive);
    try {
      copyFileSync(path, temporary);
      moveInto(temporary, archive);
    } finally {
      removeIfThere(temporary);
    }
  }
}

/** Removes the archives of a folder but one. Only its sole writer may call this. */
export function removeArchives(directory: string, but?: string): void {
  for (const name of readdirSync(directory))
    if (/^archive-\d+\.hdf5$/.test(name) && name !== but) removeIfThere(join(directory, name));
}

/** The rows `from` … `to` − 1 of a run: those of its archive, then those of its journal. */
export function* joinedRows(
  archived: OpenArchive | undefined,
  journal: { readonly rows: (from?: number, to?: number) => Iterable<StepRow> },
  from = 0,
  to?: number,
): Generator<StepRow> {
  const first = archived?.archive.rows ?? 0;
  if (archived && from < first) yield* archived.stored.rows(from, Math.min(first, to ?? first));
  if (to === undefined || to > first) yield* journal.rows(Math.max(from, first), to);
}

/** How often it is looked again for rows that have moved while they were looked for. */
const LOOKS = 3;

/**
 * Reads the rows of a run that has not ended, also while another process appends to them, moves them from the journal to a
 * longer archive, or ends the run: a row never changes, and is found where it is when it is asked for.
 */
export class JournalReader {
  /** The journal as it was when it was opened. */
  readonly journal: JournalContents;
  private readonly data: string;
  private readonly operation: string;
  private current: { readonly journal: JournalContents; readonly archived: OpenArchive | undefined };

  private constructor(path: string, data: string, operation: string) {
    this.data = data;
    this.operation = operation;
    this.current = this.look(path);
    this.journal = this.current.journal;
  }

  /**
   * Opens a journal.
   *
   * @param data where the rows are when the run has ended
   * @throws InputValueError where it cannot be read, a record before the tail is damaged, or its archive is missing
   */
  static async open(path: string, data: string, operation: string): Promise<JournalReader> {
    if (readHead(path).archive) await library();
    return new JournalReader(path, data, operation);
  }

  /** The archive with the first rows, as it was when it was last looked at. */
  get stored(): StoredRows | undefined {
    return this.current.archived?.stored;
  }

  /** The rows `from` … `to` − 1 of those that there were when the journal was opened; default all. */
  *rows(from = 0, to = this.journal.rowCount): Generator<StepRow> {
    const end = Math.min(to, this.journal.rowCount);
    for (let at = from; at < end; ) {
      const { path } = this.journal;
      if (!existsSync(path)) return yield* new StoredRows(loadedLibrary(), this.data).rows(at, end);
      if (readHead(path).archive?.file !== this.current.archived?.archive.file)
        this.current = this.look(path);
      const { archived, journal } = this.current;
      if (!archived || at >= archived.archive.rows) return yield* journal.rows(at, end);
      const archivedEnd = Math.min(end, archived.archive.rows);
      yield* archived.stored.rows(at, archivedEnd);
      at = archivedEnd;
    }
  }

  private look(path: string, looks = LOOKS): typeof this.current {
    const journal = readJournal(path);
    const { archive } = journal.head;
    try {
      return { journal, archived: archive && opened(dirname(path), archive, this.operation, false) };
    } catch (error) {
      if (looks > 1 && readHead(path).archive?.file !== archive?.file) return this.look(path, looks - 1);
      throw error;
    }
  }
}
