import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("../../src", import.meta.url));

/** What runs in a page as it is: everything of the report but its pages. */
const ENTRIES = [
  "charts/dynamics-charts.ts",
  "charts/other-charts.ts",
  "charts/plane-chart.ts",
  "charts/chart-section.ts",
  "edge.ts",
  "facts.ts",
  "format.ts",
  "series.ts",
  "summary.ts",
  "charts/page-data.ts",
  "pages/report-page.ts",
];

/** Layers that other tests run in a page. */
const CORE = /^(base|flows)\//;

/** Every file of the report that a file needs when it runs; imports of types are gone by then. */
function reached(path: string, seen = new Map<string, string>()): Map<string, string> {
  if (seen.has(path)) return seen;
  const text = readFileSync(path, "utf8").replace(/\/\*.*?\*\//gs, "");
  seen.set(path, text);
  for (const [, clause, target] of text.matchAll(/^(?:import|export)\s([^;]*?)\sfrom\s"([^"]+)";/gms)) {
    if (clause.startsWith("type ") || /^\{(\s*type [^,}]+,?)+\s*\}$/.test(clause)) continue;
    const next = join(dirname(path), target);
    const name = relative(ROOT, next);
    expect(
      existsSync(next) && (name.startsWith("report/") || CORE.test(name)),
      `${relative(ROOT, path)} imports ${target}`,
    ).toBe(true);
    if (name.startsWith("report/")) reached(next, seen);
  }
  return seen;
}

test.each(ENTRIES)("report/%s uses nothing of Node", (entry) => {
  const files = reached(join(ROOT, "report", entry));
  expect(files.size).toBeGreaterThan(0);
  for (const [path, text] of files)
    expect(text, relative(ROOT, path)).not.toMatch(
      /"node:|\bBuffer\b|\bprocess\.(env|versions|argv|std|exit)|\brequire\(/,
    );
});
