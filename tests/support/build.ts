import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Builds the package's files into a folder of the caller's, as `npm run build` does into dist/. */
export function buildInto(folder: string): void {
  run(process.execPath, [join(ROOT, "tools", "build.mjs"), folder], ROOT);
}

/** Runs a command to its end and returns what it wrote to stdout. Throws, with all it wrote, when it fails. */
export function run(command: string, args: readonly string[], cwd: string): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: "utf8" });
  if (status === 0) return stdout;
  throw new Error(
    `${command} ${args.join(" ")}: ${error?.message ?? `status ${status}`}\n${stdout}${stderr}`,
  );
}
