import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { ROOT, run } from "../support/build.ts";

/** Bytes, gzipped, that the whole lab may take. */
const BUDGET = 240_000;

test("the lab is one file of at most 240 kB gzipped, and asks for nothing of Node or of the network", () => {
  const folder = mkdtempSync(join(tmpdir(), "lab-size-"));
  try {
    run(process.execPath, [join(ROOT, "tools", "lab.mjs"), folder], ROOT);
    const page = readFileSync(join(folder, "lab.html"), "utf8");
    expect(gzipSync(page, { level: 9 }).length).toBeLessThanOrEqual(BUDGET);
    expect(page).not.toMatch(/from ?"node:|require\("node:|<script[^>]+src=|<link[^>]+stylesheet/);
    expect(page).toContain("default-src 'none'");
    const site = readFileSync(join(folder, "site", "page.js"), "utf8");
    expect(readFileSync(join(folder, "site", "worker.js"), "utf8")).toBe('importScripts("page.js");\n');
    expect(page).toContain(site.slice(site.indexOf("var LAB_VERSION")).trim());
  } finally {
    rmSync(folder, { recursive: true });
  }
});
