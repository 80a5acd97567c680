import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseJson, valueError } from "../base/index.ts";
import { NAMES, readJournal, writeFileAtomic } from "../record/index.ts";
import { fromConfigJson, type RunConfig, sameRun } from "../settings/index.ts";
import { inNetworkWeights } from "../simulation/index.ts";

/** What two configurations must share to be the same run, as a hash. */
export const configHash = (config: RunConfig): string =>
  createHash("sha256").update(sameRun(config)).digest("hex").slice(0, 16);

/** The configuration with the critical value of a custom rule, from which reports are drawn without it. */
export const withEdge = (config: RunConfig, criticalValue: number): RunConfig =>
  config.opt.name === "own" ? { ...config, opt: { ...config.opt, criticalValue } } : config;

/** The folder of a run: --out, or EXPERIMENT_DIR (or `experiments`) and the expid. */
export function runDirectory(
  config: Pick<RunConfig, "out" | "expid">,
  env: Readonly<Record<string, string | undefined>>,
): string {
  return config.out ?? join(env.EXPERIMENT_DIR || "experiments", config.expid);
}

/**
 * The configuration of the run in a folder: its config.json or, where a crash has left none, what its journal begins with.
 *
 * @param operation named in errors, such as `report`
 * @throws InputValueError where there is none, or it cannot be read
 */
export function readRunConfig(directory: string, operation = "resume"): RunConfig {
  return fromConfigJson(readConfigJsonOf(directory, operation));
}

/**
 * The configuration of the run in a folder for weights from its checkpoints: over the network's own weights, none of which are
 * read from elsewhere. See `readRunConfig`.
 */
export const configAtCheckpoints = (directory: string, operation: string): RunConfig =>
  inNetworkWeights({ ...readRunConfig(directory, operation), init: null });

/** The contents of a run's config.json. See `readRunConfig`. */
export function readConfigJsonOf(directory: string, operation: string): Readonly<Record<string, unknown>> {
  const path = join(directory, NAMES.config);
  if (!existsSync(path)) {
    const journal = join(directory, NAMES.journal);
    if (existsSync(journal)) return readJournal(journal).head.config;
    throw valueError(operation, "the folder of a run, with config.json", `${directory} without config.json`);
  }
  return parseJson(readFileSync(path, "utf8"), operation, "a config.json that parses") as Readonly<
    Record<string, unknown>
  >;
}

/** Writes a run's config.json. */
export function writeConfigJson(directory: string, json: Readonly<Record<string, unknown>>): void {
  writeFileAtomic(join(directory, NAMES.config), `${JSON.stringify(json, null, 4)}\n`);
}
