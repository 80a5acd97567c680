import { existsSync } from "node:fs";
import { isMisuse, valueError } from "../base/index.ts";
import { changesOf, copiesOf, keepFiles, rightsOf } from "../custom/index.ts";
import {
  ClaimedFolder,
  createJournal,
  folderState,
  type JournalHead,
  joinedRows,
  NAMES,
  openArchive,
  openJournal,
  readCheckpoint,
  readOldJournal,
  readOutcome,
  restoreJournal,
} from "../record/index.ts";
import { fromConfigJson, type Provenance, type RunConfig, toConfigJson } from "../settings/index.ts";
import {
  type BuiltRun,
  buildRun,
  criticalValueOf,
  restoreProcesses,
  type Simulation,
  type StepRow,
} from "../simulation/index.ts";
import { configHash, readConfigJsonOf, withEdge, writeConfigJson } from "./config.ts";
import { nodeHost } from "./host.ts";
import { type RunEvents, RunLoop, type RunOptions } from "./loop.ts";
import { outcomeOf, type RunOutcome } from "./outcome.ts";
import { Candidates } from "./restore.ts";
import { RowStock } from "./row-stock.ts";

/** The engine that computes, with its version. */
const engine = (): string => `Node ${process.versions.node}`;

/** Who computes, for a line. */
const maker = (version: string, on: string): string => `central-flows ${version} on ${on}`;

/**
 * Starts a run in a new folder. Throws before anything is computed when the folder holds a run already, and leaves
 * nothing behind when the configuration cannot be run.
 */
export async function startRun(
  asked: RunConfig,
  directory: string,
  provenance: Provenance,
  events: RunEvents = {},
  options: RunOptions = {},
): Promise<RunOutcome> {
  const folder = ClaimedFolder.forNewRun(directory);
  const written = [NAMES.journal, NAMES.config, NAMES.data, ...copiesOf(asked, "")];
  let loop: RunLoop;
  try {
    loop = begin(asked, folder, provenance, events, options);
  } catch (error) {
    folder.abandon(written);
    throw error;
  }
  try {
    const outcome = await loop.run();
    folder.release();
    return outcome;
  } catch (error) {
    // What cannot be run leaves nothing behind; what failed on its way can be resumed.
    if (isMisuse(error) && loop.rowCount === 0) folder.abandon(written);
    else folder.release();
    throw error;
  }
}

function begin(
  asked: RunConfig,
  folder: ClaimedFolder,
  provenance: Provenance,
  events: RunEvents,
  options: RunOptions,
): RunLoop {
  const built = buildRun(asked, nodeHost({ shouldStop: events.shouldStop }));
  try {
    const config = withEdge(asked, built.criticalValue);
    const start = config.load.path === null ? undefined : readCheckpoint(config.load.path);
    if (start) restoreProcesses(built.simulation.processes, start, config.load.fromProcess);
    keepFiles(config, folder.directory);
    const json = toConfigJson(config, provenance);
    const head: JournalHead = {
      configHash: configHash(asked),
      config: json,
      version: provenance.version,
      engine: engine(),
    };
    const journal = createJournal(folder.path(NAMES.journal), head);
    writeConfigJson(folder.directory, json);
    const startedAt = start?.index ?? 0;
    const stock = new RowStock();
    return new RunLoop({ config, folder, built, journal, head, stock, startedAt, events, options });
  } catch (error) {
    built.dispose();
    throw error;
  }
}

/**
 * Continues a run to the same bits: from a checkpoint before its last row, computing the rows after it again and
 * comparing them. A run that has ended is told of as it is, unless it is to become longer.
 *
 * @param steps the rows to reach in all; null: those of its config.json
 * @param version of this package; a run that another started is told so
 */
export async function resumeRun(
  directory: string,
  steps: number | null,
  events: RunEvents = {},
  version?: string,
  options: RunOptions = {},
): Promise<RunOutcome> {
  const json = readConfigJsonOf(directory, "resume");
  if (folderState(directory) === "foreign")
    throw valueError("resume", "the folder of a run, with a journal", `${directory}, which has none`);
  const folder = ClaimedFolder.ofRun(directory, "resume");
  try {
    const outcome = readOutcome(directory);
    if (outcome) {
      const config = fromConfigJson(json);
      const planned = steps === null ? config : { ...config, steps };
      refuseForeign(config, planned, { ...outcome.head, backend: outcome.backend }, directory);
      refuseShorter(outcome.rows, planned.steps);
      if (outcome.rows === planned.steps || planned.steps === config.steps) {
        events.notice?.(
          outcome.rows === planned.steps
            ? `all ${outcome.rows} steps are logged already; nothing is computed`
            : `the run has ended already, after ${outcome.rows} of ${config.steps} steps; nothing is computed`,
        );
        return outcomeOf(directory, config, outcome);
      }
      await folder.reopen(json);
    }
    return (
      (await completeOldRun(folder, json, steps, events)) ??
      (await goOn(folder, json, steps, events, version, options))
    );
  } finally {
    folder.release();
  }
}

/** Tells of a run of 0.1.0 that has all its rows: there is nothing to compute, and so nothing that has to agree. */
async function completeOldRun(
  folder: ClaimedFolder,
  json: JournalHead["config"],
  steps: number | null,
  events: RunEvents,
): Promise<RunOutcome | undefined> {
  const { directory } = folder;
  const old = folder.path(NAMES.oldJournal);
  if (existsSync(folder.path(NAMES.journal)) || !existsSync(old)) return undefined;
  const { rowCount, rows } = readOldJournal(old);
  const config = fromConfigJson(json);
  if (rowCount !== (steps ?? config.steps)) return undefined;
  const stock = new RowStock();
  for (const row of rows()) stock.add(row);
  events.notice?.(`all ${rowCount} steps are logged already; nothing is computed`);
  return {
    directory,
    config,
    rowCount,
    ending: "finished",
    status: `finished ${rowCount} steps`,
    processes: {},
    criticalValue: criticalValueOf(config),
    backend: "unknown",
    digest: stock.digest.value,
    summary: stock.last.values,
    seconds: 0,
  };
}

/** Goes on with a run whose journal is there. */
async function goOn(
  folder: ClaimedFolder,
  given: JournalHead["config"],
  steps: number | null,
  events: RunEvents,
  version = "",
  options: RunOptions = {},
): Promise<RunOutcome> {
  const { directory } = folder;
  const notice = (line: string): void => events.notice?.(line);
  const json = takeOverOldJournal(folder, given, notice);
  const config = fromConfigJson(json);
  const planned = steps === null ? config : { ...config, steps };
  const { journal, rowCount, head, droppedBytes } = openJournal(folder.path(NAMES.journal));
  let built: BuiltRun | undefined;
  let loop: RunLoop;
  let restore: (simulation: Simulation) => number;
  try {
    refuseForeign(config, planned, { ...head, backend: String(head.config.backend) }, directory);
    refuseShorter(rowCount, planned.steps);
    if (droppedBytes > 0) notice("the last row of the journal was torn by the stop and is computed again");
    const [there, here] = [maker(head.version, head.engine), maker(version || head.version, engine())];
    if (there !== here)
      notice(`started by ${there}, going on with ${here}: logged rows are computed again and compared first`);
    const rights = rightsOf(config);
    if (rights !== undefined) notice(rights);
    for (const changed of changesOf(config, directory)) notice(changed);
    built = buildRun(planned, nodeHost({ copies: directory, shouldStop: events.shouldStop }));
    const candidates = new Candidates(directory, rowCount);
    const archived = head.archive && (await openArchive(directory, head.archive, "resume", true));
    folder.removeArchives(head.archive);
    const stock = new RowStock(candidates.indices, archived);
    for (const row of journal.rows()) stock.add(row);
    const rows = (from?: number, to?: number): Iterable<StepRow> => joinedRows(archived, journal, from, to);
    const start = config.load.path === null ? undefined : readCheckpoint(config.load.path);
    const parts = {
      config: planned,
      folder,
      built,
      journal,
      head,
      archived,
      stock,
      startedAt: start?.index ?? 0,
      events,
      options,
    };
    if (planned.steps !== given.steps || json !== given || !existsSync(folder.path(NAMES.config)))
      writeConfigJson(directory, { ...json, steps: planned.steps });
    restore = (simulation: Simulation): number => {
      if (start) restoreProcesses(simulation.processes, start, config.load.fromProcess);
      const from = candidates.restore(simulation, { head, stock, rows, notice });
      if (from < rowCount)
        notice(`replaying ${rowCount - from} logged steps from the checkpoint at step ${from}`);
      return from;
    };
    journal.restart({ version: version || head.version, engine: engine() });
    loop = new RunLoop(parts);
  } catch (error) {
    built?.dispose();
    journal.close();
    throw error;
  }
  return await loop.run(restore);
}

/**
 * Gives a run of 0.1.0 a journal of today's format, with the rows of its own, which stays until the run has ended. It
 * logged network outputs in every row and goes on so.
 *
 * @returns the contents of config.json that go with the journal
 */
function takeOverOldJournal(
  folder: ClaimedFolder,
  json: JournalHead["config"],
  notice: (line: string) => void,
): JournalHead["config"] {
  const [old, journal] = [folder.path(NAMES.oldJournal), folder.path(NAMES.journal)];
  if (existsSync(journal) || !existsSync(old)) return json;
  const { rows, torn } = readOldJournal(old);
  if (torn) notice("the last line of the journal was torn by the stop and is computed again");
  const config = { ...json, log: { outputs_every: 1 } };
  const head: JournalHead = {
    configHash: configHash(fromConfigJson(config)),
    config,
    version: String(json.version ?? "0.1.0"),
    engine: engine(),
  };
  restoreJournal(journal, head, rows());
  notice("the run was started by version 0.1.0; its journal goes on in today's format");
  return config;
}

/** The one backend with bits of its own. */
const FUSED = "wasm-fma";

function refuseForeign(
  config: RunConfig,
  planned: RunConfig,
  head: { readonly configHash: string; readonly backend: string },
  directory: string,
): void {
  const { configHash: written, backend: started } = head;
  if (written === configHash(planned)) return;
  if ((started === FUSED) !== (config.backend === FUSED))
    throw valueError(
      "resume",
      `backend ${started}, which computed the rows of the journal`,
      `${config.backend} in ${directory}/config.json`,
      `${FUSED} rounds sums of products in its own way, and a run has one: put ${started} back, or start a new run`,
    );
  if (written === configHash(config))
    throw valueError(
      "resume",
      `${config.steps} steps, which the learning rate's schedule lasts`,
      `--steps ${planned.steps}`,
      "start a new run, with --opt.total-steps if its length shall not matter",
    );
  throw valueError(
    "resume",
    "the configuration that wrote the journal",
    `another config.json in ${directory}`,
    "restore it, or start a new run",
  );
}

function refuseShorter(rows: number, steps: number): void {
  if (steps < rows) throw valueError("resume", `at least the ${rows} steps there are`, String(steps));
}
