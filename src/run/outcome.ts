import { hostname } from "node:os";
import type { ProcessStatus } from "../flows/index.ts";
import type { JournalHead, OutcomeFile, Seal } from "../record/index.ts";
import type { RunConfig } from "../settings/index.ts";
import {
  isWallClock,
  quantityData,
  quantityShape,
  type RunProfile,
  type StepRow,
} from "../simulation/index.ts";

/** How a run ended and what it left. */
export interface RunOutcome {
  readonly directory: string;
  readonly config: RunConfig;
  /** Rows that are logged, in this process and before. */
  readonly rowCount: number;
  /** `failed`: a process diverged or had no solution; `interrupted`: resume can go on. */
  readonly ending: "finished" | "interrupted" | "failed";
  /** A sentence for people. */
  readonly status: string;
  readonly processes: Readonly<Record<string, ProcessStatus>>;
  readonly criticalValue: number;
  /** The backend that computed it. */
  readonly backend: string;
  /** The running hash of all rows: two runs with the same have the same bits. */
  readonly digest: string;
  /** The last value of each scalar quantity, and of the largest of `…_eigs`. */
  readonly summary: Readonly<Record<string, number>>;
  /** What the derivatives took, where the configuration asks for it. */
  readonly profile?: RunProfile;
  readonly seconds: number;
}

/** Exit statuses: 130 is what a shell gives a program that Ctrl-C ended. */
export const EXIT_CODES = { finished: 0, failed: 1, interrupted: 130 } as const;

/** Last values, row by row. */
export class LastValues {
  private readonly last: Record<string, number>;

  /** @param known those of the rows before */
  constructor(known: Readonly<Record<string, number>> = {}) {
    this.last = { ...known };
  }

  add({ quantities }: StepRow): void {
    for (const path in quantities) {
      if (isWallClock(path)) continue;
      const quantity = quantities[path];
      const first = quantityData(quantity)[0];
      const wanted = quantityShape(quantity).length === 0 || path.endsWith("_eigs");
      if (wanted && Number.isFinite(first)) this.last[path] = first;
    }
  }

  get values(): Readonly<Record<string, number>> {
    return { ...this.last };
  }
}

/**
 * What outcome.json says of a run that has ended.
 *
 * @param restarts how often it was gone on with
 * @param sealed what its data.hdf5 is known by; undefined where it could not be written
 */
export function outcomeFile(
  outcome: RunOutcome,
  { config: _, archive: __, ...head }: JournalHead,
  restarts: number,
  sealed: Seal | undefined,
): OutcomeFile {
  const job = process.env.SLURM_JOB_ID;
  return {
    ending: outcome.ending === "finished" ? "finished" : "failed",
    sentence: outcome.status,
    exitCode: EXIT_CODES[outcome.ending],
    rows: outcome.rowCount,
    restarts,
    seconds: outcome.seconds,
    backend: outcome.backend,
    digest: outcome.digest,
    ...(sealed && { sealed }),
    summary: outcome.summary,
    host: hostname(),
    ...(job && { job }),
    processes: outcome.processes,
    criticalValue: outcome.criticalValue,
    head,
  };
}

/** The outcome of a run that ended before, as its outcome.json tells it. */
export function outcomeOf(directory: string, config: RunConfig, file: OutcomeFile): RunOutcome {
  return {
    directory,
    config,
    rowCount: file.rows,
    ending: file.ending,
    status: file.sentence,
    processes: file.processes,
    criticalValue: file.criticalValue,
    backend: file.backend,
    digest: file.digest,
    summary: file.summary,
    seconds: file.seconds,
  };
}
