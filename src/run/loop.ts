import { join } from "node:path";
import { Stopped } from "../base/index.ts";
import {
  bindingOf,
  type ClaimedFolder,
  Extents,
  type Journal,
  type JournalHead,
  LiveHdf5,
  makeFolder,
  NAMES,
  RowDigest,
  type RowSource,
  reasonOf,
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
import { LastValues, outcomeFile, type RunOutcome } from "./outcome.ts";

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
/** Seconds and rows between additions to data.hdf5. */
const DATA_SECONDS = 5;
const DATA_ROWS = 256;

/** What is known of the rows that a run has, gathered row by row. */
export class RowStock {
  readonly extents = new Extents();
  readonly digest = new RowDigest();
  readonly last = new LastValues();
  /** Digests before rows. */
  private readonly digests = new Map<number, string>();
  private readonly wanted: ReadonlySet<number>;
  private rowCount = 0;

  /** @param wanted indices of rows before which the digest is to be kept */
  constructor(wanted: ReadonlySet<number> = new Set()) {
    this.wanted = wanted;
    this.digests.set(0, this.digest.value);
  }

  /** Takes in the rows that a run has. */
  add(row: StepRow): void {
    this.extents.add(row);
    this.last.add(row);
    this.digest.add(row);
    this.rowCount++;
    if (this.wanted.has(row.index + 1)) this.digests.set(row.index + 1, this.digest.value);
  }

  /** The digest of the rows before `index`. @param rows gives these rows again: they are read where it was not wanted */
  digestBefore(index: number, rows: () => Iterable<StepRow>): string {
    const known = index === this.rowCount ? this.digest.value : this.digests.get(index);
    if (known !== undefined) return known;
    const digest = new RowDigest();
    for (const row of rows()) digest.add(row);
    return digest.value;
  }
}

/** What a run needs to go on. */
export interface LoopParts {
  readonly config: RunConfig;
  readonly folder: ClaimedFolder;
  readonly built: BuiltRun;
  readonly journal: Journal;
  readonly head: JournalHead;
  /** The rows that are logged. */
  readonly stock: RowStock;
  /** Added to the simulation's initial step. */
  readonly startedAt: number;
  readonly events: RunEvents;
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

  /** Rows that are logged. */
  get rowCount(): number {
    return this.parts.journal.rowCount;
  }

  constructor(parts: LoopParts) {
    const { journal, stock, folder, events } = parts;
    this.parts = parts;
    this.loggedCount = journal.rowCount;
    this.data = new DataFile(folder.path(NAMES.data), journal, stock.extents, (line) =>
      events.notice?.(line),
    );
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
      const outcome = this.outcome(interrupted);
      const kept = interrupted ? this.data.update() : this.data.finish();
      await events.concluding?.(outcome, built);
      if (!interrupted) {
        folder.check();
        folder.writeOutcome(outcomeFile(outcome, head, journal.restarts));
        if (kept) folder.remove(NAMES.journal, NAMES.oldJournal);
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
    const { journal, stock } = this.parts;
    this.from = from;
    this.logged = journal.rows(from);
    this.digest = new RowDigest(stock.digestBefore(from, () => journal.rows(0, from)));
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

/** data.hdf5 while a run goes. It is derived from the journal, so that its failure is a notice, once. */
class DataFile {
  private readonly path: string;
  private readonly journal: Journal;
  private readonly extents: Extents;
  private readonly notice: (line: string) => void;
  private live: LiveHdf5 | undefined;
  private time = Number.NEGATIVE_INFINITY;
  /** Rows that the file does not have yet. */
  private pending: StepRow[] = [];

  constructor(path: string, journal: Journal, extents: Extents, notice: (line: string) => void) {
    this.path = path;
    this.journal = journal;
    this.extents = extents;
    this.notice = notice;
  }

  /** Starts the file with the rows that are logged. */
  async open(): Promise<void> {
    try {
      this.live = await LiveHdf5.load(this.path);
    } catch (error) {
      this.fail(error);
    }
    this.update();
  }

  /** Takes a row that the journal has, and writes when it is time to. */
  add(row: StepRow): void {
    if (!this.live) return;
    this.pending.push(row);
    if (this.pending.length >= DATA_ROWS || performance.now() - this.time > DATA_SECONDS * 1000)
      this.update();
  }

  /** Brings the file up to the journal. Returns whether it is. */
  update(): boolean {
    return this.attempt((live) => live.update(this.extents, this.source(), this.pending));
  }

  /** Leaves the file of a run that has ended. Returns whether it was read back and is what the journal holds. */
  finish(): boolean {
    return this.attempt((live) => live.finish(this.extents, this.source()));
  }

  close(): void {
    this.attempt((live) => live.close());
  }

  private source(): RowSource {
    return { rowCount: this.journal.rowCount, rows: () => this.journal.rows() };
  }

  private attempt(act: (live: LiveHdf5) => void): boolean {
    if (!this.live) return false;
    try {
      act(this.live);
      this.pending = [];
      this.time = performance.now();
      return true;
    } catch (error) {
      this.fail(error);
      return false;
    }
  }

  private fail(error: unknown): void {
    this.live = undefined;
    this.pending = [];
    this.notice(`data.hdf5 is not written: ${reasonOf(error)}; the journal has every row and stays`);
  }
}
