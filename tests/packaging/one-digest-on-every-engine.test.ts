import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type AnsweringServer, serveForAnswer } from "../support/answering-server.ts";
import { buildInto, run } from "../support/build.ts";
import { launchChromium } from "../support/chromium.ts";
import { openInFirefox } from "../support/firefox.ts";

const HERE = fileURLToPath(new URL("engines", import.meta.url));
const PATIENCE = 240_000;

/** Engines from the registry, by the package.json beside this file; those that are not installed are skipped, and say so. */
const ENGINES: Readonly<Record<string, readonly string[]>> = {
  "Node 22": [join(HERE, "node_modules/node-22/bin/node")],
  "Node 24": [join(HERE, "node_modules/node-24/bin/node")],
  Bun: [join(HERE, "node_modules/bun/bin/bun.exe")],
  Deno: [join(HERE, "node_modules/@deno/linux-x64-glibc/deno"), "run", "-A"],
};
const TYPES: Record<string, string> = { ".html": "text/html; charset=utf-8", ".js": "text/javascript" };
const POLICIES = {
  WebAssembly: "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'",
  "no WebAssembly": "default-src 'self'; script-src 'self'",
};

let folder: string;
let expected: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "engines-"));
  buildInto(folder);
  cpSync(HERE, join(folder, "engines"), {
    recursive: true,
    filter: (path) => !path.includes("node_modules"),
  });
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  expected = run(process.execPath, [join(folder, "engines/print.js"), "auto"], folder).trim();
}, PATIENCE);
afterAll(() => rmSync(folder, { recursive: true }));

test(
  "the digests are of runs that differ, on this engine with and without WebAssembly alike",
  () => {
    const lines = expected.split("\n");
    expect(lines.length).toBeGreaterThan(15);
    expect(new Set(lines.map((line) => line.split(" ")[0])).size).toBe(lines.length);
    expect(run(process.execPath, [join(folder, "engines/print.js"), "js"], folder).trim()).toBe(expected);
  },
  PATIENCE,
);

const pairs = Object.keys(ENGINES).flatMap((name) => ["auto", "js"].map((backend) => ({ name, backend })));

test.for(pairs)(
  "$name has the same digests, backend $backend",
  { timeout: PATIENCE },
  ({ name, backend }, ctx) => {
    const [command, ...words] = ENGINES[name];
    if (!starts(command)) {
      console.warn(`skipped: no ${name}; npm ci --prefix tests/packaging/engines installs it`);
      return ctx.skip();
    }
    const script = [...words, join(folder, "engines/print.js"), backend];
    const { stdout, stderr, status } = spawnSync(command, script, { encoding: "utf8" });
    expect(status, stderr).toBe(0);
    expect(stdout.trim()).toBe(expected);
  },
);

/** Words for this engine, with relaxed SIMD where Node has it behind a flag. */
const FUSING =
  Number(process.versions.node.split(".")[0]) < 22
    ? [process.execPath, "--experimental-wasm-relaxed-simd"]
    : [process.execPath];

test(
  "engines that fuse multiplications and additions have one digest of wasm-fma, the others refuse in a sentence",
  () => {
    const found = new Map<string, string>();
    for (const [name, [command, ...words]] of Object.entries({ "this one": FUSING, ...ENGINES })) {
      if (!starts(command)) continue;
      const script = [...words, join(folder, "engines/print.js"), "wasm-fma"];
      const { stdout, stderr, status } = spawnSync(command, script, { encoding: "utf8" });
      if (status === 0) found.set(name, stdout.trim());
      else expect(stderr, name).toMatch(/expected a host with a fused multiply-and-add for wasm-fma/);
    }
    expect([...found.keys()], "this processor").toContain("this one");
    for (const [name, digests] of found) expect(digests, name).toBe(found.get("this one"));
    expect(found.get("this one")).not.toBe(expected);
  },
  PATIENCE,
);

describe.each(Object.entries(POLICIES))("browsers, %s", (_, policy) => {
  test(
    "Chromium has the same digests",
    async (ctx) => {
      const browser = await launchChromium();
      if (!browser) return ctx.skip();
      const served = await serve(policy);
      try {
        const page = await browser.newPage();
        await page.goto(served.address);
        expect(await served.answer).toBe(expected);
      } finally {
        await browser.close();
        served.server.close();
      }
    },
    PATIENCE,
  );

  test(
    "Firefox has the same digests",
    async (ctx) => {
      const served = await serve(policy);
      const firefox = openInFirefox(served.address);
      if (!firefox) return ctx.skip();
      try {
        expect(await served.answer).toBe(expected);
      } finally {
        await firefox.close();
        served.server.close();
      }
    },
    PATIENCE,
  );
});

/** Serves the built package under a policy; `answer` is what the page posts. */
async function serve(policy: string): Promise<AnsweringServer> {
  const served = await serveForAnswer(policy, TYPES, (path) => {
    const file = join(folder, path);
    return existsSync(file) ? readFileSync(file) : undefined;
  });
  return { ...served, address: `${served.address}engines/index.html` };
}

const starts = (command: string): boolean =>
  existsSync(command) && spawnSync(command, ["--version"], { stdio: "ignore" }).status === 0;
