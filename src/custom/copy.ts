import { existsSync } from "node:fs";
import { extname, join } from "node:path";
import { valueError } from "../base/index.ts";
import { writeFileAtomic } from "../record/index.ts";
import type { RunConfig } from "../settings/index.ts";
import { readRuleFile } from "./file.ts";

type Run = Pick<RunConfig, "opt">;

/** What to know of code that a run brings with it. */
export const RULE_RIGHTS =
  "the rule file runs with all rights of this process: run what you have read, or written";

/** Where a run keeps the custom rule that it was started with; undefined for other optimizers. */
export function ruleCopy({ opt }: Run, directory: string): string | undefined {
  return opt.name === "own" ? join(directory, `rule${extname(opt.file)}`) : undefined;
}

/** Copies the custom rule, if the run has one, into its folder. Throws if it is another than the run's. */
export function keepRule({ opt }: Run, directory: string): void {
  const copy = ruleCopy({ opt }, directory);
  if (copy === undefined || opt.name !== "own") return;
  const { bytes, sha256 } = readRuleFile(opt.file);
  if (sha256 !== opt.sha256)
    throw valueError(
      `opt:${opt.file}`,
      "the rule that the run was set up with",
      "another since",
      "start again",
    );
  writeFileAtomic(copy, bytes);
}

/** A sentence if the file of a run's rule is no longer what the run was started with. The file is read, not run. */
export function ruleChange({ opt }: Run): string | undefined {
  if (opt.name !== "own" || !existsSync(opt.file)) return undefined;
  return readRuleFile(opt.file).sha256 === opt.sha256
    ? undefined
    : `${opt.file} has changed since this run was started`;
}
