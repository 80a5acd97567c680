import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseJson, valueError } from "../base/index.ts";
import { keepRule, ruleChange, ruleCopy } from "../custom/index.ts";
import type { ProcessStatus } from "../flows/index.ts";
import {
  createJournal,
  type Journal,
  makeFolder,
  openJournal,
  readCheckpoint,
  restoreProcesses,
  writeCheckpoint,
  writeFileAtomic,
  writeHdf5,
} from "../record/index.ts";
import {
  endingSentence,
  fromConfigJson,
  type Provenance,
  type RunConfig,
  toConfigJson,
} from "../settings/index.ts";
import {
  type BuiltRun,
  buildRun,
  type RunProfile,
  rowDifference,
  type StepRow,
} from "../simulation/index.ts";
import { nodeHost } from "./host.ts";

/** What a run tells while it goes. */
export interface RunEvents {
  /** After each row. */
  readonly row?: (row: StepRow, total: number) => void;
  /** Things worth a line that are no errors. */
  readonly notice?: (line: string) => void;
  /** Asked before each step; true ends the run there, its outputs written. */
  readonly interrupted?: () => boolean;
}

/** How a run ended and what it left. */
export interface RunOutcome {
  readonly directory: string;
  readonly config: RunConfig;
  readonly rows: readonly StepRow[];
  /** `failed`: a process diverged or had no solution; `interrupted`: resume can go on. */
  readonly ending: "finished" | "interrupted" | "failed";
  /** A sentence for people. */
  readonly status: string;
  readonly processes: Readonly<Record<string, ProcessStatus>>;
  readonly criticalValue: number;
  /** The backend that computed it. */
  readonly backend: string;
  /** What the derivatives took, where the configuration asks for it. */
  readonly profile?: RunProfile;
  readonly seconds: number;
}

/** Seconds between checkpoints for `resume`, which only save it time, and between rewritings of data.hdf5. */
const CHECKPOINT_SECONDS = 20;
/** The last checkpoint of a run, at its end the final weights. */
export const LATEST_CHECKPOINT = "latest.npz";

/** The folder of a run: --out, or EXPERIMENT_DIR (or `experiments`) and the expid. */
export function runDirectory(
  config: Pick<RunConfig, "out" | "expid">,
  env: Readonly<Record<string, string | undefined>>,
): string {
  return config.out ?? join(env.EXPERIMENT_DIR ?? "experiments", config.expid);
}

/** What two runs must share to be the same run: all settings but where it goes, what it prints and how long it is. */
function configHash(config: RunConfig): string {
  const { expid, out, quiet, json, profile, threads, checkpoint, steps, ...rest } = withoutEdge(config);
  const { precision, ...discrete } = rest.discrete;
  // A schedule that lasts the run makes its length matter.
  const length = rest.opt.schedule === "cosine" && rest.opt.totalSteps <= 0 ? { steps } : {};
  // Runs from before there was a choice are still the same.
  const rounded = precision === "float64" ? {} : { precision };
  return createHash("sha256")
    .update(JSON.stringify({ ...rest, discrete, ...rounded, ...length }))
    .digest("hex")
    .slice(0, 16);
}

/** The configuration as it is before a rule of one's own has told its critical value. */
const withoutEdge = (config: RunConfig): RunConfig =>
  config.opt.name === "own" ? { ...config, opt: { ...config.opt, criticalValue: null } } : config;

/** The configuration with the critical value of a rule of one's own, from which reports are drawn without it. */
const withEdge = (config: RunConfig, criticalValue: number): RunConfig =>
  config.opt.name === "own" ? { ...config, opt: { ...config.opt, criticalValue } } : config;

/** Starts a run in a new folder. Throws before anything is computed when the folder holds a run already. */
export async function startRun(
  asked: RunConfig,
  directory: string,
  provenance: Provenance,
  events: RunEvents = {},
): Promise<RunOutcome> {
  if (existsSync(join(directory, "journal.jsonl")))
    throw valueError(
      "run",
      "a folder without a run",
      `${directory}, which holds one`,
      `resume it (resume ${directory}) or choose another --expid or --out`,
    );
  const built = buildRun(asked, nodeHost());
  const config = withEdge(asked, built.criticalValue);
  const start = config.load.path === null ? undefined : readCheckpoint(config.load.path);
  if (start) restoreProcesses(built.simulation.processes, start, config.load.fromProcess);
  makeFolder(directory);
  keepRule(config, directory);
  writeFileAtomic(
    join(directory, "config.json"),
    `${JSON.stringify(toConfigJson(config, provenance), null, 4)}\n`,
  );
  const journal = createJournal(join(directory, "journal.jsonl"), { configHash: configHash(config) });
  const initialStep = built.simulation.initialStep + (start?.index ?? 0);
  return new RunLoop(config, directory, built, journal, [], initialStep, events).run(0);
}

/**
 * Continues a run to the same bits: from its last checkpoint, replaying and checking the rows after it.
 * @param steps the rows to reach in all; null: those of its config.json
 */
export async function resumeRun(
  directory: string,
  steps: number | null,
  events: RunEvents = {},
): Promise<RunOutcome> {
  const config = readRunConfig(directory);
  const planned = steps === null ? config : { ...config, steps };
  const { journal, rows, header, droppedBytes } = openJournal(join(directory, "journal.jsonl"));
  if (header.configHash !== configHash(planned) && header.configHash === configHash(config))
    throw valueError(
      "resume",
      `${config.steps} steps, which the learning rate's schedule lasts`,
      `--steps ${planned.steps}`,
      "start a new run, with --opt.total-steps if its length shall not matter",
    );
  if (header.configHash !== configHash(planned))
    throw valueError(
      "resume",
      "the configuration that wrote the journal",
      `another config.json in ${directory}`,
      "restore it, or start a new run",
    );
  if (droppedBytes > 0)
    events.notice?.(`the last line of the journal was torn by the stop and is computed again`);
  if (planned.steps < rows.length)
    throw valueError("resume", `at least the ${rows.length} steps there are`, String(planned.steps));
  const complete = rows.length === planned.steps;
  const changed = ruleChange(config);
  if (changed !== undefined)
    events.notice?.(`${changed}; going on with the rule of this run, ${ruleCopy(config, directory)}`);
  const built = buildRun(planned, nodeHost(ruleCopy(config, directory)));
  const load = config.load.path === null ? undefined : readCheckpoint(config.load.path);
  if (load) restoreProcesses(built.simulation.processes, load, config.load.fromProcess);
  const from = restoreLatest(directory, built, rows.length);
  const initialStep = built.simulation.initialStep + (load?.index ?? 0);
  if (planned.steps !== config.steps) writePlannedSteps(directory, planned.steps);
  if (complete) events.notice?.(`all ${rows.length} steps are logged already; nothing is computed`);
  if (from < rows.length)
    events.notice?.(`replaying ${rows.length - from} logged steps from the checkpoint at step ${from}`);
  return new RunLoop(planned, directory, built, journal, [...rows], initialStep, events).run(from);
}

/** Makes a run's new length its own, so that the next `resume` needs no --steps. */
function writePlannedSteps(directory: string, steps: number): void {
  const path = join(directory, "config.json");
  const json = {
    ...(parseJson(readFileSync(path, "utf8"), "resume", "a config.json that parses") as object),
    steps,
  };
  writeFileAtomic(path, `${JSON.stringify(json, null, 4)}\n`);
}

/** The configuration in a run's folder. @param operation what errors begin with */
export function readRunConfig(directory: string, operation = "resume"): RunConfig {
  const path = join(directory, "config.json");
  if (!existsSync(path))
    throw valueError(
      operation,
      "the folder of a run, with config.json and journal.jsonl",
      `${directory} without config.json`,
    );
  return fromConfigJson(parseJson(readFileSync(path, "utf8"), operation, "a config.json that parses"));
}

/** Restores the latest checkpoint at or before a row; returns its index, 0 when there is none to use. */
function restoreLatest(directory: string, built: BuiltRun, rows: number): number {
  const folder = join(directory, "checkpoints");
  const names = existsSync(folder)
    ? readdirSync(folder).filter((name) => name.endsWith(".npz") && !name.startsWith("."))
    : [];
  const usable = names
    .map((name) => readCheckpoint(join(folder, name)))
    .filter(({ index }) => index <= rows)
    .sort((a, b) => b.index - a.index);
  if (usable.length === 0) return 0;
  restoreProcesses(built.simulation.processes, usable[0]);
  built.simulation.resumeAt(usable[0].index, usable[0].arrays);
  return usable[0].index;
}

/** One process of computing, from a row on. */
class RunLoop {
  private readonly config: RunConfig;
  private readonly directory: string;
  private readonly built: BuiltRun;
  private readonly journal: Journal;
  private readonly rows: StepRow[];
  private readonly initialStep: number;
  private readonly events: RunEvents;
  private readonly started = performance.now();
  private saved = performance.now();

  constructor(
    config: RunConfig,
    directory: string,
    built: BuiltRun,
    journal: Journal,
    rows: StepRow[],
    initialStep: number,
    events: RunEvents,
  ) {
    this.config = config;
    this.directory = directory;
    this.built = built;
    this.journal = journal;
    this.rows = rows;
    this.initialStep = initialStep;
    this.events = events;
  }

  async run(from: number): Promise<RunOutcome> {
    const { simulation, notices } = this.built;
    for (const notice of notices) this.events.notice?.(notice);
    const { steps } = this.config;
    let interrupted = false;
    let index = from;
    try {
      if (from === 0) await this.writeHdf5();
      for (; index < steps && simulation.running; index++) {
        // Signals arrive only when the event loop turns.
        await new Promise((turn) => setImmediate(turn));
        if (this.events.interrupted?.()) {
          interrupted = true;
          break;
        }
        await this.maybeSave(index);
        this.take({ index, step: this.initialStep + index, quantities: simulation.step() });
      }
      await this.writeHdf5();
      this.checkpoint(LATEST_CHECKPOINT, index);
    } finally {
      this.journal.close();
      this.built.dispose();
    }
    return this.outcome(interrupted);
  }

  /** Logs a row, or checks it against the one logged before the run was stopped. */
  private take(row: StepRow): void {
    const logged = this.rows[row.index];
    if (logged) {
      const difference = rowDifference(logged, row);
      if (difference !== undefined)
        throw new Error(
          `resume: expected row ${row.index} as logged, got another value of ${difference}; this build or machine computes differently from the one that started the run, so start a new one`,
        );
      return;
    }
    this.journal.append(row);
    this.rows.push(row);
    this.events.row?.(row, this.config.steps);
  }

  /** Writes the checkpoints that are due before a row: the user's, and one for `resume` now and then. */
  private async maybeSave(index: number): Promise<void> {
    const { frequency, steps } = this.config.checkpoint;
    if ((frequency > 0 && index % frequency === 0) || steps.includes(index))
      this.checkpoint(`checkpoint_${index}.npz`, index);
    if (performance.now() - this.saved < CHECKPOINT_SECONDS * 1000 || index < this.rows.length) return;
    this.checkpoint(LATEST_CHECKPOINT, index);
    await this.writeHdf5();
    this.saved = performance.now();
  }

  private checkpoint(name: string, index: number): void {
    const folder = join(this.directory, "checkpoints");
    makeFolder(folder);
    const { processes, plane } = this.built.simulation;
    writeCheckpoint(join(folder, name), index, [...processes, plane]);
  }

  private writeHdf5(): Promise<void> {
    const plan = { totalSteps: this.config.steps, initialStep: this.initialStep };
    return writeHdf5(join(this.directory, "data.hdf5"), this.rows, plan);
  }

  private outcome(interrupted: boolean): RunOutcome {
    const { simulation, criticalValue, backend, profile } = this.built;
    const processes = simulation.statuses();
    const failures = Object.entries(processes).flatMap(([kind, status]) =>
      status.kind === "failed" ? [endingSentence(kind, status.ending)] : [],
    );
    const { steps } = this.config;
    const done = this.rows.length;
    const ending = interrupted ? "interrupted" : failures.length > 0 ? "failed" : "finished";
    const reached =
      done >= steps
        ? `finished ${steps} steps`
        : `${interrupted ? "interrupted" : "ended"} after ${done} of ${steps} steps`;
    return {
      directory: this.directory,
      config: this.config,
      rows: this.rows,
      ending,
      status: [reached, ...failures].join("; "),
      processes,
      criticalValue,
      backend,
      seconds: (performance.now() - this.started) / 1000,
      ...(this.config.profile && { profile: profile() }),
    };
  }
}
