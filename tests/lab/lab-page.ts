import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { expect } from "vitest";
import { ROOT, run as runCommand } from "../support/build.ts";
import { launchChromium } from "../support/chromium.ts";

/** The lab, built into a folder and opened from there. */
export interface OpenLab {
  readonly folder: string;
  readonly browser: Browser;
  /** Opens a link; complaints and requests of the page are gathered. */
  open(hash?: string, options?: BrowserContextOptions): Promise<LabPage>;
  close(): Promise<void>;
}

/** A page with the lab. */
export interface LabPage {
  readonly page: Page;
  /** Errors and warnings of the console, and uncaught ones. */
  readonly complaints: string[];
  /** Addresses asked for that are not of the page itself. */
  readonly foreign: string[];
}

/** A run of few rows, for what is not about rows. */
export const SHORT =
  "#opt=gd&opt.lr=0.6&data=moons&data.n=12&arch=mlp&arch.width=4&steps=30&runs=discrete,central,stable";

/** Builds the lab; undefined where there is no browser. */
export async function openLab(): Promise<OpenLab | undefined> {
  const browser = await launchChromium();
  if (!browser) return undefined;
  const folder = mkdtempSync(join(tmpdir(), "lab-"));
  runCommand(process.execPath, [join(ROOT, "tools", "lab.mjs"), folder], ROOT);
  const address = pathToFileURL(join(folder, "lab.html")).href;
  return {
    folder,
    browser,
    open: (hash = "", options = {}) => openPage(browser, address + hash, options),
    async close() {
      await browser.close();
      rmSync(folder, { recursive: true });
    },
  };
}

/** Opens an address in a fresh context. */
export async function openPage(
  browser: Browser,
  address: string,
  options: BrowserContextOptions = {},
): Promise<LabPage> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  const complaints: string[] = [];
  const foreign: string[] = [];
  page.on(
    "console",
    (message) => ["error", "warning"].includes(message.type()) && complaints.push(message.text()),
  );
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("request", (request) => {
    const url = request.url();
    if (!/^(file|data|blob):/.test(url) && new URL(url).origin !== new URL(address).origin) foreign.push(url);
  });
  await page.goto(address);
  return { page, complaints, foreign };
}

/** Polls what the page shows: it is drawn once a frame, after what was done to it. */
export const shown = <T>(read: () => Promise<T>) => expect.poll(read, { timeout: 20_000 });

/** Waits until the run is over. */
export const over = (page: Page): Promise<void> =>
  page.locator('html[data-phase="over"]').waitFor({ state: "attached", timeout: 60_000 });
