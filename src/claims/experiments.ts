import { openRun, readRunConfig } from "../run/index.ts";
import { PRESETS, type RunConfig } from "../settings/index.ts";
import type { StepRow } from "../simulation/index.ts";
import { bringToEnd, keepSweep, runFolder, type Sweep, type TaskOptions } from "../sweep/index.ts";

/** A finished run of a claim, and where its files are. */
export interface Experiment {
  /** The preset's name without its first word, for titles. */
  readonly name: string;
  readonly help: string;
  readonly config: RunConfig;
  readonly directory: string;
  readonly rows: readonly StepRow[];
  /** Whether every process ran to the end. */
  readonly complete: boolean;
}

/** Steps between checkpoints, from which ν̄ is computed afterwards; a twentieth of a run whose length is given. */
const CHECKPOINT_FREQUENCY = 10;

/** How the runs of claims are brought about. */
export interface ExperimentOptions extends TaskOptions {
  /** Steps of each run instead of its preset's; null: the preset's. */
  readonly steps: number | null;
  /** The command that computes a point, for other launchers. */
  readonly taskLine: (sweep: Sweep, index: number) => string;
  /** Told before each run. */
  readonly progress: (line: string) => void;
}

/**
 * Brings the runs of presets to their end as a sweep over them in `directory`: those that have ended are kept, stopped
 * ones go on, those whose preset has changed are made anew; so are all with another number of steps.
 *
 * @throws what a run throws: misuse, or a disk that fails
 */
export async function bringAbout(
  presets: readonly string[],
  directory: string,
  { steps, taskLine, progress, ...options }: ExperimentOptions,
): Promise<readonly Experiment[] | "interrupted"> {
  const frequency = steps === null ? CHECKPOINT_FREQUENCY : Math.max(1, Math.floor(steps / 20));
  const words = [
    ...(steps === null ? [] : ["--steps", String(steps)]),
    ...["--checkpoint.frequency", String(frequency)],
  ];
  const { sweep, points } = keepSweep(directory, words, { name: "preset", values: presets }, taskLine);
  const before = ({ values }: { readonly values: Readonly<Record<string, string>> }): void =>
    progress(`run ${presets.indexOf(values.preset) + 1} of ${presets.length}: ${values.preset}`);
  const ending = await bringToEnd(sweep, points, { ...options, before });
  if (ending === "interrupted") return ending;
  return Promise.all(points.map((point) => experimentIn(runFolder(sweep, point), point.values.preset)));
}

async function experimentIn(directory: string, preset: string): Promise<Experiment> {
  const config = readRunConfig(directory);
  const rows = [...(await openRun(directory, "claim")).rows()];
  const help = PRESETS.get(preset)?.help.replace(", for claim", "") ?? "";
  const name = preset.replace(/^claim-/, "");
  return { name, help, config, directory, rows, complete: isComplete(rows, config) };
}

/** Whether the last row has every process. */
function isComplete(rows: readonly StepRow[], { runs, steps }: RunConfig): boolean {
  const last = rows.at(-1);
  return (
    last !== undefined &&
    rows.length >= steps &&
    runs.every((kind) => last.quantities[`${kind}/train_loss`] !== undefined)
  );
}
