import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, extname, join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ROOT, run } from "../support/build.ts";
import { launchChromium } from "../support/chromium.ts";

/** What a careful page allows: scripts and workers of its own, and WebAssembly. */
const POLICY =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; style-src 'self'";
const TYPES: Record<string, string> = { ".html": "text/html; charset=utf-8", ".js": "text/javascript" };
const HTML = (script: string) =>
  `<!doctype html><html lang="en"><head><title>A stranger's page</title><script type="module" src="${script}"></script></head><body></body></html>\n`;

const guide = readFileSync(join(ROOT, "docs", "library.md"), "utf8");
/** A file of the recipe with a worker in docs/library.md. */
const recipe = (name: string): string =>
  new RegExp(`\`\`\`ts\\n(// ${name}\\n[\\s\\S]*?)\`\`\``).exec(guide)?.[1] ?? "";

let folder: string;
let app: string;
let browser: Browser | undefined;
let expected: string[];

/** The tarball as publishing makes it, installed without optional packages; the recipe's two files beside. */
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "strangers-"));
  run("npm", ["pack", "--pack-destination", folder], ROOT);
  const tarball = join(folder, readdirSync(folder)[0]);
  app = join(folder, "app");
  mkdirSync(app);
  writeFileSync(join(app, "package.json"), '{ "private": true, "type": "module" }');
  const flags = ["--omit=optional", "--offline", "--ignore-scripts", "--no-audit", "--no-fund"];
  run("npm", ["install", ...flags, tarball], app);
  for (const name of ["worker.ts", "page.ts"]) writeFileSync(join(app, name), recipe(name));
  expected = await rowsInNode();
  browser = await launchChromium();
});
afterAll(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true });
});

/** What the page logs, computed by the package in Node without a worker. */
async function rowsInNode(): Promise<string[]> {
  const program = recipe("worker.ts")
    .replace(/import \{ serve \}.*/, "")
    .replace("export const work = serve(", "const work = ((start) => start)(")
    .replace(/: number/, "");
  writeFileSync(
    join(app, "here.js"),
    `${program}\nexport const rows = [...work(0.1)].map(({ step, central }) => \`\${step} \${central.loss}\`);\n`,
  );
  const { rows } = (await import(pathToFileURL(join(app, "here.js")).href)) as { rows: string[] };
  return rows;
}

/** What a built page logs until its last row, under the policy, and what went wrong. */
async function logged(site: string): Promise<{ readonly rows: string[]; readonly failures: string[] }> {
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? "/", "http://localhost").pathname;
    const file = join(site, path === "/" ? "index.html" : path);
    const known = existsSync(file);
    response.writeHead(known ? 200 : 404, {
      "content-type": TYPES[extname(file)] ?? "text/plain",
      "content-security-policy": POLICY,
    });
    response.end(known ? readFileSync(file) : undefined);
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const rows: string[] = [];
  const failures: string[] = [];
  try {
    const page = await (browser as Browser).newPage();
    const whole = new Promise<void>((resolve) => {
      page.on("pageerror", (error) => {
        failures.push(error.message);
        resolve();
      });
      page.on("console", (message) => {
        if (message.type() !== "log") return;
        rows.push(message.text());
        if (rows.length === expected.length) resolve();
      });
    });
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    await whole;
  } finally {
    server.close();
  }
  return { rows, failures };
}

test("Vite builds the recipe with a worker, and the page logs what Node computes", async (ctx) => {
  const { build } = await import("vite");
  writeFileSync(join(app, "index.html"), HTML("/page.ts"));
  const outDir = join(folder, "vite");
  await build({ root: app, logLevel: "error", configFile: false, build: { outDir } });
  if (!browser) return ctx.skip();
  const { rows, failures } = await logged(outDir);
  expect(failures).toEqual([]);
  expect(rows).toEqual(expected);
});

test("esbuild does, with the worker as an entry of its own", async (ctx) => {
  const { build } = await import("esbuild");
  const page = recipe("page.ts").replace('"./worker.ts", import', '"./worker.js", import');
  writeFileSync(join(app, "main.ts"), page);
  const outdir = join(folder, "esbuild");
  const entryPoints = [join(app, "main.ts"), join(app, "worker.ts")];
  await build({ entryPoints, bundle: true, minify: true, format: "esm", outdir, logLevel: "error" });
  writeFileSync(join(outdir, "index.html"), HTML("/main.js"));
  if (!browser) return ctx.skip();
  const { rows, failures } = await logged(outdir);
  expect(failures).toEqual([]);
  expect(rows).toEqual(expected);
});

test("a page of somebody else's embeds the core from central-flows/min, without a bundler", async (ctx) => {
  const site = join(folder, "min");
  mkdirSync(site);
  cpSync(join(app, "node_modules", "central-flows", "dist", "min.js"), join(site, "min.js"));
  const program = readFileSync(join(app, "here.js"), "utf8").replace('"central-flows"', '"./min.js"');
  writeFileSync(join(site, "main.js"), `${program}\nfor (const row of rows) console.log(row);\n`);
  writeFileSync(join(site, "index.html"), HTML("/main.js"));
  if (!browser) return ctx.skip();
  const { rows, failures } = await logged(site);
  expect(failures).toEqual([]);
  expect(rows).toEqual(expected);
});

/** What the type checker says of a program in the stranger's project. */
function complaints(name: string, program: string): string {
  writeFileSync(join(app, name), program);
  const compilerOptions = {
    ...{ module: "ESNext", moduleResolution: "Bundler", target: "ES2022", lib: ["ES2023", "DOM"], types: [] },
    ...{ strict: true, noEmit: true, allowImportingTsExtensions: true },
  };
  writeFileSync(join(app, "tsconfig.json"), JSON.stringify({ compilerOptions, files: [name] }));
  const compiler = dirname(createRequire(import.meta.url).resolve("typescript/package.json"));
  try {
    return run(process.execPath, [join(compiler, "bin", "tsc"), "-p", app], app);
  } catch (error) {
    return (error as Error).message;
  }
}

test("the recipe passes the type checker, which knows the worker's rows", () => {
  expect(complaints("typed.ts", recipe("page.ts"))).toBe("");
  expect(complaints("wrong-row.ts", recipe("page.ts").replace("central.loss", "central.lost"))).toMatch(
    /Property 'lost' does not exist on type 'ProcessRow'/,
  );
  expect(complaints("wrong-input.ts", recipe("page.ts").replace("0.1,", '"0.1",'))).toMatch(/'string'/);
});

const FLOW = `
import { centralFlow, gradientDescent, multiply, square, sum } from "central-flows/min";
const flow = centralFlow({
  parameters: { w: [3] },
  loss: ({ w }) => multiply(sum(square(w)), 0.5),
  weights: { w: [1, 2, 3] },
  optimizer: gradientDescent({ lr: 0.1 }),
});
for (const { step, discrete, central } of flow.steps({ count: 3 })) console.log(step, discrete.loss, central.loss);
`;

test("a program in JavaScript's shortest form passes the type checker", () => {
  expect(complaints("flow.ts", FLOW)).toBe("");
});

test.each([
  ["an option", "optimizer:", "optimiser:", /'optimiser' does not exist/],
  ["an option of the rule", "lr: 0.1", "lrs: 0.1", /'lrs' does not exist/],
  ["an option of the steps", "count: 3", "counts: 3", /'counts' does not exist/],
  ["a parameter's weights", "weights: { w:", "weights: { v:", /'[vw]'/],
  ["a parameter", "({ w })", "({ v })", /'v' does not exist/],
  ["a process", "optimizer:", 'processes: ["centre"], optimizer:', /"centre"/],
  ["a process of the row", "discrete, central", "discrete, centre", /'centre' does not exist/],
])("types catch %s misspelt", (_, right, wrong, message) => {
  expect(complaints("misspelt.ts", FLOW.replace(right, wrong))).toMatch(message);
});
