import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildInto } from "../support/build.ts";
import { launchChromium } from "../support/chromium.ts";

/** Neither eval nor WebAssembly: what is left is what the core promises to need. */
const POLICY = "default-src 'none'; script-src 'self'";
const CORE = ["base", "wasm", "autodiff", "linalg", "flows", "models"];
const TYPES: Record<string, string> = { ".html": "text/html; charset=utf-8", ".js": "text/javascript" };

/** What page/compute.js exports. */
interface Engine {
  readonly compute: () => Record<string, number[]>;
  readonly exactly: (numbers: Record<string, number[]>) => string;
}

let folder: string;
let server: Server | undefined;
let origin: string;
let browser: Browser | undefined;
let unserved: string[];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "page-"));
  buildInto(folder);
  const source = fileURLToPath(new URL("./page", import.meta.url));
  for (const page of ["page", "stranger"]) cpSync(source, join(folder, page), { recursive: true });
  embedOneFile(join(folder, "stranger"));
  unserved = [];
  const serving = createServer((request, response) => {
    const path = new URL(request.url ?? "/", "http://localhost").pathname;
    const file = join(folder, path);
    const type = TYPES[extname(path)];
    const known = ["page", "stranger", ...CORE].includes(path.split("/")[1]) && type && existsSync(file);
    if (!known) unserved.push(path);
    response.writeHead(known ? 200 : 404, { "content-type": type, "content-security-policy": POLICY });
    response.end(known ? readFileSync(file) : undefined);
  });
  server = serving;
  await new Promise<void>((listening) => serving.listen(0, "127.0.0.1", listening));
  origin = `http://127.0.0.1:${(serving.address() as AddressInfo).port}`;
  browser = await launchChromium();
});
afterAll(async () => {
  await browser?.close();
  server?.close();
  rmSync(folder, { recursive: true });
});

/** A page of somebody else's: beside its own files it has min.js and nothing else. */
function embedOneFile(page: string): void {
  cpSync(join(folder, "min.js"), join(page, "min.js"));
  const compute = join(page, "compute.js");
  writeFileSync(compute, readFileSync(compute, "utf8").replace(/"\.\.\/\w+\/index\.js"/g, '"./min.js"'));
}

test.for([
  ["the modules of the core", "page"],
  ["its one file, min.js, in a stranger's page", "stranger"],
])(
  "without eval, WebAssembly or any package, %s computes what Node computes, to the bit",
  async ([, name], ctx) => {
    const { compute, exactly }: Engine = await import(pathToFileURL(join(folder, "page", "compute.js")).href);
    const here = compute();
    for (const [name, numbers] of Object.entries(here))
      expect(numbers.length > 0 && numbers.every(Number.isFinite), name).toBe(true);
    expect(Math.min(...here.critical)).toBeGreaterThan(0);

    if (!browser) return ctx.skip();
    unserved = [];
    const page = await browser.newPage();
    const failures: string[] = [];
    page.on("pageerror", (error) => failures.push(error.message));
    await page.goto(`${origin}/${name}/index.html`);
    await page.locator("#result:not(:empty)").waitFor({ state: "attached", timeout: 60_000 });
    for (const door of ["#eval", "#wasm"]) expect(await page.locator(door).textContent()).toBe("refused");
    expect(await page.locator("#result").textContent()).toBe(exactly(here));
    expect(failures).toEqual([]);
    expect(unserved.filter((path) => path !== "/favicon.ico")).toEqual([]);
    await page.close();
  },
);
