import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

test("the lab's page passes the type checker with browser types", () => {
  const require = createRequire(import.meta.url);
  const compiler = join(dirname(require.resolve("typescript/package.json")), "bin", "tsc");
  const project = fileURLToPath(new URL("../../src/lab/browser", import.meta.url));
  const { stdout, status } = spawnSync(process.execPath, [compiler, "--noEmit", "-p", project], {
    encoding: "utf8",
  });
  expect(stdout).toBe("");
  expect(status).toBe(0);
});
