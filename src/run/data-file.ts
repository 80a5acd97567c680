import { existsSync, statSync } from "node:fs";
import { Stopped, throwIfStopped } from "../base/index.ts";
import {
  type Extents,
  type Journal,
  LATEST_ROWS,
  LiveHdf5,
  type OpenArchive,
  type RowSource,
  reasonOf,
  StoredRows,
  writeCompact,
} from "../record/index.ts";
import type { StepRow } from "../simulation/index.ts";

/** Seconds between additions to data.hdf5, which come every `LATEST_ROWS` rows at least. */
const DATA_SECONDS = 5;

/** A journal is at least this fraction of its archive, which is copied when it grows. */
const ARCHIVE_FRACTION = 1 / 16;

/** data.hdf5 while a run goes, and the archive. Both are derived from the journal, so that their failure is a notice, once. */
export class DataFile {
  private readonly path: string;
  private readonly journal: Journal;
  private readonly extents: Extents;
  private readonly notice: (line: string) => void;
  private live: LiveHdf5 | undefined;
  private time = Number.NEGATIVE_INFINITY;
  /** How many rows the file does not have yet. */
  private pending = 0;
  private inArchive: OpenArchive | undefined;
  private archives = true;

  constructor(
    path: string,
    journal: Journal,
    extents: Extents,
    archived: OpenArchive | undefined,
    notice: (line: string) => void,
  ) {
    this.path = path;
    this.journal = journal;
    this.extents = extents;
    this.inArchive = archived;
    this.notice = notice;
  }

  /** What has the rows before the journal's own. */
  get archived(): OpenArchive | undefined {
    return this.inArchive;
  }

  /** Starts the file with the rows that are logged. That of a long run which is gone on with stays until it is time to write. */
  async open(): Promise<void> {
    try {
      this.live = await LiveHdf5.load(this.path);
    } catch (error) {
      this.fail(error);
    }
    if (this.inArchive && existsSync(this.path)) this.time = performance.now();
    else this.update();
  }

  /** Takes a row that the journal has, and writes when it is time to. */
  add(row: StepRow): void {
    if (!this.live) return;
    this.pending++;
    this.attempt((live) => live.add(this.extents, row));
    if (this.pending >= LATEST_ROWS || performance.now() - this.time > DATA_SECONDS * 1000) this.update();
  }

  /** Brings the file up to the journal. */
  update(): void {
    this.attempt((live) => {
      live.update(this.extents, this.source());
      this.pending = 0;
      this.time = performance.now();
    });
  }

  /** Leaves the file of a run that has ended. Returns its SHA-256 where it was read back and is what was logged. */
  finish(): string | undefined {
    return this.attempt((live) => live.finish(this.extents, this.source()));
  }

  /** Whether a journal of so many bytes is to be archived. @param least no shorter one is */
  isDue(bytes: number, least: number): boolean {
    if (bytes < least || !this.archives || !this.live) return false;
    return !this.inArchive || bytes >= ARCHIVE_FRACTION * statSync(this.inArchive.path).size;
  }

  /**
   * Writes all rows to an archive, which has been read back when it has its name, and lets the journal begin anew. Given up
   * where it fails, or the run is to stop; the journal then stays as it is.
   *
   * @param begin makes the journal begin after the archive with this SHA-256
   * @returns whether the journal has begun anew
   */
  archive(
    path: string,
    shouldStop: (() => boolean) | undefined,
    begin: (sha256: string) => OpenArchive["archive"],
  ): boolean {
    if (!this.live) return false;
    const { h5 } = this.live;
    try {
      const look = (): void => throwIfStopped("run", shouldStop);
      const sha256 = writeCompact(h5, path, this.extents, this.source(), look);
      const stored = new StoredRows(h5, path);
      this.inArchive = { archive: begin(sha256), path, sha256, stored };
      return true;
    } catch (error) {
      if (error instanceof Stopped) return false;
      this.archives = false;
      this.notice(`the archive is not written: ${reasonOf(error)}; the journal has every row since the last`);
      return false;
    }
  }

  close(): void {
    this.attempt((live) => live.close());
  }

  private source(): RowSource {
    return {
      rowCount: this.journal.rowCount,
      rows: () => this.journal.rows(),
      sealed: this.inArchive,
    };
  }

  private attempt<T>(act: (live: LiveHdf5) => T): T | undefined {
    if (!this.live) return undefined;
    try {
      return act(this.live);
    } catch (error) {
      this.fail(error);
      return undefined;
    }
  }

  private fail(error: unknown): void {
    this.live = undefined;
    this.notice(`data.hdf5 is not written: ${reasonOf(error)}; the journal has every row and stays`);
  }
}
