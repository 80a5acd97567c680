import { join } from "node:path";
import { Stopped } from "../base/index.ts";
import {
  archiveName,
  bindingOf,
  type ClaimedFolder,
  type Journal,
  type JournalHead,
  joinedRows,
  makeFolder,
  NAMES,
  type OpenArchive,
  RowDigest,
  type Seal,
  writeCheckpoint,
} from "../record/index.ts";
import { endingSentence, type RunConfig, warmStartSentence } from "../settings/index.ts";
import {
  type BuiltRun,
  outward,
  rowDifference,
  type Simulation,
  type Snapshot,
  type StepRow,
  snapshotOf,
  withOutputsEvery,
} from "../simulation/index.ts";
import { DataFile } from "./data-file.ts";
import { outcomeFile, type RunOutcome } from "./outcome.ts";
import type { RowStock } from "./row-stock.ts";

/** What a run tells while it goes. */
export interface RunEvents {
  /** After each row. */
  readonly row?: (row: StepRow, total: number) => void;
  /** Things worth a line that are no errors. */
  readonly notice?: (line: string) => void;
  /** Asked before each step; true ends the run there, its outputs written. */
  readonly interrupted?: () => boolean;
  /**
   * Asked also within a step and within a warm start, at least once per chunk of examples: true gives up what is being
   * computed and ends the run before that step, its outputs written. Looks at a flag and at nothing slower.
   */
  readonly shouldStop?: () => boolean;
  /**
   * When all rows and checkpoints are on disk and the folder is still this run's: for what else belongs into it. The built
   * run's objective is there to be asked; where the run was interrupted, `shouldStop` ends that.
   */
  readonly concluding?: (outcome: RunOutcome, built: BuiltRun) => void | Promise<void>;
}

/** Seconds between checkpoints for `resume`, which only save it time. */
const CHECKPOINT_SECONDS = 20;
/** What a run can be told that changes none of its rows. */
export interface RunOptions {
  /** Bytes of a journal after which its rows go to the archive. Default 16 MiB. */
  readonly archiveAfter?: number;
}

/** A journal of so many bytes is read again in a second or two. */
const ARCHIVE_AFTER = 1 << 24;

/** An archive that has been replaced stays for who is reading it. */
const STALE_SECONDS = 60;

/** What a run needs to go on. */
export interface LoopParts {
  readonly config: RunConfig;
  readonly folder: ClaimedFolder;
  readonly built: BuiltRun;
  readonly journal: Journal;
  readonly head: JournalHead;
  /** What has the rows before the journal's own. */
  readonly archived?: OpenArchive | undefined;
  /** The rows that are logged. */
  readonly stock: RowStock;
  /** Added to the simulation's initial step. */
  readonly startedAt: number;
  readonly events: RunEvents;
  readonly options: RunOptions;
}

/** A moment to go on from: all that the rest of the run depends on, and the digest of the rows before. */
interface Moment {
  readonly snapshot: Snapshot;
  readonly digest: string;
}

/** One process of computing, from a row on. */
export class RunLoop {
  private readonly parts: LoopParts;
  private readonly loggedCount: number;
  private simulation: Simulation | undefined;
  private from = 0;
  /** The logged rows from `from` on, one for each row that is computed again. */
  private logged: Iterator<StepRow> | undefined;
  /** Of the rows before the one to come. */
  private digest = new RowDigest();
  private readonly started = performance.now();
  private saved = performance.now();
  private readonly data: DataFile;
  /** Before the row that was taken last. */
  private before: Moment | undefined;
  /** An archive that the journal does not name any more, and since when. */
  private stale: { readonly file: string; readonly time: number } | undefined;

  /** Rows that are logged. */
  get rowCount(): number {
    return this.parts.journal.rowCount;
  }

  constructor(parts: LoopParts) {
    const { journal, stock, folder, events } = parts;
    this.parts = parts;
    this.loggedCount = journal.rowCount;
    this.data = new DataFile(folder.path(NAMES.data), journal, stock.extents, parts.archived, (line) =>
      events.notice?.(line),
    );
  }

  /** The logged rows from `from` on, `to` exclusive. */
  private rows(from: number, to?: number): Generator<StepRow> {
    return joinedRows(this.data.archived, this.parts.journal, from, to);
  }

  /**
   * Computes what is missing, and writes it all. The journal is closed and the run disposed of in any case.
   *
   * @param restore puts the simulation where it goes on and returns the row to come; those from there that are logged
   *   are computed again and compared. Default: the first row
   */
  async run(restore: (simulation: Simulation) => number = () => 0): Promise<RunOutcome> {
    const { built, folder, journal, events, head } = this.parts;
    try {
      for (const notice of built.notices) events.notice?.(notice);
      await this.data.open();
      const interrupted = await this.compute(restore);
      this.removeStale(0);
      const outcome = this.outcome(interrupted);
      if (interrupted) this.data.update();
      const sha256 = interrupted ? undefined : this.data.finish();
      await events.concluding?.(outcome, built);
      if (!interrupted) {
        folder.check();
        const sealed = sha256 === undefined ? undefined : { sha256, digests: this.lastDigests() };
        folder.writeOutcome(outcomeFile(outcome, head, journal.restarts, sealed));
        if (sealed) {
          folder.remove(NAMES.journal, NAMES.oldJournal);
          folder.removeArchives();
        }
      }
      return outcome;
    } finally {
      this.logged?.return?.();
      this.data.close();
      journal.close();
      built.dispose();
    }
  }

  /** Takes rows until the end or until it is interrupted. Returns whether it was. */
  private async compute(restore: (simulation: Simulation) => number): Promise<boolean> {
    const { config, built, events } = this.parts;
    let here: Moment | undefined;
    try {
      const { simulation } = built;
      this.begin(restore(simulation));
      this.simulation = simulation;
      let index = this.from;
      for (; index < config.steps && simulation.running; index++) {
        // Signals arrive only when the event loop turns.
        await new Promise((turn) => setImmediate(turn));
        here = this.moment(index);
        if (events.interrupted?.() || events.shouldStop?.()) throw new Stopped("run");
        this.saveAskedFor(here);
        const quantities = simulation.step();
        const step = simulation.initialStep + this.parts.startedAt + index;
        this.take({ index, step, quantities: withOutputsEvery(index, quantities, config.log.outputsEvery) });
        this.before = here;
        this.saveNowAndThen();
        this.archiveNowAndThen();
      }
      this.saveLast(this.moment(index));
      return false;
    } catch (error) {
      if (!(error instanceof Stopped)) throw error;
      if (here) this.saveLast(here);
      return true;
    }
  }

  private begin(from: number): void {
    this.from = from;
    this.logged = this.rows(from);
    this.digest = new RowDigest(this.parts.stock.digestBefore(from, () => this.rows(0, from)));
  }

  private moment(index: number): Moment {
    const { processes, plane } = this.parts.built.simulation;
    return { snapshot: snapshotOf(index, [...processes, plane]), digest: this.digest.value };
  }

  /** Logs a row, or checks it against the one logged before the run was stopped. */
  private take(row: StepRow): void {
    const { journal, stock, events, config } = this.parts;
    if (row.index < this.loggedCount) {
      const logged: StepRow = this.logged?.next().value;
      const difference = rowDifference(logged, row);
      if (difference !== undefined)
        throw new Error(
          `resume: expected row ${row.index} as logged, got another value of ${difference}; this build or machine computes differently from the one that started the run, so start a new one`,
        );
      this.digest.add(logged);
      return;
    }
    stock.extents.add(row);
    journal.append(row);
    stock.last.add(row);
    this.digest.add(row);
    this.data.add(row);
    events.row?.(row, config.steps);
  }

  /** Writes the checkpoint that the user wants before a row. */
  private saveAskedFor(here: Moment): void {
    const { index } = here.snapshot;
    const { frequency, steps } = this.parts.config.checkpoint;
    if ((frequency > 0 && index % frequency === 0) || steps.includes(index))
      this.save(`checkpoint_${index}.npz`, here);
  }

  /** Writes a checkpoint for `resume` when there has been none for a while. */
  private saveNowAndThen(): void {
    const { journal } = this.parts;
    if (performance.now() - this.saved < CHECKPOINT_SECONDS * 1000 || !this.before) return;
    if (this.before.snapshot.index + 1 < journal.rowCount) return;
    this.parts.folder.check();
    this.save(NAMES.resume, this.before);
    this.saved = performance.now();
  }

  /** The digests before the last row, where that has been computed here, and after it. */
  private lastDigests(): Seal["digests"] {
    const { index } = this.before?.snapshot ?? { index: -1 };
    const { rowCount } = this;
    const last = index === rowCount - 1 ? { [index]: this.before?.digest ?? "" } : {};
    return { ...last, [rowCount]: this.before ? this.digest.value : this.parts.stock.digest.value };
  }

  /**
   * Moves the journal's rows to the archive when they have become many. A checkpoint is written first, so that a run that is
   * gone on with has no row of the archive to compute again but the last.
   */
  private archiveNowAndThen(): void {
    const { journal, folder, options, events, head, stock } = this.parts;
    if (!this.before || this.before.snapshot.index + 1 < journal.rowCount) return;
    this.removeStale(STALE_SECONDS);
    if (!this.data.isDue(journal.size, options.archiveAfter ?? ARCHIVE_AFTER)) return;
    folder.check();
    this.save(NAMES.resume, this.before);
    const { rowCount: rows, restarts } = journal;
    const file = archiveName(rows);
    const old = this.data.archived?.archive;
    const archived = this.data.archive(folder.path(file), events.shouldStop, (sha256) => {
      const known = { file, rows, sha256, digests: this.lastDigests(), summary: stock.last.values, restarts };
      folder.check();
      journal.continueAfter({ ...head, archive: known });
      return known;
    });
    if (!archived) return;
    this.removeStale(0);
    if (old) this.stale = { file: old.file, time: performance.now() };
  }

  /** Removes the archive before the last one when that is so many seconds old. */
  private removeStale(seconds: number): void {
    if (!this.stale || performance.now() - this.stale.time < 1000 * seconds) return;
    this.parts.folder.remove(this.stale.file);
    this.stale = undefined;
  }

  /** Writes the last checkpoints: the weights as they are, and one from which `resume` has a row to compute again. */
  private saveLast(here: Moment): void {
    if (here.snapshot.index === this.from && this.from > 0) return;
    if (this.before) this.save(NAMES.resume, this.before);
    this.save(NAMES.latest, here);
  }

  private save(name: string, { snapshot, digest }: Moment): void {
    const { folder, head } = this.parts;
    const checkpoints = folder.path(NAMES.checkpoints);
    makeFolder(checkpoints);
    const { coordinates } = this.parts.built;
    const kept = coordinates ? outward(snapshot, coordinates) : snapshot;
    writeCheckpoint(join(checkpoints, name), kept, bindingOf(head.configHash, digest));
  }

  /** Why processes failed, a sentence for each; one for all of them where the warm start did. */
  private failures(processes: RunOutcome["processes"]): readonly string[] {
    const diverged = this.simulation?.divergedWarmStart;
    if (diverged) return [warmStartSentence(diverged.steps, diverged.loss, diverged.startLoss)];
    return Object.entries(processes).flatMap(([kind, status]) =>
      status.kind === "failed" ? [endingSentence(kind, status.ending)] : [],
    );
  }

  private outcome(interrupted: boolean): RunOutcome {
    const { built, config, folder, journal, stock } = this.parts;
    const processes = this.simulation?.statuses() ?? {};
    const failures = this.failures(processes);
    const { steps } = config;
    const done = journal.rowCount;
    const ending = interrupted ? "interrupted" : failures.length > 0 ? "failed" : "finished";
    const reached =
      done >= steps
        ? `finished ${steps} steps`
        : `${interrupted ? "interrupted" : "ended"} after ${done} of ${steps} steps`;
    const replayed = interrupted && this.before && this.before.snapshot.index + 1 < this.loggedCount;
    return {
      directory: folder.directory,
      config,
      rowCount: done,
      ending,
      status: [reached, ...failures].join("; "),
      processes,
      criticalValue: built.criticalValue,
      backend: built.backend,
      digest: replayed || !this.before ? stock.digest.value : this.digest.value,
      summary: stock.last.values,
      seconds: (performance.now() - this.started) / 1000,
      ...(config.profile && { profile: built.profile() }),
    };
  }
}
