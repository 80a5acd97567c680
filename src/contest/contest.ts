import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Stopped, valueError } from "../base/index.ts";
import { PROCESSES, type ProcessEntry, type ProcessKind, type ProcessSetup } from "../flows/index.ts";
import { writeFileAtomic } from "../record/index.ts";
import { renderContest } from "./page.ts";
import { type Played, playModel, playOptimizer, type Reference } from "./play.ts";
import { PROBLEMS, type Problem } from "./problems.ts";
import type { Entry, ProblemResult, Series } from "./result.ts";
import { type Facts, factsOf, scoreOf } from "./score.ts";

/** The models that take part, in the order of tables: a new process is a word here. */
export const MODELS = [
  "stable",
  "central",
  "noisy-central",
  "two-step",
  "closure",
  "rod",
  "rod-each",
  "edge-flow",
  "stationary",
] as const satisfies readonly ProcessKind[];

/** Where and how a contest is held. */
export interface ContestOptions {
  /** The folder of the page and the results. */
  readonly directory: string;
  /** Names of problems; default all. */
  readonly problems?: readonly string[];
  /** Default all that take the rule. */
  readonly models?: readonly ProcessKind[];
  /** Steps of each problem instead of its own, for a quick look. */
  readonly steps?: number | null;
  /** One line on the machine and engine, for the page. */
  readonly environment: string;
  readonly progress?: (line: string) => void;
  readonly shouldStop?: () => boolean;
}

/** What came out, and where it can be read. */
export interface ContestOutcome {
  readonly results: readonly ProblemResult[];
  readonly page: string;
  readonly json: string;
}

/**
 * Runs models beside the optimizer on a set of problems, scores them, and writes a page and contest.json. A result is kept
 * as soon as it is there: the same call goes on from those.
 *
 * @returns "interrupted" if `shouldStop` said so
 * @throws InputValueError for an unknown problem; what building a problem throws
 */
export function holdContest(options: ContestOptions): ContestOutcome | "interrupted" {
  const { directory, models = MODELS, steps = null, environment } = options;
  const { progress = () => {}, shouldStop = () => false } = options;
  const chosen = problemsNamed(options.problems);
  mkdirSync(directory, { recursive: true });
  const results: ProblemResult[] = [];
  for (const [i, problem] of chosen.entries()) {
    progress(`problem ${i + 1} of ${chosen.length}: ${problem.name}`);
    const asked = { ...problem, steps: steps ?? problem.steps };
    try {
      const result = played(asked, models, directory, progress, shouldStop);
      if (result === undefined) return "interrupted";
      results.push(result);
    } catch (error) {
      if (error instanceof Stopped) return "interrupted";
      throw error;
    }
  }
  const json = join(directory, "contest.json");
  writeFileAtomic(json, `${JSON.stringify({ results }, null, 1)}\n`);
  const page = join(directory, "index.html");
  writeFileAtomic(page, renderContest(results, models, environment));
  return { results, page, json };
}

function problemsNamed(names: readonly string[] | undefined): readonly Problem[] {
  if (!names) return PROBLEMS;
  return names.map((name) => {
    const found = PROBLEMS.find((problem) => problem.name === name);
    if (found) return found;
    throw valueError("contest", `problems among ${PROBLEMS.map((each) => each.name).join(", ")}`, name);
  });
}

/** A problem's result, from its file as far as that goes; undefined where it was stopped. */
function played(
  problem: Problem,
  models: readonly ProcessKind[],
  directory: string,
  progress: (line: string) => void,
  shouldStop: () => boolean,
): ProblemResult | undefined {
  const file = join(directory, `${problem.name}.json`);
  let kept: KeptResult | undefined = readResult(file, problem);
  const done = new Set([...(kept?.entries ?? []).map(({ model }) => model), ...(kept?.refused ?? [])]);
  const missing = models.filter((model) => !done.has(model));
  if (kept && missing.length === 0) return inOrder(kept, models);
  const { setup, dispose } = problem.make(shouldStop);
  try {
    const refused = models.filter((model) => !takes(model, setup));
    const reference = playOptimizer(setup, problem.steps, shouldStop);
    if (!reference) return undefined;
    const facts = factsOf(reference);
    kept ??= emptyResult(problem, reference, facts);
    for (const model of missing.filter((each) => !refused.includes(each))) {
      progress(`  ${model}`);
      const found = playModel(entryOf(model), setup, reference, shouldStop);
      if (!found) return undefined;
      kept = { ...kept, entries: [...kept.entries, entryOfPlayed(model, found, facts)] };
      writeFileAtomic(file, JSON.stringify({ ...kept, refused }));
    }
    return inOrder(kept, models);
  } finally {
    dispose();
  }
}

const entryOf = (kind: ProcessKind): ProcessEntry =>
  PROCESSES.find((entry) => entry.kind === kind) as ProcessEntry;

/** Whether a model is defined for the rule of a problem; one with noise takes part where there are mini-batches. */
function takes(model: ProcessKind, { rule, batches }: ProcessSetup): boolean {
  const entry = entryOf(model);
  if (model === "noisy-central" && !batches) return false;
  if (entry.rules === "second moment" && !rule.directionIsGradient) return false;
  try {
    entry.check(rule);
    return true;
  } catch {
    return false;
  }
}

/** What a problem's file holds: also the models that its rule is not for. */
type KeptResult = ProblemResult & { readonly refused?: readonly ProcessKind[] };

function readResult(file: string, { name, help, steps }: Problem): KeptResult | undefined {
  if (!existsSync(file)) return undefined;
  try {
    const kept = JSON.parse(readFileSync(file, "utf8")) as KeptResult;
    return kept.name === name && kept.help === help && kept.steps === steps ? kept : undefined;
  } catch {
    return undefined;
  }
}

/** The entries of the models asked for, in the order of tables. */
function inOrder(result: ProblemResult, models: readonly ProcessKind[]): ProblemResult {
  const { name, help, steps, facts, loss, sharpness, entries } = result;
  const ordered = models.flatMap((model) => entries.filter((entry) => entry.model === model));
  return { name, help, steps, facts, loss, sharpness, entries: ordered };
}

const kept = (value: number): number | null => (Number.isFinite(value) ? Number(value.toPrecision(6)) : null);

const series = (values: Float64Array): Series => Array.from(values, kept);

const recordOf = <T extends object>(values: T): { readonly [K in keyof T]: number | null } =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, kept(value as number)])) as {
    [K in keyof T]: number | null;
  };

function emptyResult({ name, help, steps }: Problem, reference: Reference, facts: Facts): ProblemResult {
  return {
    name,
    help,
    steps,
    facts: recordOf(facts),
    loss: series(reference.loss),
    sharpness: series(reference.sharpness),
    entries: [],
  };
}

function entryOfPlayed(model: ProcessKind, found: Played, facts: Facts): Entry {
  return {
    model,
    score: recordOf(scoreOf(found, facts)),
    distance: series(found.distance),
    loss: series(found.loss),
    sharpness: series(found.sharpness),
  };
}
