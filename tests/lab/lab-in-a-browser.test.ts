import { existsSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { LAB_PRESETS } from "../../src/lab/index.ts";
import { TOUR } from "../../src/lab/link/tour.ts";
import { violationsOf } from "../support/accessibility.ts";
import { type LabPage, type OpenLab, openLab, openPage, over, SHORT, shown } from "./lab-page.ts";

const TYPES: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
};
/** The policy of the site, and one that also refuses WebAssembly. */
const POLICY =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; style-src 'self'; img-src 'self' data: blob:";
const WITHOUT_WASM = POLICY.replace(" 'wasm-unsafe-eval'", "");

let lab: OpenLab | undefined;
let server: Server | undefined;
let origin = "";
let policy = POLICY;
let open: LabPage[] = [];

beforeAll(async () => {
  lab = await openLab();
  const site = join(lab?.folder ?? "", "site");
  const serving = createServer((request, response) => {
    const path = new URL(request.url ?? "/", "http://localhost").pathname.replace(/\/$/, "/index.html");
    const file = join(site, path);
    const found = existsSync(file);
    response.writeHead(found ? 200 : 404, {
      "content-type": TYPES[extname(path)] ?? "text/plain",
      "content-security-policy": policy,
    });
    response.end(found ? readFileSync(file) : undefined);
  });
  server = serving;
  await new Promise<void>((listening) => serving.listen(0, "127.0.0.1", listening));
  origin = `http://127.0.0.1:${(serving.address() as AddressInfo).port}/`;
});
afterAll(async () => {
  await lab?.close();
  server?.close();
});
beforeEach((ctx) => {
  if (!lab) ctx.skip();
  policy = POLICY;
  open = [];
});
afterEach(async () => {
  for (const { page, foreign } of open) {
    expect(foreign).toEqual([]);
    await page.context().close();
  }
});

async function opened(hash: string, options: Parameters<OpenLab["open"]>[1] = {}): Promise<Page> {
  const one = await lab!.open(hash, options);
  open.push(one);
  return one.page;
}

async function served(hash: string): Promise<LabPage> {
  const one = await openPage(lab!.browser, `${origin}${hash}`);
  open.push(one);
  return one;
}

const note = (page: Page, id: string) => page.locator(`[data-note="${id}"]`);

/** Waits until a long run goes: on a slow machine it is asked for first. */
async function begun(page: Page): Promise<void> {
  const asked = note(page, "run").getByText("Run it");
  const going = page.locator('html[data-phase="running"]');
  await page.locator('html[data-phase="running"], html[data-phase="asking"]').waitFor({ state: "attached" });
  if (await asked.isVisible()) await asked.click();
  await going.waitFor({ state: "attached" });
}

/** How many rows the page says it has. */
const rows = async (page: Page): Promise<number> =>
  Number((await page.locator("#pace-words").textContent())?.split("/")[0]);

const digest = (page: Page): Promise<string> => page.evaluate("document.documentElement.dataset.digest");

test("a site of three files under a strict policy computes, and without WebAssembly the same bits", async () => {
  const digests: string[] = [];
  for (const each of [POLICY, WITHOUT_WASM]) {
    policy = each;
    const { page, complaints } = await served(SHORT);
    await over(page);
    digests.push(await digest(page));
    expect(complaints.filter((line) => !line.includes("WebAssembly"))).toEqual([]);
    expect(await page.locator("#notes").textContent()).toContain(each === POLICY ? "" : "js");
  }
  expect(digests[0]).toMatch(/^[0-9a-f]{16}$/);
  expect(digests[1]).toBe(digests[0]);
});

test("keys alone do everything: pause, step, reset, η, keep, panels, help", async () => {
  const page = await opened(SHORT.replace("steps=30", "steps=400"));
  await begun(page);
  await page.keyboard.press("Space");
  await page.locator('html[data-phase="paused"]').waitFor({ state: "attached" });
  const before = await rows(page);
  await page.keyboard.press("s");
  await shown(() => rows(page)).toBeGreaterThan(before);
  await page.keyboard.press("k");
  await shown(() => page.locator("#runs .run").count()).toBe(1);
  await page.keyboard.press("]");
  await page.keyboard.press("Space");
  await page.locator('html[data-phase="running"]').waitFor({ state: "attached" });
  await shown(async () => decodeURIComponent(await page.evaluate("location.hash"))).toMatch(
    /opt\.schedule=piecewise&opt\.lr-at=\d+:0\.66/,
  );
  await page.locator("#sharpness .plot").waitFor();
  await page.keyboard.press("1");
  await shown(() => page.evaluate("document.activeElement.closest('section')?.id")).toBe("sharpness");
  await page.keyboard.press("r");
  await page.locator('html[data-phase="paused"]').waitFor({ state: "attached" });
  await shown(() => rows(page)).toBeLessThanOrEqual(5);
  await page.keyboard.press("?");
  await page.locator("#help").waitFor({ state: "visible" });
  await page.keyboard.press("Escape");
  await page.locator("#help").waitFor({ state: "hidden" });
  // By Tab alone the run button is reached.
  for (let i = 0; i < 150; i++) {
    await page.keyboard.press("Tab");
    if ((await page.evaluate("document.activeElement.id")) === "run") break;
  }
  expect(await page.evaluate("document.activeElement.id")).toBe("run");
});

test.each(["light", "dark"] as const)(
  "axe finds nothing to blame in %s: the page, its settings, its tour",
  async (colorScheme) => {
    const page = await opened(`${SHORT}&tour=edge.1`, { colorScheme });
    await over(page);
    await page.locator("#more summary").click();
    await page.locator("#keep").click();
    await page.locator("#runs .run").waitFor();
    expect(await violationsOf(page)).toEqual([]);
  },
);

test("on a phone nothing scrolls sideways, and the bar with η and Run is in reach", async () => {
  const page = await opened(`${SHORT}/opt.lr=0.3`, { viewport: { width: 360, height: 740 } });
  await over(page);
  expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(360);
  for (const id of ["#rate", "#run"]) {
    const box = (await page.locator(id).boundingBox())!;
    expect(box.y + box.height).toBeLessThanOrEqual(740);
    expect(box.x + box.width).toBeLessThanOrEqual(360);
  }
  await page.locator("#sharpness canvas").waitFor();
  const first = (await page.locator("#sharpness").boundingBox())!;
  expect(first.y).toBeLessThan((await page.locator("#main-controls").boundingBox())!.y);
});

test("η = 100 ends with a sentence, and offers a smaller one", async () => {
  const page = await opened(SHORT.replace("opt.lr=0.6", "opt.lr=100"));
  await note(page, "run").waitFor();
  expect(await note(page, "run").textContent()).toMatch(/take a smaller learning rate/);
  await note(page, "run").getByText("η ÷ 4 = 25").click();
  await shown(() => page.evaluate<string>("location.hash")).toContain("opt.lr=25");
});

test("a worker that is killed is noticed and given up; its rows stay, and a smaller η runs again", async () => {
  const context = await lab!.browser.newContext();
  const page = await context.newPage();
  open.push({ page, complaints: [], foreign: [] });
  await page.addInitScript(`(() => {
    const Own = Worker;
    globalThis.made = [];
    globalThis.Worker = class extends Own { constructor(...words) { super(...words); made.push(this); } };
  })()`);
  await page.goto(`file://${join(lab!.folder, "lab.html")}${SHORT.replace("steps=30", "steps=5000")}`);
  await begun(page);
  await shown(() => rows(page)).toBeGreaterThan(0);
  await page.evaluate("made[0].terminate()");
  await note(page, "slow").waitFor();
  expect(await note(page, "slow").textContent()).toMatch(/^Step \d+ takes long: \d s\./);
  await note(page, "run").waitFor({ timeout: 20_000 });
  expect(await note(page, "run").textContent()).toMatch(/given up .* The \d+ rows that came are kept/);
  await note(page, "run").getByText("η ÷ 4").click();
  await page.locator('html[data-phase="running"]').waitFor({ state: "attached" });
});

test("links that cannot be read are told in words, and a way on is offered", async () => {
  for (const [hash, words] of [
    ["#opt=gd&opt.lr=0.3&data=moons&arch=mlp&opt.beta9=1", "--opt.beta9"],
    ["#form=7&opt=gd", "it is of a newer lab"],
    ["#opt=.%2Fmine.ts&opt.lr=1", "a host that reads files"],
    ["#opt=gd&opt.lr=-1&data=moons&arch=mlp", "--opt.lr: expected a finite number > 0, got -1"],
  ]) {
    const page = await opened(hash);
    await note(page, "link").waitFor();
    expect(await note(page, "link").textContent(), hash).toContain(words);
    await note(page, "link").getByText("Start with the first example").click();
    await page.locator('html[data-phase="running"]').waitFor({ state: "attached", timeout: 60_000 });
    await note(page, "link").waitFor({ state: "detached" });
  }
});

test("what the lab has no room for is refused in a sentence", async () => {
  const page = await opened(SHORT.replace("runs=discrete,central,stable", "runs=discrete,two-step"));
  await note(page, "run").waitFor();
  expect(await note(page, "run").textContent()).toContain("the lab has no rival flows: take");
});

test("without scripts a sentence says where the same runs are to be had; with storage refused all goes on", async () => {
  const page = await opened(SHORT, { javaScriptEnabled: false });
  expect(await page.locator("noscript").textContent()).toContain("npx central-flows run");
  const other = await lab!.browser.newContext();
  const refused = await other.newPage();
  open.push({ page: refused, complaints: [], foreign: [] });
  await refused.addInitScript(
    'Object.defineProperty(window, "localStorage", { get() { throw new DOMException("refused", "SecurityError"); } })',
  );
  await refused.goto(`file://${join(lab!.folder, "lab.html")}${SHORT}`);
  await over(refused);
});

test("a page that is not seen computes on, and shows all when it is seen again", async () => {
  const page = await opened(SHORT);
  await page.addInitScript('Object.defineProperty(document, "hidden", { get: () => true })');
  await page.reload();
  await over(page);
  await page.locator("#sharpness canvas").waitFor();
  await shown(() => page.locator("#sharpness .at").textContent()).toBe("step 29");
});

test("one chart may stand alone in a frame of another page", async () => {
  const page = await opened(`${SHORT}&embed=sharpness`);
  await over(page);
  await shown(() => page.locator("#charts section").count()).toBe(1);
  for (const hidden of [".top", ".presets", "#runs", "#main-controls", "#picture"])
    expect(await page.locator(hidden).isVisible(), hidden).toBe(false);
  expect(await page.locator("#rate").isVisible()).toBe(true);
});

test("a link with bits is reproduced to the bit, or it is said between which rows it parts", async () => {
  const page = await opened(SHORT);
  await over(page);
  const all = await digest(page);
  await page.goto("about:blank");
  await page.goto(`file://${join(lab!.folder, "lab.html")}${SHORT}&bits=30.${all.slice(0, 16)}.`);
  await note(page, "bits").waitFor();
  expect(await note(page, "bits").textContent()).toContain("Reproduced to the bit");
  await page.goto("about:blank");
  await page.goto(`file://${join(lab!.folder, "lab.html")}${SHORT}&bits=30.${all.slice(0, 16)}.0000`);
  await note(page, "bits").waitFor();
  expect(await note(page, "bits").textContent()).toContain("between rows 0 and 10");
});

test("what is exported: pictures, numbers, a report, and a run that is dropped back in", async () => {
  const page = await opened(SHORT);
  await over(page);
  const contents = async (id: string): Promise<string> => {
    await page.locator("#export").click();
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.locator(`[data-export="${id}"]`).click(),
    ]);
    return readFileSync(await download.path(), id === "png" ? "latin1" : "utf8");
  };
  expect((await contents("csv")).split("\n")).toHaveLength(32);
  expect(await contents("svg")).toMatch(/^<svg xmlns/);
  expect(await contents("png")).toMatch(/^.PNG/s);
  const report = await contents("report");
  expect(report).toContain("its central flow");
  const saved = await contents("json");
  const drawn = await lab!.browser.newPage();
  const complaints: string[] = [];
  drawn.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  drawn.on("pageerror", (error) => complaints.push(error.message));
  await drawn.setContent(report);
  await drawn.locator("#sharpness canvas").waitFor();
  expect(complaints).toEqual([]);
  await drawn.close();
  await page.locator('[data-preset="diverges"]').click();
  await page.evaluate(`(async () => {
    const moved = new DataTransfer();
    moved.items.add(new File([${JSON.stringify(saved)}], "run.json"));
    dispatchEvent(new DragEvent("drop", { dataTransfer: moved }));
  })()`);
  await shown(() => page.evaluate<string>("location.hash")).toBe(SHORT);
  await shown(() => page.locator("#pace-words").textContent()).toContain("30/30");
});

test("every beat of the tour says in the page what it shows, and asks before", {
  timeout: 600_000,
}, async () => {
  const page = await opened("");
  await page.locator("#tour-open").click();
  for (const [i, { title, guess, seen }] of TOUR.entries()) {
    await page.locator("#tour h2").filter({ hasText: title }).waitFor();
    expect(await page.locator("#tour strong").textContent()).toBe(guess.question);
    await page.locator("#tour .seen").waitFor({ timeout: 120_000 });
    expect(await page.locator("#tour .seen").textContent()).toBe(`✓ ${seen.words}`);
    if (i < TOUR.length - 1) await page.locator('[data-tour="on"]').click();
  }
});

test("while the worker computes a step, the page draws frames", async () => {
  const page = await opened("#opt=gd&opt.lr=0.3&data=digits&data.n=1200&arch=mlp&arch.width=24&steps=8");
  const frames = await page.evaluate<number>(`new Promise((done) => {
    let frames = 0;
    const count = () => {
      frames++;
      if (document.documentElement.dataset.phase === "over") done(frames);
      else requestAnimationFrame(count);
    };
    count();
  })`);
  expect(frames).toBeGreaterThan(30);
});

test("the examples are named on the page", async () => {
  const page = await opened(SHORT);
  expect(await page.locator("[data-preset]").allTextContents()).toEqual(
    LAB_PRESETS.map(({ title }) => title),
  );
});
