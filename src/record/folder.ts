/**
 * The folder of a run:
 *
 *     lock           while somebody writes it
 *     rule.ts        a custom rule, as it was when the run was started
 *     journal.bin    the run's head and its rows, until data.hdf5 has been read back and agrees
 *     archive-ROWS.hdf5  the first rows of a long run, which its journal does not have any more
 *     config.json    its settings
 *     data.hdf5      its rows for other programs, and after the end the only place that has them
 *     checkpoints/   latest.npz: the last weights; resume.npz: one row before; checkpoint_N.npz: those asked for
 *     diagnostics.json  what the report tells of the last weights beside the rows
 *     report.html
 *     outcome.json   how the run ended, written last: a run that has it has ended
 *
 * Nothing is written before the folder has been claimed.
 */
import { existsSync, readdirSync, readFileSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { valueError } from "../base/index.ts";
import type { ProcessStatus } from "../flows/index.ts";
import type { StepRow } from "../simulation/index.ts";
import { archiveName, JournalReader, linkArchive, removeArchives } from "./archive.ts";
import { RowDigest } from "./digest.ts";
import { hashOfFile, makeFolder, removeIfThere, removeTemporaries, writeFileAtomic } from "./files.ts";
import { readStoredRows, type StoredRows } from "./hdf5-read.ts";
import { type Archive, createJournal, type JournalHead, type Seal } from "./journal.ts";
import { readOldJournal } from "./journal-lines.ts";
import { FolderBusyError, type Lock, type LockHolder, lockHolder, takeLock } from "./lock.ts";

/** The names in a run's folder. */
export const NAMES = {
  journal: "journal.bin",
  /** The journal of 0.1.0. */
  oldJournal: "journal.jsonl",
  config: "config.json",
  data: "data.hdf5",
  checkpoints: "checkpoints",
  latest: "latest.npz",
  resume: "resume.npz",
  outcome: "outcome.json",
  diagnostics: "diagnostics.json",
} as const;

/** How a run ended, as outcome.json keeps it. */
export interface OutcomeFile {
  readonly ending: "finished" | "failed";
  /** A sentence for people. */
  readonly sentence: string;
  /** The exit status of the command line: 0 done, 1 a process diverged or had no solution. */
  readonly exitCode: number;
  readonly rows: number;
  /** How often the run was gone on with after a stop. */
  readonly restarts: number;
  /** Of the process that ended it. */
  readonly seconds: number;
  readonly backend: string;
  /** The running hash of all rows (`RowDigest`). */
  readonly digest: string;
  /** What data.hdf5 is known again by; undefined where it has not been written, or by an earlier version. */
  readonly sealed?: Seal;
  /** The last value of each scalar quantity, and of the largest of `…_eigs`. */
  readonly summary: Readonly<Record<string, number>>;
  readonly host: string;
  readonly job?: string;
  /** How the processes stand. */
  readonly processes: Readonly<Record<string, ProcessStatus>>;
  readonly criticalValue: number;
  /** The head of the run's journal without its configuration, which config.json has. */
  readonly head: Omit<JournalHead, "config">;
}

/** What a folder holds: nothing, a run that can go on, one that has ended, or files that are no run of ours. */
export type FolderState = "empty" | "unfinished" | "ended" | "foreign";

/** Looks at a folder without reading its files. */
export function folderState(directory: string): FolderState {
  const has = (name: string): boolean => existsSync(join(directory, name));
  if (has(NAMES.outcome)) return "ended";
  if (has(NAMES.journal) || has(NAMES.oldJournal)) return "unfinished";
  return has(NAMES.data) || has(NAMES.config) || has(NAMES.checkpoints) ? "foreign" : "empty";
}

/** outcome.json of a run; undefined before its end. @throws InputValueError where it does not parse */
export function readOutcome(directory: string): OutcomeFile | undefined {
  const path = join(directory, NAMES.outcome);
  if (!existsSync(path)) return undefined;
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw valueError(NAMES.outcome, "JSON that parses", `${path}: ${(error as Error).message}`);
  }
}

/** Rows on disk, wherever a run keeps them. */
export interface KeptRows {
  readonly rowCount: number;
  /** The rows `from` … `to` − 1, read in blocks; default all. */
  readonly rows: (from?: number, to?: number) => IterableIterator<StepRow>;
  /** The hash of the configuration that wrote them; undefined for runs of 0.1.0. */
  readonly configHash: string | undefined;
  /** Whether the last row was torn by a crash. */
  readonly torn: boolean;
  /** The file that has the first rows, or all, for who wants them by columns; undefined where there is none. */
  readonly stored?: StoredRows | undefined;
}

/**
 * Opens the rows of a run for reading, also while it goes: its journal, or data.hdf5 after its end.
 *
 * @param operation named in errors, such as `report`
 * @throws InputValueError where there is no run, or its rows are damaged
 */
export async function openRows(directory: string, operation: string): Promise<KeptRows> {
  const at = (name: string): string => join(directory, name);
  if (existsSync(at(NAMES.journal))) {
    const reader = await JournalReader.open(at(NAMES.journal), at(NAMES.data), operation);
    const { rowCount, head, droppedBytes } = reader.journal;
    const rows = (from?: number, to?: number): IterableIterator<StepRow> => reader.rows(from, to);
    const { stored } = reader;
    return { rowCount, rows, stored, configHash: head.configHash, torn: droppedBytes > 0 };
  }
  if (existsSync(at(NAMES.oldJournal)))
    return { ...readOldJournal(at(NAMES.oldJournal)), configHash: undefined };
  const outcome = readOutcome(directory);
  if (!outcome || !existsSync(at(NAMES.data)))
    throw valueError(operation, "the folder of a run", `${directory}, which has no journal`);
  const stored = await readStoredRows(at(NAMES.data));
  if (stored.rowCount !== outcome.rows)
    throw valueError(
      operation,
      `${outcome.rows} rows in ${NAMES.data}, as ${NAMES.outcome} says`,
      String(stored.rowCount),
      "restore the file",
    );
  const { rowCount, rows } = stored;
  return { rowCount, rows, stored, configHash: outcome.head.configHash, torn: false };
}

/** A folder that this process alone writes, until `release`. */
export class ClaimedFolder {
  readonly directory: string;
  private readonly lock: Lock;
  /** Folders that the claim made, the outermost first. */
  private readonly made: readonly string[];

  private constructor(directory: string, lock: Lock, made: readonly string[]) {
    this.directory = directory;
    this.lock = lock;
    this.made = made;
    removeTemporaries(directory);
    removeTemporaries(this.path(NAMES.checkpoints));
  }

  /**
   * Claims a folder for a new run, making it where it is missing.
   *
   * @throws InputValueError where it holds a run or the files of another program; FolderBusyError while somebody writes it
   */
  static forNewRun(directory: string): ClaimedFolder {
    refuseUsed(directory, existsSync(directory) ? lockHolder(directory) : undefined);
    const made = makeFolder(directory);
    const folder = new ClaimedFolder(directory, takeLock(directory, "run"), made);
    try {
      // Somebody may have started and ended a run in between.
      refuseUsed(directory);
    } catch (error) {
      folder.release();
      throw error;
    }
    return folder;
  }

  /** Claims the folder of a run that is there. @throws FolderBusyError while somebody writes it */
  static ofRun(directory: string, operation: string): ClaimedFolder {
    return new ClaimedFolder(directory, takeLock(directory, operation), []);
  }

  /** The path of a file in the folder. */
  path(name: string): string {
    return join(this.directory, name);
  }

  /** Removes files; no effect where there are none. */
  remove(...names: readonly string[]): void {
    for (const name of names) removeIfThere(this.path(name));
  }

  /** Gives the folder free. */
  release(): void {
    this.lock.release();
  }

  /** Gives free a folder in which no run has begun, and removes what was made for it. */
  abandon(written: readonly string[] = []): void {
    this.remove(...written);
    this.release();
    try {
      for (const folder of [...this.made].reverse()) rmdirSync(folder);
    } catch {
      // Somebody else has put something there.
    }
  }

  /** @throws Error where somebody else has taken the folder, so that this run may no longer write it */
  check(): void {
    if (!this.lock.held())
      throw new Error(
        `lock: expected ${this.directory} to be this run's, got its lock taken away; resume it when nobody writes it`,
      );
  }

  /** Writes how the run ended; nothing of the run is written after that. */
  writeOutcome(outcome: OutcomeFile): void {
    writeFileAtomic(this.path(NAMES.outcome), `${JSON.stringify(outcome, null, 2)}\n`);
  }

  /** Removes the archives that the run's journal does not name. */
  removeArchives(but?: Archive): void {
    removeArchives(this.directory, but?.file);
  }

  /**
   * Makes a run that has ended one that goes on: data.hdf5 becomes the archive of a journal without rows, and there is no
   * outcome any more.
   *
   * @param config the contents of config.json, for the journal's head
   * @throws InputValueError where data.hdf5 does not hold the rows that outcome.json tells of
   */
  async reopen(config: JournalHead["config"]): Promise<void> {
    const outcome = readOutcome(this.directory);
    if (!outcome) return;
    if (!existsSync(this.path(NAMES.journal))) {
      const { rows, summary, restarts } = outcome;
      const file = archiveName(rows);
      const seal = await this.sealOf(outcome);
      linkArchive(this.path(NAMES.data), this.path(file));
      const archive: Archive = { ...seal, file, rows, summary, restarts };
      createJournal(this.path(NAMES.journal), { ...outcome.head, config, archive }).close();
    }
    this.remove(NAMES.outcome);
  }

  /** What data.hdf5 of a run that has ended is known by. All rows are read where its bytes are not those of its end. */
  private async sealOf({ rows: rowCount, digest, sealed }: OutcomeFile): Promise<Seal> {
    const { stored } = await openRows(this.directory, "resume");
    const sha256 = hashOfFile(this.path(NAMES.data));
    if (sealed?.sha256 === sha256) return sealed;
    const running = new RowDigest();
    let before = running.value;
    for (const row of stored?.rows() ?? []) {
      before = running.value;
      running.add(row);
    }
    if (running.value !== digest)
      throw valueError(
        "resume",
        `the rows that ${NAMES.outcome} tells of, by their digest`,
        `others in ${this.path(NAMES.data)}`,
        "restore the file from a copy",
      );
    return { sha256, digests: { [Math.max(0, rowCount - 1)]: before, [rowCount]: digest } };
  }
}

function refuseUsed(directory: string, holder?: LockHolder): void {
  const state = existsSync(directory) ? folderState(directory) : "empty";
  if (holder && state !== "empty") throw new FolderBusyError("run", directory, holder);
  if (state === "unfinished" || state === "ended")
    throw valueError(
      "run",
      "a folder without a run",
      `${directory}, which holds one`,
      state === "ended"
        ? `choose another --expid or --out, or lengthen it (resume ${directory} --steps N)`
        : `resume it (resume ${directory}) or choose another --expid or --out`,
    );
  if (state === "foreign") {
    const there = readdirSync(directory).filter((name) =>
      ([NAMES.data, NAMES.config, NAMES.checkpoints] as string[]).includes(name),
    );
    throw valueError(
      "run",
      "a folder without a run",
      `${directory}, which has ${there.join(" and ")} of another program`,
      "choose another --expid or --out",
    );
  }
}
