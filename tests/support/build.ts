import { spawnSync } from "node:child_process";
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Builds the package's files into a folder of the caller's, as `npm run build` does into dist/. */
export function buildInto(folder: string): void {
  run(process.execPath, [join(ROOT, "tools", "build.mjs"), folder], ROOT);
}

/**
 * Builds the package's files where they run, below the checkout so that they find their packages.
 *
 * @param name of a folder in dist/, the caller's to remove
 * @returns the folder, and the file that is the command line
 */
export function buildRunnable(name: string): { readonly folder: string; readonly main: string } {
  const folder = join(ROOT, "dist", name);
  buildInto(join(folder, "dist"));
  copyFileSync(join(ROOT, "package.json"), join(folder, "package.json"));
  return { folder, main: join(folder, "dist", "cli", "main.js") };
}

/** Runs a command to its end and returns what it wrote to stdout. Throws, with all it wrote, when it fails. */
export function run(command: string, args: readonly string[], cwd: string): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: "utf8" });
  if (status === 0) return stdout;
  throw new Error(
    `${command} ${args.join(" ")}: ${error?.message ?? `status ${status}`}\n${stdout}${stderr}`,
  );
}
