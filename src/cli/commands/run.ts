import { join } from "node:path";
import { PROCESS_KINDS } from "../../flows/index.ts";
import { summaryText } from "../../report/index.ts";
import {
  type RunEvents,
  type RunOutcome,
  readRunConfig,
  resumeRun,
  runDirectory,
  startRun,
} from "../../run/index.ts";
import type { RunConfig } from "../../settings/index.ts";
import { quantityData, type StepRow } from "../../simulation/index.ts";
import { profileText } from "../profile-text.ts";
import { createProgress, type Progress } from "../progress.ts";
import { gitHash, version } from "../version.ts";
import { writeReport } from "./report.ts";

/** How a command talks. */
export interface Voice {
  readonly quiet: boolean;
  readonly json: boolean;
}

/** Ctrl-C once: the run ends after the step it is in, its outputs written. Twice: the process ends at once. */
export function watchInterrupts(note: (line: string) => void): {
  readonly asked: () => boolean;
  readonly stop: () => void;
} {
  let asked = false;
  const listener = (): void => {
    if (asked) process.exit(130);
    asked = true;
    note("stopping after this step; press Ctrl-C again to stop at once");
  };
  process.on("SIGINT", listener);
  process.on("SIGTERM", listener);
  return {
    asked: () => asked,
    stop: () => {
      process.off("SIGINT", listener);
      process.off("SIGTERM", listener);
    },
  };
}

function numberAt(row: StepRow, path: string, i = 0): number | undefined {
  const quantity = row.quantities[path];
  return quantity === undefined ? undefined : quantityData(quantity)[i];
}

/** What the progress bar shows of a row: the first process that has it, flows first. */
function progressOf(row: StepRow): { loss?: number; sharpness?: number; k?: number } {
  for (const process of ["central", ...PROCESS_KINDS]) {
    const loss = numberAt(row, `${process}/train_loss`);
    if (loss === undefined) continue;
    const sharpness = numberAt(row, `${process}/effective_hessian_eigs`);
    const variances = row.quantities["central/predicted_variances"];
    const k = variances === undefined ? undefined : quantityData(variances).length;
    return { loss, ...(sharpness !== undefined && { sharpness }), ...(k !== undefined && { k }) };
  }
  return {};
}

async function withProgress(
  total: number,
  voice: Voice,
  work: (events: RunEvents) => Promise<RunOutcome>,
): Promise<RunOutcome> {
  const progress: Progress = createProgress({
    stream: process.stderr,
    total,
    quiet: voice.quiet,
    isTTY: process.stderr.isTTY === true,
    env: process.env,
  });
  const interrupts = watchInterrupts((line) => progress.note(line));
  const events: RunEvents = {
    row: (row) => progress.update({ step: row.index + 1, ...progressOf(row) }),
    notice: (line) => progress.note(line),
    interrupted: interrupts.asked,
  };
  try {
    return await work(events);
  } finally {
    progress.finish();
    interrupts.stop();
  }
}

/** Writes the report, tells how the run ended and returns the exit status. */
function conclude(outcome: RunOutcome, voice: Voice): number {
  const { directory, config, rows, criticalValue, status, seconds, profile } = outcome;
  const { path, summary } = writeReport(directory, config, rows, criticalValue, status, {
    computed: outcome,
  });
  const paths = {
    directory,
    report: path,
    data: join(directory, "data.hdf5"),
    config: join(directory, "config.json"),
  };
  if (voice.json)
    process.stdout.write(
      `${JSON.stringify({ ending: outcome.ending, status, seconds, ...paths, summary, profile }, null, 2)}\n`,
    );
  else {
    const ending =
      outcome.ending === "interrupted" ? `${status}; go on with: central-flows resume ${directory}` : status;
    process.stdout.write(`\n${summaryText(summary)}\n${ending} in ${seconds.toFixed(1)} s\n`);
    for (const [name, file] of Object.entries(paths))
      if (name !== "directory") process.stdout.write(`${name.padEnd(7)} ${file}\n`);
    if (profile) process.stdout.write(`\n${profileText(profile)}\n`);
  }
  return outcome.ending === "finished" ? 0 : outcome.ending === "interrupted" ? 130 : 1;
}

export async function runCommand(
  config: RunConfig,
  notices: readonly string[],
  cmd: string,
): Promise<number> {
  const voice = { quiet: config.quiet, json: config.json };
  if (!voice.quiet) for (const notice of notices) process.stderr.write(`${notice}\n`);
  const directory = runDirectory(config, process.env);
  const outcome = await withProgress(config.steps, voice, (events) =>
    startRun(config, directory, { cmd, gitHash: gitHash(), version: version() }, events),
  );
  return conclude(outcome, voice);
}

export async function resumeCommand(directory: string, steps: number | null, voice: Voice): Promise<number> {
  const total = steps ?? readRunConfig(directory).steps;
  const outcome = await withProgress(total, voice, (events) => resumeRun(directory, steps, events));
  return conclude(outcome, voice);
}
