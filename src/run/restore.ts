import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { bindingOf, type Checkpoint, type JournalHead, NAMES, readCheckpoint } from "../record/index.ts";
import {
  inward,
  restoreProcesses,
  rowDifference,
  type Simulation,
  type StepRow,
  snapshotOf,
} from "../simulation/index.ts";
import type { RowStock } from "./row-stock.ts";

/** What a checkpoint is held against. */
export interface RestoreFrom {
  readonly head: JournalHead;
  readonly stock: RowStock;
  readonly rows: (from?: number, to?: number) => Iterable<StepRow>;
  readonly notice: (line: string) => void;
}

/**
 * The checkpoints from which a run may go on, the latest first: `resume.npz`, then `latest.npz`, then those that the user
 * asked for. At least one logged row must come after, to be computed again. Checkpoints are read one after the other
 * until one holds; one that does not is passed over, by name.
 */
export class Candidates {
  /** Before which rows the digest will be asked for, as far as names and the first checkpoint tell. */
  readonly indices: ReadonlySet<number>;
  private readonly folder: string;
  private readonly names: readonly string[];
  private readonly rowCount: number;
  private first: Checkpoint | Error | undefined;

  constructor(directory: string, rowCount: number) {
    this.folder = join(directory, NAMES.checkpoints);
    this.rowCount = rowCount;
    const there = existsSync(this.folder) && rowCount > 0 ? readdirSync(this.folder) : [];
    const numbered = there
      .map((name) => ({ name, index: Number(/^checkpoint_(\d+)\.npz$/.exec(name)?.[1] ?? Number.NaN) }))
      .filter(({ index }) => index < rowCount)
      .sort((a, b) => b.index - a.index);
    const own = [NAMES.resume, NAMES.latest].filter((name) => there.includes(name));
    this.names = [...own, ...numbered.map(({ name }) => name)];
    if (this.names.length > 0) this.first = this.read(this.names[0]);
    const first = this.first && !(this.first instanceof Error) ? [this.first.index] : [];
    this.indices = new Set([...first, ...numbered.map(({ index }) => index)]);
  }

  /**
   * Puts a simulation that has not moved yet where the first checkpoint that holds has it.
   *
   * @returns the row to come; 0, and the simulation where it was, if there is no such checkpoint
   */
  restore(simulation: Simulation, from: RestoreFrom): number {
    const start = snapshotOf(0, [...simulation.processes, simulation.plane]);
    for (const [i, name] of this.names.entries()) {
      const checkpoint = i === 0 && this.first ? this.first : this.read(name);
      const fault =
        checkpoint instanceof Error ? checkpoint.message : this.attempt(simulation, name, checkpoint, from);
      if (fault === undefined) return (checkpoint as Checkpoint).index;
      if (fault !== "") from.notice(`passing over ${NAMES.checkpoints}/${name}: ${fault}`);
    }
    restoreProcesses(simulation.processes, start);
    simulation.resumeAt(0, start.arrays);
    return 0;
  }

  private read(name: string): Checkpoint | Error {
    try {
      return inward(readCheckpoint(join(this.folder, name)));
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  }

  /** Tries a checkpoint. Returns why it is passed over, "" where that goes without saying, undefined where it holds. */
  private attempt(
    simulation: Simulation,
    name: string,
    checkpoint: Checkpoint,
    { head, stock, rows }: RestoreFrom,
  ): string | undefined {
    const { index, binding } = checkpoint;
    if (index === this.rowCount && name === NAMES.latest) return "";
    if (index >= this.rowCount) return `it is of step ${index}, of which the journal knows nothing yet`;
    const digest = stock.digestBefore(index, () => rows(0, index));
    if (binding !== undefined && binding !== bindingOf(head.configHash, digest))
      return "it belongs to another run, or to other rows than the journal's";
    try {
      const put = (): void => {
        restoreProcesses(simulation.processes, checkpoint);
        simulation.resumeAt(index, checkpoint.arrays);
      };
      put();
      // One of before 0.2.0 is bound to nothing: it holds if the next row is the one that is logged.
      if (binding === undefined) {
        const [logged] = rows(index, index + 1);
        const { step } = logged;
        if (rowDifference(logged, { index, step, quantities: simulation.step() }) !== undefined)
          return "the row after it is not the one that is logged";
        put();
      }
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
    return undefined;
  }
}
