import { type InputValueError, valueError } from "../base/index.ts";

/** The official source of a data set, for a reader who has to fetch it. */
export interface Source {
  /** What and from whom: `the binary version of CIFAR-10 by A. Krizhevsky`. */
  readonly distribution: string;
  readonly homePage: string;
}

/**
 * The error for files that are not there.
 *
 * @param files paths that were looked for
 * @param folder where to put them
 */
export function missingFiles(
  operation: string,
  files: readonly string[],
  folder: string,
  source: Source,
): InputValueError {
  const advice = `get ${source.distribution} (${source.homePage}) and put it into the folder ${folder}`;
  return valueError(operation, `the file${files.length > 1 ? "s" : ""} ${files.join(", ")}`, "none", advice);
}
