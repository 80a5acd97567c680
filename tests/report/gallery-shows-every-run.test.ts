import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type GalleryRun,
  gallerySummary,
  galleryTable,
  renderGallery,
  tableText,
} from "../../src/report/index.ts";
import { violationsOf } from "../support/accessibility.ts";
import { launchChromium } from "../support/chromium.ts";
import { CONFIG, EDGE_STEP, syntheticRun } from "./synthetic-run.ts";

const run = (name: string, changes: Partial<GalleryRun> = {}): GalleryRun => ({
  name,
  help: `help of ${name}`,
  config: CONFIG,
  rows: syntheticRun(120),
  criticalValue: 2,
  status: "120 steps",
  report: `${name}/report.html`,
  ...changes,
});
const RUNS = [
  run("first"),
  run("second-rmsprop", { rows: syntheticRun(70, ["discrete", "central"]) }),
  run("without-rows", { rows: [] }),
];

describe("the summary of a run", () => {
  const rows = syntheticRun(120);
  const summary = gallerySummary(rows, 2);

  test("counts the steps at the edge and those in which the central flow is farther", () => {
    // The synthetic sharpness is within 1 % of 2 from step 39.5 on.
    const atEdge = 120 - EDGE_STEP;
    expect(summary).toMatchObject({ steps: 120, atEdge, most: 1, sharpness: 2 });
    expect(gallerySummary(rows.slice(0, EDGE_STEP), 2)).toMatchObject({ atEdge: 0, most: 0 });
    const farther = rows
      .slice(EDGE_STEP)
      .filter(
        ({ quantities: q }) =>
          !((q["distances/central-discrete"] as number) <= (q["distances/discrete-stable"] as number)),
      );
    expect(summary.farther).toBe(1 - (atEdge - farther.length) / atEdge);
  });

  test("averages prediction and measurement over the same last rows", () => {
    const mean = (path: string) =>
      rows.slice(-summary.window).reduce((sum, { quantities }) => sum + (quantities[path] as number), 0) /
      summary.window;
    const within = (x: number | undefined, y: number) =>
      expect(Math.abs((x ?? NaN) - y)).toBeLessThanOrEqual(4 * summary.window * Number.EPSILON * y);
    within(summary.predictedLoss, mean("central/predicted_loss"));
    within(summary.measuredLoss, mean("discrete/train_loss"));
  });

  test("adds up the times of all processes", () => {
    const seconds = rows
      .flatMap(({ quantities }) => Object.entries(quantities))
      .reduce((sum, [path, value]) => (path.includes("/times/") ? sum + (value as number) : sum), 0);
    expect(Math.abs(summary.seconds - seconds)).toBeLessThanOrEqual(2000 * Number.EPSILON * seconds);
  });

  test("of a run without rows has nothing in it", () => {
    expect(gallerySummary([], 2)).toMatchObject({ steps: 0, most: 0, seconds: 0 });
    expect(gallerySummary([], 2).measuredLoss).toBeUndefined();
  });

  test("has one line for each run in the terminal", () => {
    const lines = tableText(
      galleryTable([
        { name: "first", summary },
        { name: "none", summary: gallerySummary([], 2) },
      ]),
    ).split("\n");
    expect(lines).toHaveLength(4);
    expect(lines[1]).toMatch(/^first +120 +80 +1 +2\.0000 /);
  });
});

test("names that cannot be HTML ids, or occur twice, are refused", () => {
  expect(() => renderGallery([run("a"), run("a")], "")).toThrow(/distinct names/);
  expect(() => renderGallery([run('a"b')], "")).toThrow(RangeError);
});

test("text from outside cannot become markup, and nothing is fetched", () => {
  const hostile = "</script><img src=x onerror=alert(1)>";
  const html = renderGallery([run("a", { help: hostile, status: hostile, report: hostile })], hostile);
  expect(html).not.toContain("<img");
  expect(html).toContain("default-src 'none'");
});

describe("in a browser", () => {
  let folder: string;
  let browser: Browser | undefined;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "gallery-"));
    writeFileSync(join(folder, "index.html"), renderGallery(RUNS, "a test"));
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true });
  });

  test.each([
    ["light", 1280],
    ["dark", 390],
  ] as const)(
    "each run has its charts, which move apart from the others', %s, %i pixels",
    async (colorScheme, width) => {
      if (!browser) return;
      const page = await browser.newPage({ colorScheme, viewport: { width, height: 900 } });
      const complaints: string[] = [];
      page.on("console", (message) => complaints.push(message.text()));
      page.on("pageerror", (error) => complaints.push(error.message));
      await page.goto(pathToFileURL(join(folder, "index.html")).href);
      expect(await page.locator("canvas").count()).toBe(4);
      expect(await page.locator("tbody tr").count()).toBe(RUNS.length);
      expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(width);
      const at = (id: string) => page.locator(`#${id} .at`).textContent();
      expect(await at("first-loss")).toBe("step 124");
      await page.locator("#first-loss .plot").focus();
      await page.keyboard.press("Home");
      expect(await at("first-loss")).toBe("step 5");
      expect(await at("first-sharpness")).toBe("step 5");
      expect(await at("second-rmsprop-loss")).toBe("step 74");
      expect(await violationsOf(page)).toEqual([]);
      expect(complaints).toEqual([]);
      await page.close();
    },
  );
});
