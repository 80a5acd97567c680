import { valueError } from "../base/index.ts";
import { type KeptRows, type OutcomeFile, openRows, readOutcome } from "../record/index.ts";
import type { RunConfig } from "../settings/index.ts";
import { configHash, readRunConfig } from "./config.ts";

/** A run on disk, going, stopped or ended. */
export interface RunOnDisk extends Pick<KeptRows, "rowCount" | "rows" | "stored"> {
  readonly config: RunConfig;
  /** How it ended; undefined while it can go on. */
  readonly outcome: OutcomeFile | undefined;
}

/**
 * Opens the folder of a run for reading: its settings and its rows, which are read from disk in blocks. A custom rule is
 * not run.
 *
 * @param operation named in errors, such as `report`
 * @throws InputValueError where there is no run, its rows are damaged, or config.json is not that of its rows
 */
export async function openRun(directory: string, operation: string): Promise<RunOnDisk> {
  const config = readRunConfig(directory, operation);
  const { rowCount, rows, stored, configHash: written } = await openRows(directory, operation);
  if (written !== undefined && written !== configHash(config))
    throw valueError(
      operation,
      "a config.json and rows of one run",
      `those of two in ${directory}`,
      "restore the config.json that the run was started with",
    );
  return { config, rowCount, rows, stored, outcome: readOutcome(directory) };
}
