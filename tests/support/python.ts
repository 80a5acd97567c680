import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/**
 * A Python that has the modules: CENTRAL_FLOWS_PYTHON, the one in .venv, or python3; undefined, with a line that
 * says so, when none has.
 */
export function findPython(...modules: string[]): string | undefined {
  const own = fileURLToPath(new URL("../../.venv/bin/python", import.meta.url));
  const found = [process.env.CENTRAL_FLOWS_PYTHON, own, "python3"].find(
    (python) => python && spawnSync(python, ["-c", `import ${modules.join(", ")}`]).status === 0,
  );
  if (!found) console.warn(`skipped: no Python with ${modules.join(", ")}; set CENTRAL_FLOWS_PYTHON`);
  return found;
}
