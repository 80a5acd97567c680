import { availableParallelism } from "node:os";
import { type ShouldStop, valueError } from "../base/index.ts";
import { copyOf, loadOwnFile, readOwnFile } from "../custom/index.ts";
import { readFileFromDisk } from "../data/index.ts";
import { fileWord } from "../settings/index.ts";
import type { Host } from "../simulation/index.ts";

/**
 * What a run needs of Node: files, one thread per core that this process may use, files of the user's.
 *
 * @param options `copies`: the folder of the run whose copies of the user's files are run instead of the files;
 *   `shouldStop`: see `Host`
 */
export function nodeHost(
  options: { readonly copies?: string | undefined; readonly shouldStop?: ShouldStop | undefined } = {},
): Host {
  const { copies, shouldStop } = options;
  return {
    ...(shouldStop && { shouldStop }),
    readFile: readFileFromDisk,
    threads: availableParallelism(),
    loadFile(kind, file, sha256) {
      const copy = copies === undefined ? undefined : copyOf(kind, file, copies);
      // Before it is run: another file is none of this run's.
      if (readOwnFile(kind, copy ?? file).sha256 === sha256) return loadOwnFile(kind, file, copy).part;
      throw valueError(
        fileWord(kind, file),
        "the file as it was when the run was set up",
        copy === undefined ? "another since" : `another in ${copy}`,
        copy === undefined ? "start the run again" : "restore it, or start a new run",
      );
    },
  };
}
