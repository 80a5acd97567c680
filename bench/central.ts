import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { TABLES_VARIABLE, type TableData } from "./table.ts";

/** Milliseconds per central step, split by part: central-step.ts, in a process of its own, whose tables are returned. */
export function central(): TableData[] {
  console.log("\n### A central step\n");
  const script = fileURLToPath(new URL("central-step.ts", import.meta.url));
  const folder = mkdtempSync(join(tmpdir(), "central-flows-bench-"));
  const file = join(folder, "tables");
  const env = { ...process.env, [TABLES_VARIABLE]: file };
  const { status } = spawnSync(process.execPath, [...process.execArgv, script], { stdio: "inherit", env });
  if (status !== 0) process.exitCode = 1;
  const lines = existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : [];
  rmSync(folder, { recursive: true });
  return lines.map((line) => JSON.parse(line));
}
