import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { valueError } from "../base/index.ts";

/** Stands in every lab.html: by it one that was written before is told from a file of somebody's. */
export const LAB_MARK = "<title>central-flows lab</title>";

/**
 * The lab as one HTML file, which works from disk and asks nothing of the network.
 *
 * @throws InputValueError in a checkout where it has not been built
 */
export function labFile(): string {
  const path = fileURLToPath(new URL("../../dist/lab/lab.html", import.meta.url));
  if (existsSync(path)) return readFileSync(path, "utf8");
  throw valueError(
    "lab",
    "lab.html, which the build of the package makes",
    `none at ${path}`,
    "npm run build",
  );
}
