import { existsSync } from "node:fs";
import { extname, join } from "node:path";
import { valueError } from "../base/index.ts";
import { writeFileAtomic } from "../record/index.ts";
import { type FileKind, fileWord, ownFiles, type RunConfig } from "../settings/index.ts";
import { readOwnFile } from "./file.ts";

type Run = Partial<Pick<RunConfig, "opt" | "data" | "arch" | "observe">>;

/** What to know of code that a run brings with it; undefined for a run without. */
export function rightsOf(run: Run): string | undefined {
  const files = [...new Set(ownFiles(run).map(({ file }) => file))];
  if (files.length === 0) return undefined;
  return `${files.join(" and ")} ${files.length > 1 ? "run" : "runs"} with all rights of this process: run what you have read, or written`;
}

/** What the copy of a file is called in a run's folder. */
const COPIES: Readonly<Record<FileKind, string>> = {
  opt: "rule",
  data: "data",
  arch: "network",
  loss: "loss",
  observe: "quantity",
};

/** Where a run keeps a file that it was started with. */
export const copyOf = (kind: FileKind, file: string, directory: string): string =>
  join(directory, `${COPIES[kind]}${extname(file)}`);

/** Where a run keeps the files that it was started with. */
export const copiesOf = (run: Run, directory: string): string[] =>
  ownFiles(run).map(({ kind, file }) => copyOf(kind, file, directory));

/** Copies the files of the user's that a run has into its folder. Throws if one is another than the run's. */
export function keepFiles(run: Run, directory: string): void {
  for (const { kind, file, sha256 } of ownFiles(run)) {
    const { bytes, sha256: found } = readOwnFile(kind, file);
    if (found !== sha256)
      throw valueError(
        fileWord(kind, file),
        "the file that the run was set up with",
        "another since",
        "start again",
      );
    writeFileAtomic(copyOf(kind, file, directory), bytes);
  }
}

/** A sentence for each file of a run that is no longer what the run was started with, and of its copy in `copies`. Files are read, not run. */
export const changesOf = (run: Run, copies?: string): string[] =>
  ownFiles(run).flatMap(({ kind, file, sha256 }) =>
    !existsSync(file) || readOwnFile(kind, file).sha256 === sha256
      ? []
      : [
          `${file} has changed since this run was started${copies === undefined ? "" : `; going on with the file of this run, ${copyOf(kind, file, copies)}`}`,
        ],
  );
