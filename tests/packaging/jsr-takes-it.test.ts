import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { buildInto, ROOT, run } from "../support/build.ts";

const DENO = fileURLToPath(new URL("engines/node_modules/@deno/linux-x64-glibc/deno", import.meta.url));

test("a dry run of publishing to JSR finds every type explicit", (ctx) => {
  if (!existsSync(DENO)) {
    console.warn("skipped: no Deno; npm ci --prefix tests/packaging/engines installs it");
    return ctx.skip();
  }
  const folder = mkdtempSync(join(tmpdir(), "jsr-"));
  try {
    buildInto(join(folder, "dist"));
    const script = `import { writeJsrPackage } from ${JSON.stringify(join(ROOT, "tools", "jsr.mjs"))};
      writeJsrPackage(${JSON.stringify(join(folder, "jsr"))}, "example", ${JSON.stringify(join(folder, "dist"))});`;
    run(process.execPath, ["--input-type=module", "--eval", script], folder);
    const words = ["publish", "--dry-run", "--allow-dirty"];
    const { status, stderr } = spawnSync(DENO, words, {
      cwd: join(folder, "jsr"),
      encoding: "utf8",
      env: { ...process.env, NO_COLOR: "1" },
    });
    expect(status, stderr).toBe(0);
    expect(stderr).toContain("Checking for slow types in the public API");
    expect(stderr).not.toMatch(/warning\[|slow-type-/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
