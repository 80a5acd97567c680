import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/** Milliseconds per central step, split by part: central-step.ts, in a process of its own. */
export function central(): void {
  console.log("\n### A central step\n");
  const script = fileURLToPath(new URL("central-step.ts", import.meta.url));
  const { status } = spawnSync(process.execPath, [...process.execArgv, script], { stdio: "inherit" });
  if (status !== 0) process.exitCode = 1;
}
