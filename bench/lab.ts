import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Browser, Page } from "playwright-core";
import { launchChromium } from "../tests/support/chromium.ts";
import { measured, progress, Table } from "./table.ts";
import { summary } from "./timing.ts";

const ROUNDS = 5;
/** A moons run of 300 steps with both flows; the slider is let go at the one η and at the other in turn. */
const RUN = "#opt=gd&opt.lr=0.6&data=moons&arch=mlp&arch.width=16&runs=discrete,central,stable&steps=300";
const RATES = [0.3, 0.6];

/**
 * Watches the page from its first script on: when charts are first seen, when a run is over and seen, and how far frames
 * are apart. Times count from the opening of the page.
 */
const WATCH = `(() => {
  const seen = { first: NaN, letGo: NaN, over: NaN, gap: 0, rows: "" };
  globalThis.seenTimes = seen;
  const painted = (then) => requestAnimationFrame(() => setTimeout(then, 0));
  let last = performance.now();
  const frame = (now) => {
    if (!(seen.over > seen.letGo)) seen.gap = Math.max(seen.gap, now - last);
    last = now;
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
  addEventListener("change", ({ target }) => {
    if (target.id !== "rate") return;
    Object.assign(seen, { letGo: performance.now(), over: NaN, gap: 0 });
  }, true);
  new MutationObserver(() => {
    if (Number.isNaN(seen.first) && document.querySelector("#sharpness canvas"))
      painted(() => { seen.first = Math.min(performance.now(), isNaN(seen.first) ? Infinity : seen.first); });
    const over = document.documentElement.dataset.phase === "over";
    if (over && Number.isNaN(seen.over)) painted(() => { seen.over = performance.now(); });
  }).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ["data-phase"] });
})()`;

interface Seen {
  readonly first: number;
  readonly letGo: number;
  readonly over: number;
  readonly gap: number;
}

/**
 * The lab as its user sees it, in Chromium, opened from disk: how soon there is a picture, how soon a run is drawn to its
 * end after the slider is let go, and the longest time between two frames meanwhile.
 */
export async function lab(): Promise<void> {
  console.log("\n### The lab in Chromium\n");
  const browser = await launchChromium();
  if (!browser) {
    console.log("Not measured: no Chromium; set CHROMIUM_PATH.");
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), "central-flows-lab-"));
  try {
    const built = fileURLToPath(new URL("../tools/lab.mjs", import.meta.url));
    const { buildLab } = (await import(built)) as { buildLab: (out: string) => Promise<void> };
    await buildLab(folder);
    const address = pathToFileURL(join(folder, "lab.html")).href;
    const opening: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      progress(`opening, ${round + 1} of ${ROUNDS}`);
      const page = await opened(browser, address);
      await until(page, "!Number.isNaN(seenTimes.first)");
      opening.push((await times(page)).first);
      await page.context().close();
    }
    const page = await opened(browser, address + RUN);
    await until(page, "!Number.isNaN(seenTimes.over)");
    const redrawn = RATES.map(() => ({ times: [] as number[], gaps: [] as number[] }));
    for (let round = 0; round < ROUNDS; round++)
      for (const [i, rate] of RATES.entries()) {
        progress(`the slider is let go, ${RATES.length * round + i + 1} of ${RATES.length * ROUNDS}`);
        await dragTo(page, rate);
        await until(page, "seenTimes.over > seenTimes.letGo");
        const { letGo, over, gap } = await times(page);
        redrawn[i].times.push(over - letGo);
        redrawn[i].gaps.push(gap);
      }
    const table = new Table(["", "median, ms", "longest, ms"]);
    const row = (name: string, samples: number[]): void => {
      const { median, spread } = summary(samples);
      table.row(name, measured(median, "less", spread), measured(Math.max(...samples), "less"));
    };
    row("opened from disk to the first charts", opening);
    for (const [i, rate] of RATES.entries()) {
      row(`300 steps drawn after the slider is let go at η ${rate}`, redrawn[i].times);
      row(`longest time between two frames meanwhile, η ${rate}`, redrawn[i].gaps);
    }
    table.print();
  } finally {
    await browser.close();
    rmSync(folder, { recursive: true });
  }
}

async function opened(browser: Browser, address: string): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  const page = await context.newPage();
  await page.addInitScript(WATCH);
  await page.goto(address);
  return page;
}

/** Waits for a condition in the page, whose policy forbids that its text is compiled there; asked rarely, not to disturb. */
async function until(page: Page, condition: string): Promise<void> {
  while (!(await page.evaluate<boolean>(condition))) await page.waitForTimeout(100);
}

const times = (page: Page): Promise<Seen> => page.evaluate<Seen>("seenTimes");

/** Drags the slider to a learning rate by the mouse, in a few moves, and lets it go. */
async function dragTo(page: Page, rate: number): Promise<void> {
  const box = await page.locator("#rate").boundingBox();
  if (!box) throw new Error("the lab has no slider");
  // The thumb's middle goes from 8 pixels within the one end to 8 within the other; η from 1e-4 to 100.
  const x = (value: number): number => box.x + 8 + ((box.width - 16) * (Math.log10(value) + 4)) / 6;
  const y = box.y + box.height / 2;
  const from = await page.evaluate<number>("10 ** Number(document.getElementById('rate').value)");
  await page.mouse.move(x(from), y);
  await page.mouse.down();
  await page.mouse.move(x(rate), y, { steps: 5 });
  await page.mouse.up();
}
