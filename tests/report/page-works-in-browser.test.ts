import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { renderReport, summaryTable } from "../../src/report/index.ts";
import { violationsOf } from "../support/accessibility.ts";
import { launchChromium } from "../support/chromium.ts";
import { CONFIG, syntheticRun } from "./synthetic-run.ts";

const STEPS = 200;
const rows = syntheticRun(STEPS);
let folder: string;
let url: string;
let browser: Browser | undefined;
let page: Page;
let complaints: string[];
let requests: string[];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "report-"));
  url = write("report.html", rows);
  browser = await launchChromium();
});
afterAll(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true });
});
beforeEach(async (ctx) => {
  if (!browser) return ctx.skip();
  page = await open({});
});
afterEach(async () => {
  if (!browser) return;
  expect(complaints).toEqual([]);
  expect(requests.filter((request) => !/^(file|data|blob):/.test(request))).toEqual([]);
  await page.close();
});

function write(name: string, report: ReturnType<typeof syntheticRun>): string {
  const path = join(folder, name);
  const summary = summaryTable(report);
  const words = { title: "synthetic", status: "Finished.", environment: "a test" };
  writeFileSync(path, renderReport({ ...words, summary, config: CONFIG, rows: report, criticalValue: 2 }));
  return pathToFileURL(path).href;
}

async function open(options: {
  colorScheme?: "light" | "dark";
  width?: number;
  address?: string;
}): Promise<Page> {
  const { colorScheme = "light", width = 1280, address = url } = options;
  const opened = await browser!.newPage({ colorScheme, viewport: { width, height: 900 } });
  complaints = [];
  requests = [];
  opened.on(
    "console",
    (message) => ["error", "warning"].includes(message.type()) && complaints.push(message.text()),
  );
  opened.on("pageerror", (error) => complaints.push(error.message));
  opened.on("request", (request) => requests.push(request.url()));
  await opened.goto(address);
  await frame(opened);
  return opened;
}

/** Waits until what changed has been drawn. */
async function frame(on: Page): Promise<void> {
  await on.evaluate(
    "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(0))))",
  );
}

/** A digest of a chart's pixels, to see whether it changed. */
async function pixels(id: string): Promise<string> {
  const image = await page.evaluate<string>(`document.querySelector("#${id} canvas").toDataURL()`);
  return createHash("sha256").update(image).digest("hex");
}

/** Pixels of a chart's canvas in the colours of its visible curves, which axes and text do not have. */
function curvePixels(id: string): Promise<number> {
  return page.evaluate<number>(`(() => {
    const canvas = document.querySelector("#${id} canvas");
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    const style = getComputedStyle(document.documentElement);
    const colors = [...document.querySelectorAll('#${id} .key[aria-pressed="true"] .swatch')].map((swatch) => {
      const hex = style.getPropertyValue("--" + swatch.dataset.role).trim();
      return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
    });
    let count = 0;
    for (let i = 0; i < data.length; i += 4)
      if (data[i + 3] === 255 && colors.some((color) => color.every((level, c) => Math.abs(level - data[i + c]) < 12))) count++;
    return count;
  })()`);
}

const text = (selector: string) => page.locator(selector).first().textContent();
const tool = (id: string, name: string) => page.locator(`#${id} [data-tool="${name}"]`);
const CHARTS = [
  "loss",
  "sharpness",
  "distances",
  "variances",
  "gradient",
  "accuracy",
  "opt-nu_l1",
  "times",
  "products",
];

test("every expected chart draws curves, in light and in dark, on a desk and on a phone", async () => {
  for (const [colorScheme, width] of [
    ["light", 1280],
    ["dark", 1280],
    ["dark", 390],
  ] as const) {
    await page.close();
    page = await open({ colorScheme, width });
    for (const id of CHARTS)
      expect(await curvePixels(id), `${id} ${colorScheme} ${width}`).toBeGreaterThan(100);
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(width);
    expect(complaints).toEqual([]);
  }
});

test("moving over one plot reads values in all of them, leaving it returns to the last step", async () => {
  expect(await text("#loss .at")).toBe(`step ${rows[STEPS - 1].step}`);
  await page.locator("#loss .u-over").hover();
  const at = await text("#loss .at");
  const row = rows.find(({ step }) => at === `step ${step}`)!;
  expect(row.index).toBeGreaterThan(0);
  expect(row.index).toBeLessThan(STEPS - 1);
  for (const id of CHARTS) expect(await text(`#${id} .at`)).toBe(at);
  const shown = await text('#loss .key:has([data-role="central"]) output');
  expect(Number(shown)).toBe(Number((row.quantities["central/train_loss"] as number).toPrecision(4)));
  await page.mouse.move(2, 2);
  expect(await text("#loss .at")).toBe(`step ${rows[STEPS - 1].step}`);
});

test("keys move the cursor, tell the values and leave the zoom", async () => {
  await page.locator("#sharpness .plot").focus();
  await page.keyboard.press("Home");
  expect(await text("#loss .at")).toBe("step 5");
  await page.keyboard.press("Shift+ArrowRight");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowLeft");
  expect(await text("#accuracy .at")).toBe("step 15");
  expect(await text("#sharpness .aloud")).toMatch(
    /^step 15; Optimizer \S+; Central flow \S+; Stable flow \S+$/,
  );
  await page.keyboard.press("End");
  expect(await text("#loss .at")).toBe(`step ${rows[STEPS - 1].step}`);
});

test("dragging zooms every plot, double-click and Escape undo it", async () => {
  const before = await pixels("sharpness");
  await page.locator("#loss .u-over").scrollIntoViewIfNeeded();
  const box = (await page.locator("#loss .u-over").boundingBox())!;
  const drag = async () => {
    await page.mouse.move(box.x + box.width * 0.3, box.y + 50);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.5, box.y + 60, { steps: 4 });
    await page.mouse.up();
    await frame(page);
  };
  for (const undo of [
    () => tool("loss", "reset").click(),
    () => page.mouse.dblclick(box.x + 200, box.y + 80),
    () => page.locator("#loss .plot").press("Escape"),
  ]) {
    await drag();
    expect(await tool("sharpness", "reset").isEnabled()).toBe(true);
    expect(await pixels("sharpness")).not.toBe(before);
    await undo();
    await frame(page);
    expect(await tool("sharpness", "reset").isEnabled()).toBe(false);
    expect(await pixels("sharpness")).toBe(before);
  }
});

test("names and the log axis switch, and switch back", async () => {
  const plain = await pixels("sharpness");
  const key = page.locator('#sharpness .key:has([data-role="discrete"])');
  for (const [button, pressed] of [
    [key, "true"],
    [tool("sharpness", "log"), "false"],
  ] as const) {
    expect(await button.getAttribute("aria-pressed")).toBe(pressed);
    await button.click();
    await frame(page);
    expect(await button.getAttribute("aria-pressed")).not.toBe(pressed);
    expect(await pixels("sharpness")).not.toBe(plain);
    await button.click();
    await frame(page);
    expect(await pixels("sharpness")).toBe(plain);
  }
});

test("the CSV holds each line of the chart at full precision", async () => {
  const waiting = page.waitForEvent("download");
  await tool("loss", "csv").click();
  const download = await waiting;
  expect(download.suggestedFilename()).toBe("synthetic-loss.csv");
  const [title, ...lines] = readFileSync(await download.path(), "utf8")
    .trimEnd()
    .split("\n");
  const names = title.split(",").map((name) => name.replaceAll('"', ""));
  expect(names.slice(0, 6)).toEqual([
    "step",
    "discrete/train_loss",
    "midpoint/train_loss",
    "central/train_loss",
    "stable/train_loss",
    "central/predicted_loss",
  ]);
  expect(lines).toHaveLength(STEPS);
  lines.forEach((line, i) => {
    const cells = line.split(",");
    expect(cells[0]).toBe(String(rows[i].step));
    for (let c = 1; c < 6; c++) expect(Number(cells[c])).toBe(rows[i].quantities[names[c]]);
  });
  const again = page.waitForEvent("download");
  await tool("variances", "csv").click();
  const variances = readFileSync(await (await again).path(), "utf8").split("\n");
  expect(variances[1].split(",").slice(1).join("")).toBe("");
});

test("PNG and SVG of a figure are named files with its title, curves and caption", async () => {
  const saved = async (id: string, kind: string) => {
    const waiting = page.waitForEvent("download");
    await tool(id, kind).click();
    const download = await waiting;
    expect(download.suggestedFilename()).toBe(`synthetic-${id}.${kind}`);
    return readFileSync(await download.path());
  };
  for (const [id, title, curves] of [
    ["sharpness", "Effective sharpness", 6],
    ["plane", "The path in a plane, steps 55 to 104", 4],
  ] as const) {
    const svg = (await saved(id, "svg")).toString("utf8");
    expect(svg).toContain(title);
    expect(svg).toContain(id === "sharpness" ? "edge of stability: 2" : "along the slow direction");
    const words = [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, words]) => words);
    const caption = (await page.locator(`#${id} .caption`).textContent())!;
    expect(words.join(" ")).toContain(caption.slice(0, 200).trim().split(" ").slice(0, 20).join(" "));
    // Each curve and the sample beside each name.
    const shown = await page.locator(`#${id} .key[aria-pressed="true"]`).count();
    expect(svg.match(/<path /g)).toHaveLength(curves + shown);
    const problem = await page.evaluate<string>(
      `new DOMParser().parseFromString(${JSON.stringify(svg)}, "image/svg+xml").querySelector("parsererror")?.textContent ?? ""`,
    );
    expect(problem).toBe("");
  }
  const png = await saved("loss", "png");
  expect(png.subarray(1, 4).toString("latin1")).toBe("PNG");
  expect(png.readUInt32BE(16)).toBe(2 * 960);
});

test("the path in a plane turns with its buttons and is read by keys", async () => {
  // It begins with the first stretch that is at the edge all along.
  expect(await text("#plane .at")).toBe("steps 55 to 104");
  const before = await page.locator("#plane svg").innerHTML();
  await tool("plane", "back").click();
  expect(await text("#plane .at")).toBe("steps 5 to 54");
  expect(await page.locator("#plane svg").innerHTML()).not.toBe(before);
  expect(await tool("plane", "back").isDisabled()).toBe(true);
  await page.locator("#plane .plot").focus();
  await page.keyboard.press("Home");
  await page.keyboard.press("ArrowRight");
  expect(await text("#loss .at")).toBe("step 6");
  expect(await page.locator("#plane circle").count()).toBe(4);
  expect(await text("#plane .aloud")).toMatch(/^step 6; Optimizer \S+, \S+; Midpoints/);
});

test("no violation of the accessibility rules, in light and in dark", async () => {
  for (const colorScheme of ["light", "dark"] as const) {
    await page.close();
    page = await open({ colorScheme });
    expect(await violationsOf(page)).toEqual([]);
  }
});

test("the theme button overrides the system, and paper is always light", async () => {
  const theme = page.locator("#theme");
  const background = () => page.evaluate("getComputedStyle(document.body).backgroundColor");
  const light = [await background(), await pixels("loss")];
  await theme.click();
  expect(await theme.textContent()).toBe("Theme: light");
  await theme.click();
  await frame(page);
  const dark = [await background(), await pixels("loss")];
  expect(dark[0]).not.toBe(light[0]);
  expect(dark[1]).not.toBe(light[1]);
  await page.evaluate("dispatchEvent(new Event('beforeprint'))");
  await frame(page);
  expect(await pixels("loss")).toBe(light[1]);
  await page.evaluate("dispatchEvent(new Event('afterprint'))");
  await frame(page);
  expect([await background(), await pixels("loss")]).toEqual(dark);
});

test("short, empty, partial and diverged runs open without complaint", async () => {
  const diverged = syntheticRun(30).map((row) => ({
    ...row,
    quantities: { ...row.quantities, "discrete/train_loss": row.index > 20 ? NaN : 10 ** (row.index * 15) },
  }));
  const vanishing = syntheticRun(30).map((row) => ({
    ...row,
    quantities: {
      ...row.quantities,
      "central/grad_norm_sq": 10 ** (-row.index * 11),
      "central/train_loss": 0,
    },
  }));
  const runs = {
    none: [],
    one: syntheticRun(1),
    two: syntheticRun(2),
    lone: syntheticRun(50, ["discrete"]),
    diverged,
    vanishing,
  };
  for (const [name, run] of Object.entries(runs)) {
    await page.close();
    page = await open({ address: write(`${name}.html`, run) });
    expect(await page.locator("canvas, .plane svg").count()).toBe(await page.locator(".chart").count());
    expect(complaints, name).toEqual([]);
  }
});
