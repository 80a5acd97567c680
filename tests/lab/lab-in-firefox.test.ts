import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Session } from "../../src/lab/engine/session.ts";
import { argvOf, readLink } from "../../src/lab/index.ts";
import { serveForAnswer } from "../support/answering-server.ts";
import { ROOT, run } from "../support/build.ts";
import { openInFirefox } from "../support/firefox.ts";
import { SHORT } from "./lab-page.ts";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
};

/** Tells the digest when the run is over and its charts are drawn, or what went wrong. */
const PROBE = `(() => {
  const root = document.documentElement;
  const tell = (words) => fetch("told", { method: "POST", body: words });
  addEventListener("error", ({ message }) => tell("error: " + message));
  new MutationObserver(() => {
    if (root.dataset.phase === "failed") tell(document.getElementById("notes").textContent);
    if (root.dataset.phase === "over" && root.dataset.digest)
      requestAnimationFrame(() => tell([root.dataset.digest, document.querySelectorAll("#charts canvas").length, document.getElementById("pace-words").textContent].join(" ")));
  }).observe(root, { attributes: true });
})()`;

test.each(["'self' 'wasm-unsafe-eval'", "'self'"])(
  "Firefox under the policy script-src %s computes a link of the lab to Node's bits, and draws it",
  async (scripts) => {
    const folder = mkdtempSync(join(tmpdir(), "lab-firefox-"));
    run(process.execPath, [join(ROOT, "tools", "lab.mjs"), folder], ROOT);
    const policy = `default-src 'none'; script-src ${scripts}; worker-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'`;
    const { server, address, answer } = await serveForAnswer(policy, TYPES, (path) => {
      if (path === "/probe.js") return PROBE;
      if (!/^\/(index\.html|page\.js|page\.css|worker\.js)$/.test(path)) return undefined;
      const text = readFileSync(join(folder, "site", path), "utf8");
      return text.replace('<script src="page.js">', '<script src="probe.js"></script><script src="page.js">');
    });
    const firefox = openInFirefox(address + SHORT);
    try {
      if (!firefox) return;
      const session = new Session(argvOf(readLink(SHORT)?.runs[0] ?? new Map()));
      while (session.open) session.step();
      expect(await answer).toBe(`${session.trail.bits.digest} 2 30/30 · at the edge`);
    } finally {
      await firefox?.close();
      server.close();
      rmSync(folder, { recursive: true });
    }
  },
);
