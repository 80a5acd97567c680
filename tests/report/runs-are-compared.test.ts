import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type ClaimResult,
  type ComparedRun,
  chartSource,
  compareRuns,
  edgeSummary,
  lossChart,
  renderClaims,
} from "../../src/report/index.ts";
import type { StepRow } from "../../src/simulation/index.ts";
import { violationsOf } from "../support/accessibility.ts";
import { launchChromium } from "../support/chromium.ts";
import { CONFIG, syntheticRun } from "./synthetic-run.ts";

const run = (
  name: string,
  lr: number,
  width: number,
  steps = 120,
  processes?: string[],
): ComparedRun & { readonly rows: readonly StepRow[] } => ({
  name,
  config: { ...CONFIG, opt: { ...CONFIG.opt, lr }, arch: { ...CONFIG.arch, width }, expid: name, cmd: name },
  rows: syntheticRun(steps, processes).map((row) => ({
    ...row,
    quantities: { ...row.quantities, "discrete/opt.lr": lr },
  })),
  criticalValue: 2,
});
const GRID = [0.1, 0.02].flatMap((lr) => [16, 8, 32].map((width) => run(`run-${lr}-${width}`, lr, width)));
const options = { environment: "a test" };

describe("the table", () => {
  test("names the settings in which the runs differ and nothing else, ordered by them", () => {
    const { columns, rows } = compareRuns(GRID, options).table;
    expect(columns.slice(0, 3).map(({ title }) => title)).toEqual(["lr", "width", "Process"]);
    expect(rows.filter((_, i) => i % 4 === 0).map(({ cells }) => cells.slice(0, 2).join(" "))).toEqual([
      "0.02 8",
      "0.02 16",
      "0.02 32",
      "0.1 8",
      "0.1 16",
      "0.1 32",
    ]);
  });

  test("compares at the last step that all have, or at the last time", () => {
    const runs = [run("fine", 0.01, 8, 100), run("coarse", 0.02, 8, 60)];
    const cell = (by: "step" | "time", i: number) => {
      const { columns, rows } = compareRuns(runs, { by, ...options }).table;
      const loss = columns.findIndex(({ title }) => title === "Loss");
      const of = rows.filter(({ cells }) => cells.includes("Central flow"));
      return [of.map(({ name }) => name)[i], of[i].cells[loss]];
    };
    const loss = (index: number) => {
      const value = runs[0].rows[index].quantities["central/train_loss"] as number;
      return value.toPrecision(4);
    };
    // Step 64 is row 59 of both. Time ends with the first run, at 104 steps of 0.01: step 52 of the second.
    expect(cell("step", 0)).toEqual(["fine", loss(59)]);
    expect(cell("step", 1)).toEqual(["coarse", loss(59)]);
    expect(cell("time", 0)).toEqual(["fine", loss(99)]);
    expect(cell("time", 1)).toEqual(["coarse", loss(47)]);
  });

  test("takes runs without a common step each at its own end", () => {
    const late = run("late", 0.02, 16, 60);
    const moved = { ...late, rows: late.rows.map((row) => ({ ...row, step: row.step + 1000 })) };
    const { rows, label } = compareRuns([GRID[0], moved], options).table;
    expect(label).toContain("the end of each");
    for (const each of [GRID[0], moved]) {
      const { cells } = rows.find(({ name, cells }) => name === each.name && cells.includes("Central flow"))!;
      const last = each.rows.at(-1)!.quantities["central/train_loss"] as number;
      expect(cells).toContain(last.toPrecision(4));
    }
  });

  test("says how each run went at the edge", () => {
    const [only] = GRID;
    const { rows } = compareRuns([only], options).table;
    const edge = edgeSummary(only.rows, 2)!;
    const { cells } = rows.find((row) => row.cells.includes("Central flow"))!;
    expect(cells.at(-3)).toBe(`${edge.rows.length} of 120`);
    expect(cells.at(-2)).toBe(`${Number((100 * (1 - edge.nearer!)).toFixed(1))} %`);
  });

  test("of nothing, or of a run without steps, is refused", () => {
    expect(() => compareRuns([], options)).toThrow(/compare: expected runs with steps, got no run/);
    expect(() => compareRuns([{ ...GRID[0], rows: [] }], options)).toThrow(/none logged in run-0.1-16/);
  });
});

test("text from outside cannot become markup", () => {
  const hostile = "</script><img src=x onerror=alert(1)>";
  const { page } = compareRuns(
    [
      { ...GRID[0], name: hostile },
      { ...GRID[1], report: hostile },
    ],
    { environment: hostile },
  );
  expect(page).not.toContain("<img");
});

describe("in a browser", () => {
  let folder: string;
  let browser: Browser | undefined;
  let page: Page;
  let complaints: string[];
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "compare-"));
    writeFileSync(join(folder, "compare.html"), compareRuns(GRID, options).page);
    writeFileSync(join(folder, "claims.html"), renderClaims([claim()], "a test"));
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true });
  });

  async function open(name: string, colorScheme: "light" | "dark", width: number): Promise<void> {
    page = await browser!.newPage({ colorScheme, viewport: { width, height: 900 } });
    complaints = [];
    page.on("console", (message) => complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(error.message));
    await page.goto(pathToFileURL(join(folder, `${name}.html`)).href);
  }

  test.each([
    ["compare", "light", 1400],
    ["compare", "dark", 390],
    ["claims", "light", 390],
    ["claims", "dark", 1400],
  ] as const)("%s fits its window and keeps nobody out, %s, %i pixels", async (name, colorScheme, width) => {
    if (!browser) return;
    await open(name, colorScheme, width);
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(width);
    expect(await page.locator(".plot canvas").count()).toBe(await page.locator(".plot").count());
    expect(await violationsOf(page)).toEqual([]);
    expect(complaints).toEqual([]);
    await page.close();
  });

  test("small multiples stand as a grid, and the axis can be time", async () => {
    if (!browser) return;
    await open("compare", "light", 1400);
    const titles = page.locator("#each-loss h3");
    expect(await titles.allTextContents()).toEqual([
      "lr 0.02, width 8",
      "lr 0.02, width 16",
      "lr 0.02, width 32",
      "lr 0.1, width 8",
      "lr 0.1, width 16",
      "lr 0.1, width 32",
    ]);
    const boxes = await Promise.all(
      [0, 2, 3].map((i) => page.locator("#each-loss .chart").nth(i).boundingBox()),
    );
    expect(boxes[0]!.y).toBe(boxes[1]!.y);
    expect(boxes[2]!.y).toBeGreaterThan(boxes[0]!.y);
    expect(boxes[2]!.x).toBe(boxes[0]!.x);
    const at = () => page.locator("#together-loss .at").textContent();
    expect(await at()).toBe("step 124");
    await page.locator('[data-axis="times"]').click();
    // 124 steps of 0.1.
    expect(await at()).toBe("time 12.40");
    await page.locator("#together-loss .plot").focus();
    await page.keyboard.press("Home");
    expect(await at()).toBe("time 0.1000");
    await page.locator('[data-axis="steps"]').click();
    expect(await at()).toBe("step 124");
    expect(complaints).toEqual([]);
    await page.close();
  });
});

/** A claim with long words, as narrow windows have them. */
function claim(): ClaimResult {
  const source = chartSource(syntheticRun(60), 2);
  const label = "squared gradient: predicted average against measured, relative difference";
  return {
    name: "prediction",
    title: "Prediction",
    statement: "The flow predicts what the optimizer does.",
    method: "Means over the second half.",
    experiments: [
      {
        name: "cnn-scalar-rmsprop",
        help: "scalar RMSProp on a cnn",
        numbers: [
          { label, value: 0.1234, criterion: "below 0.3", holds: true },
          { label: "steps", value: 12 },
        ],
        holds: true,
        axes: source.axes,
        charts: lossChart(source),
      },
    ],
    holds: true,
    verdict: "holds: every criterion is met in cnn-scalar-rmsprop",
  };
}
