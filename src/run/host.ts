import { availableParallelism } from "node:os";
import { type ShouldStop, valueError } from "../base/index.ts";
import { loadRuleFile } from "../custom/index.ts";
import { readFileFromDisk } from "../data/index.ts";
import type { Host } from "../simulation/index.ts";

/**
 * What a run needs of Node: files, one thread per core that this process may use, rule files.
 *
 * @param options `ruleCopy`: where the text of a custom rule is, if not in its file: the copy in the run's folder;
 *   `shouldStop`: see `Host`
 */
export function nodeHost(
  options: { readonly ruleCopy?: string | undefined; readonly shouldStop?: ShouldStop | undefined } = {},
): Host {
  const { ruleCopy, shouldStop } = options;
  return {
    ...(shouldStop && { shouldStop }),
    readFile: readFileFromDisk,
    threads: availableParallelism(),
    loadRule(file, sha256) {
      const rule = loadRuleFile(file, ruleCopy);
      if (rule.sha256 === sha256) return rule;
      throw valueError(
        `opt:${file}`,
        "the file as it was when the run was set up",
        ruleCopy === undefined ? "another since" : `another in ${ruleCopy}`,
        ruleCopy === undefined ? "start the run again" : "restore it, or start a new run",
      );
    },
  };
}
