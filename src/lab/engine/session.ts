import { Stopped } from "../../base/index.ts";
import { timeScaleOf } from "../../flows/index.ts";
import { endingSentence, parseRun, type RunConfig, warmStartSentence } from "../../settings/index.ts";
import {
  type BuiltRun,
  buildRun,
  restoreProcesses,
  type Snapshot,
  type StepRow,
  snapshotOf,
  withOutputsEvery,
} from "../../simulation/index.ts";
import { BitTrail } from "../link/bits.ts";
import type { EndedProcess } from "./protocol.ts";

/** Rows between two snapshots that are kept to go back to. */
const SNAPSHOT_EVERY = 20;
/** Numbers that snapshots may hold together: 64 MB. */
const MOST_KEPT = 8e6;

interface Moment {
  readonly snapshot: Snapshot;
  readonly trail: BitTrail;
}

/** One run, row by row, with the moments to go back to. Nothing of a page, of a worker or of Node. */
export class Session {
  config: RunConfig;
  built: BuiltRun;
  /** Rows taken. */
  rows = 0;
  trail = new BitTrail();
  private moments: Moment[] = [];

  /** @throws InputKindError or InputValueError where the words are no run that can be had here */
  constructor(argv: readonly string[]) {
    this.config = configOf(argv);
    this.built = buildRun(this.config, {});
  }

  /** Whether there is a next row. */
  get open(): boolean {
    return this.rows < this.config.steps && this.built.simulation.running;
  }

  /** Takes a row. @throws Error with a sentence where the run cannot go on */
  step(): StepRow {
    const { simulation } = this.built;
    if (this.rows % SNAPSHOT_EVERY === 0) this.keep();
    const index = this.rows;
    const quantities = withOutputsEvery(index, simulation.step(), this.config.log.outputsEvery);
    const row = { index, step: simulation.initialStep + index, quantities };
    this.trail.add(row);
    this.rows++;
    return row;
  }

  /**
   * Goes on with another η from a row on, or with whatever leaves the rows before it as they are.
   *
   * @returns the row from which rows are void: `step`, the last moment kept before it, or 0 where the flows of such a
   *   rule keep another time under a schedule
   */
  fork(step: number, argv: readonly string[]): number {
    const { built } = this;
    if (this.rows <= step) this.keep();
    const config = configOf(argv);
    const next = buildRun(config, {});
    const punctual = ({ rule }: BuiltRun) => timeScaleOf(rule.rule, "t") === 1;
    const from = punctual(built) === punctual(next) ? this.momentBefore(step) : undefined;
    built.dispose();
    this.config = config;
    this.built = next;
    this.rows = 0;
    this.trail = new BitTrail();
    this.moments = this.moments.filter(({ snapshot }) => from && snapshot.index <= from.snapshot.index);
    if (from) {
      const { index, arrays } = from.snapshot;
      next.simulation.resumeAt(index, arrays);
      restoreProcesses(next.simulation.processes, from.snapshot);
      this.rows = index;
      this.trail = from.trail.save();
    }
    return this.rows;
  }

  /** Why processes have ended. */
  ended(): EndedProcess[] {
    const { simulation } = this.built;
    const diverged = simulation.divergedWarmStart;
    if (diverged) {
      const sentence = warmStartSentence(diverged.steps, diverged.loss, diverged.startLoss);
      return [{ process: "warm start", failed: true, sentence }];
    }
    return Object.entries(simulation.statuses()).flatMap(([process, status]) =>
      status.kind === "running"
        ? []
        : [{ process, failed: status.kind === "failed", sentence: endingSentence(process, status.ending) }],
    );
  }

  private keep(): void {
    const { processes, plane } = this.built.simulation;
    if (this.moments.at(-1)?.snapshot.index === this.rows) return;
    this.moments.push({ snapshot: snapshotOf(this.rows, [...processes, plane]), trail: this.trail.save() });
    const size = [...this.moments[0].snapshot.arrays.values()].reduce((sum, { length }) => sum + length, 0);
    if (this.moments.length * size > MOST_KEPT) this.moments = this.moments.filter((_, i) => i % 2 === 0);
  }

  private momentBefore(step: number): Moment | undefined {
    return this.moments.findLast(({ snapshot }) => snapshot.index <= step);
  }
}

const configOf = (argv: readonly string[]): RunConfig => parseRun(argv, { newExpid: () => "lab" }).config;

/** A failure as a sentence. */
export const sentenceOf = (error: unknown): string =>
  error instanceof Stopped ? "the run was stopped" : error instanceof Error ? error.message : String(error);
