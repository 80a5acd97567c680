import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The package's folder: three above this file, in the sources as in the built package. */
const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "..");

/** The version in package.json. */
export function version(): string {
  const { version: found } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
    version: string;
  };
  return found;
}

/** The commit of this checkout; null in an installed package, wherever that is. */
export function gitHash(): string | null {
  if (!existsSync(join(ROOT, ".git"))) return null;
  try {
    return execFileSync("git", ["rev-parse", "HEAD"], { cwd: ROOT, stdio: ["ignore", "pipe", "ignore"] })
      .toString()
      .trim();
  } catch {
    return null;
  }
}
