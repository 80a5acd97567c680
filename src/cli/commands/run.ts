import { existsSync } from "node:fs";
import { join } from "node:path";
import { Stopped, valueError } from "../../base/index.ts";
import { rightsOf } from "../../custom/index.ts";
import { PROCESS_KINDS } from "../../flows/index.ts";
import type { Summary } from "../../report/index.ts";
import {
  EXIT_CODES,
  type RunEvents,
  type RunOptions,
  type RunOutcome,
  readRunConfig,
  resumeRun,
  runDirectory,
  startRun,
} from "../../run/index.ts";
import type { RunConfig } from "../../settings/index.ts";
import { quantityData, type StepRow } from "../../simulation/index.ts";
import { keepMemoryFlat } from "../terminal/memory.ts";
import { profileText } from "../terminal/profile-text.ts";
import { createProgress, type Progress } from "../terminal/progress.ts";
import { terminal, watchInterrupts } from "../terminal/signals.ts";
import { gitHash, version } from "../terminal/version.ts";
import { command, oneFolder, parseRun } from "./command.ts";
import { json, quiet, steps } from "./shared-settings.ts";

/** How a command talks. */
export interface Voice {
  readonly quiet: boolean;
  readonly json: boolean;
}

function numberAt(row: StepRow, path: string, i = 0): number | undefined {
  const quantity = row.quantities[path];
  return quantity === undefined ? undefined : quantityData(quantity)[i];
}

/** A run of so many rows may become a long one. */
const LONG = 200;

/** Bytes of a journal after which its rows go to the archive, where the environment has them. */
const ARCHIVE_AFTER = "CENTRAL_FLOWS_ARCHIVE_AFTER";

function optionsIn(env: Readonly<Record<string, string | undefined>>): RunOptions {
  const bytes = env[ARCHIVE_AFTER];
  if (!bytes) return {};
  if (/^\d+$/.test(bytes)) return { archiveAfter: Number(bytes) };
  throw valueError(ARCHIVE_AFTER, "a number of bytes", bytes, "leave it out for 16777216");
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

/** Computes under a progress display, writes the report and tells how it ended; returns the exit status. */
async function withProgress(
  total: number,
  voice: Voice,
  work: (events: RunEvents) => Promise<RunOutcome>,
): Promise<number> {
  const progress: Progress = createProgress({
    stream: terminal,
    total,
    quiet: voice.quiet,
    isTTY: terminal.isTTY,
    env: process.env,
  });
  const interrupts = watchInterrupts((line) => progress.note(line));
  let rows = 0;
  const events: RunEvents = {
    row: (row) => {
      if (++rows === LONG) keepMemoryFlat();
      progress.update({ step: row.index + 1, ...progressOf(row) });
    },
    notice: (line) => progress.note(line),
    shouldStop: interrupts.asked,
    concluding: async (outcome, built) => {
      summary = await (await drawing()).writeReport(outcome, built);
    },
  };
  let summary: Summary | undefined;
  let outcome: RunOutcome;
  try {
    outcome = await work(events);
  } catch (error) {
    if (!(error instanceof Stopped)) throw error;
    progress.note("stopped before the first step; the same command starts again");
    return EXIT_CODES.interrupted;
  } finally {
    progress.finish();
    interrupts.stop();
  }
  summary ??= await (await drawing()).summaryOf(outcome);
  return await conclude(outcome, summary, voice);
}

/** What draws the report, loaded when there is something to draw. */
const drawing = () => import("./report.ts");

/** Tells how the run ended and returns the exit status. */
async function conclude(outcome: RunOutcome, summary: Summary | undefined, voice: Voice): Promise<number> {
  const { directory, status, seconds, profile } = outcome;
  const paths = {
    directory,
    report: join(directory, "report.html"),
    data: join(directory, "data.hdf5"),
    config: join(directory, "config.json"),
  };
  if (voice.json)
    process.stdout.write(
      `${JSON.stringify({ ending: outcome.ending, status, seconds, digest: outcome.digest, ...paths, summary, profile }, null, 2)}\n`,
    );
  else {
    const told = summary ? `\n${(await import("../../report/index.ts")).summaryText(summary)}` : "";
    process.stdout.write(`${told}\n${status} in ${seconds.toFixed(1)} s\n`);
    if (outcome.ending === "interrupted")
      process.stdout.write(`go on with: central-flows resume ${directory}\n`);
    for (const [name, file] of Object.entries(paths))
      if (name !== "directory" && existsSync(file)) process.stdout.write(`${name.padEnd(7)} ${file}\n`);
    if (profile) process.stdout.write(`\n${profileText(profile)}\n`);
  }
  return EXIT_CODES[outcome.ending];
}

/** The words after `run`: reads them and runs. @throws InputKindError or InputValueError naming the word to change */
export function runWords(words: readonly string[]): Promise<number> {
  const { config, notices } = parseRun(words);
  return runCommand(config, notices, ["central-flows", "run", ...words].join(" "));
}

export async function runCommand(
  config: RunConfig,
  notices: readonly string[],
  cmd: string,
): Promise<number> {
  const voice = { quiet: config.quiet, json: config.json };
  const rights = rightsOf(config);
  const told = rights === undefined ? notices : [...notices, rights];
  if (!voice.quiet) for (const notice of told) process.stderr.write(`${notice}\n`);
  const directory = runDirectory(config, process.env);
  const options = optionsIn(process.env);
  return withProgress(config.steps, voice, (events) =>
    startRun(config, directory, { cmd, gitHash: gitHash(), version: version() }, events, options),
  );
}

/** Continues a run that was stopped. */
export const resume = command({
  name: "resume",
  usage: "DIR [--steps N] [--quiet] [--json]",
  summary: "continue a run that was stopped",
  about: [
    "Continues a run that was stopped, from its last checkpoint, to the same bits. Files of yours in the",
    "run are run again, as their copies in its folder, with all rights of this process.",
  ],
  settings: {
    steps: steps("steps in all, instead of those in its config.json"),
    quiet,
    json: json("print the summary as JSON"),
  },
  example: "resume experiments/my-run --steps 2000",
  words: (positionals) => oneFolder("resume", positionals),
  run({ dir, steps, ...voice }) {
    const options = optionsIn(process.env);
    const total = steps ?? readRunConfig(dir).steps;
    return withProgress(total, voice, (events) => resumeRun(dir, steps, events, version(), options));
  },
});
