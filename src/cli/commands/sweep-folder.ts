import { existsSync } from "node:fs";
import { extname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { valueError } from "../../base/index.ts";
import type { Provenance } from "../../settings/index.ts";
import { queuedPoints, quoted, type Sweep } from "../../sweep/index.ts";
import { gitHash, version } from "../terminal/version.ts";

/** This program as it is running: the engine, its flags, and the file with the command line. */
export function program(): readonly string[] {
  const extension = extname(fileURLToPath(import.meta.url));
  return [
    process.execPath,
    ...process.execArgv,
    fileURLToPath(new URL(`../main${extension}`, import.meta.url)),
  ];
}

/** The command that computes a point, from wherever it is given. */
export const taskLine = ({ directory, cwd }: Sweep, index: number): string =>
  `cd ${quoted(cwd)} && ${[...program(), "sweep", "task", resolve(directory), String(index)].map(quoted).join(" ")}`;

/** Where runs of a sweep come from. */
export const provenance = (cmd: string): Provenance => ({ cmd, gitHash: gitHash(), version: version() });

/** The folder of a sweep that is given by its name or its path. */
export const sweepFolder = (word: string): string =>
  /[/\\]/.test(word) || (existsSync(word) && existsSync(join(word, "sweep.json")))
    ? word
    : join("sweeps", word);

/** The words of a command that takes the folder of a sweep and no more. */
export function oneSweep(name: string, positionals: readonly string[]): { readonly dir: string } {
  if (positionals.length === 1) return { dir: sweepFolder(positionals[0]) };
  throw valueError(
    name,
    "one folder of a sweep",
    positionals.join(" ") || "none",
    `for example central-flows ${name} sweeps/my-sweep`,
  );
}

/**
 * What a scheduler has in its queue of a sweep; nothing where it was handed to none, or cannot be asked.
 *
 * @param say told why it cannot
 */
export function queuedIn(dir: string, say: (line: string) => void): ReadonlySet<number> {
  try {
    return new Set(queuedPoints(dir).keys());
  } catch (error) {
    say((error as Error).message);
    return new Set();
  }
}
