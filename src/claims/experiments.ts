import { rmSync } from "node:fs";
import { folderState } from "../record/index.ts";
import { openRun, type RunEvents, readRunConfig, resumeRun, startRun } from "../run/index.ts";
import {
  PRESETS,
  type Provenance,
  presetSettings,
  type RunConfig,
  resolveRun,
  sameRun,
} from "../settings/index.ts";
import type { StepRow } from "../simulation/index.ts";

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

/** Checkpoints, from which ν̄ is computed afterwards, are so many steps apart: twenty in a run. */
const CHECKPOINTS = 20;

/** The configuration of a claim's preset. @param steps instead of the preset's; null: the preset's */
export function claimConfig(preset: string, steps: number | null): RunConfig {
  const found = PRESETS.get(preset);
  if (!found) throw new Error(`claimConfig: expected a preset, got ${preset}`);
  const { config } = resolveRun(presetSettings(found), () => preset);
  const length = steps ?? config.steps;
  const frequency = Math.max(1, Math.floor(length / CHECKPOINTS));
  return { ...config, steps: length, checkpoint: { ...config.checkpoint, frequency } };
}

/** Whether a run has the numbers and the files that are asked for. */
const answers = (run: RunConfig, asked: RunConfig): boolean =>
  sameRun(run) === sameRun(asked) &&
  run.steps === asked.steps &&
  run.checkpoint.frequency === asked.checkpoint.frequency;

/**
 * Brings the run of a preset to its end in `directory`: one that has ended with these settings is kept, a stopped one
 * goes on, one with other settings is replaced.
 */
export async function bringAbout(
  preset: string,
  steps: number | null,
  directory: string,
  provenance: Provenance,
  events: RunEvents = {},
): Promise<Experiment | "interrupted"> {
  const config = claimConfig(preset, steps);
  const state = folderState(directory);
  const started = state === "unfinished" || state === "ended";
  const kept = started && answers(readRunConfig(directory), config);
  if (started && !kept) rmSync(directory, { recursive: true });
  const name = preset.replace(/^claim-/, "");
  const help = PRESETS.get(preset)?.help.replace(", for claim", "") ?? "";
  const described = { name, help, config, directory };
  if (!kept || state !== "ended") {
    const { ending } = kept
      ? await resumeRun(directory, null, events)
      : await startRun(config, directory, provenance, events);
    if (ending === "interrupted") return "interrupted";
  }
  const rows = [...(await openRun(directory, "claim")).rows()];
  return { ...described, rows, complete: isComplete(rows, config) };
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
