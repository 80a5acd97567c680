import { existsSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { violationsOf } from "../support/accessibility.ts";
import { ROOT } from "../support/build.ts";
import { launchChromium } from "../support/chromium.ts";

/** What `npm run site` has built. */
const SITE = join(ROOT, "site", "dist");
const TYPES: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".json": "application/json",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
};
const PAGES = ["/", "/docs/library.html", "/docs/derivations.html", "/api/models.html", "/ARCHITECTURE.html"];

let server: Server;
let origin: string;
let browser: Browser | undefined;

beforeAll(async () => {
  const policy = readFileSync(join(SITE, "policy.txt"), "utf8")
    .replace(/^[^:]*: /, "")
    .trim();
  server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    const file = join(SITE, pathname.endsWith("/") ? `${pathname}index.html` : pathname);
    const known = existsSync(file) && TYPES[extname(file)] !== undefined;
    response.writeHead(known ? 200 : 404, {
      "content-type": TYPES[extname(file)] ?? "text/plain",
      "content-security-policy": policy,
    });
    response.end(known ? readFileSync(file) : undefined);
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  browser = await launchChromium();
});
afterAll(async () => {
  await browser?.close();
  server.close();
});

/** A page of the site, ready, and what it complained of. */
async function opened(path: string, colorScheme: "light" | "dark" = "light") {
  const page = await (browser as Browser).newPage({ colorScheme });
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  await page.goto(origin + path, { waitUntil: "networkidle" });
  // The page's own scripts have run once the switch of its colours says what it does.
  await page.locator(".VPSwitchAppearance[title]").first().waitFor({ state: "attached" });
  return { page, complaints };
}

describe.each(PAGES)("%s", (path) => {
  test.each(["light", "dark"] as const)("keeps nobody out and holds to the policy, %s", async (scheme) => {
    if (!browser) return;
    const { page, complaints } = await opened(path, scheme);
    expect(await violationsOf(page)).toEqual([]);
    expect(complaints).toEqual([]);
    await page.close();
  });
});

test("the search finds what a page is about", async (ctx) => {
  if (!browser) return ctx.skip();
  const { page, complaints } = await opened("/");
  await page.locator(".VPNavBarSearch button").first().click();
  await page.locator("#localsearch-input").fill("complementarity");
  await page.locator("#localsearch-list li a").first().waitFor();
  expect(await page.locator("#localsearch-list li a").count()).toBeGreaterThan(2);
  expect(complaints).toEqual([]);
  await page.close();
});

test("a live figure computes in its frame", async (ctx) => {
  if (!browser) return ctx.skip();
  const { page, complaints } = await opened("/docs/guide.html");
  const frame = page.frameLocator("figure.lab-figure iframe").first();
  await page.locator("figure.lab-figure iframe").first().scrollIntoViewIfNeeded();
  await frame.locator("canvas:visible").first().waitFor({ timeout: 60_000 });
  expect(complaints).toEqual([]);
  await page.close();
});
