// Builds the lab: node tools/lab.mjs [OUT], by default into dist/lab/. One script is the page and its worker. Written are
// lab.html, which has all in one file and works from disk, and site/, three files that any host may serve under the
// policy that SITE_POLICY is.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { bundle, refusing, withoutRivals, withoutShortcuts } from "./bundle.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const plots = dirname(createRequire(import.meta.url).resolve("uplot/package.json"));

/** What a server of the site should send as `content-security-policy`. */
export const SITE_POLICY =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; style-src 'self'; img-src 'self' data: blob:; base-uri 'none'; form-action 'none'";

const STYLES = ["theme", "charts", "page", "print"].map((name) => `src/report/browser/styles/${name}.css`);

/** What a page without files has no use for, below src. Its functions are refusals in the lab, and of threads there is one. */
const OF_FILES = [
  "data/formats/idx.ts",
  "data/formats/npy-header.ts",
  "data/formats/npy.ts",
  "data/formats/npz.ts",
  "data/formats/safetensors.ts",
  "data/formats/zip-write.ts",
  "data/formats/zip.ts",
  "flows/rules/checks/check.ts",
  "simulation/own-network.ts",
  "simulation/own-quantity.ts",
];
/** Puts refusals in the place of what is absent. */
const refusals = {
  name: "refuse-files",
  transform: {
    filter: { id: /\.ts$/ },
    handler(code, id) {
      const path = id.replaceAll("\\", "/").replace(/^.*\/src\//, "");
      if (path === "wasm/threads/pool.ts")
        return "export class ThreadPool {}; export const threadPool = () => undefined; export const threadsObstacle = () => undefined;";
      if (OF_FILES.includes(path)) return refusing(code, "the lab reads no files: take the command line");
      return withoutRivals("the lab", id, code);
    },
  },
};

/** Bundles a module of src into one script. */
async function bundled(entry, options = {}) {
  const { outputFiles } = await build({
    entryPoints: [join(ROOT, "src", entry)],
    bundle: true,
    minify: true,
    format: "iife",
    platform: "browser",
    target: "es2022",
    external: ["node:*"],
    legalComments: "none",
    logOverride: { "empty-import-meta": "silent" },
    write: false,
    ...options,
  });
  return outputFiles[0].text.trim();
}

/** The lab's script, its style, and the notices of what is not its own. */
export async function labParts() {
  const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  const library = readFileSync(join(plots, "dist", "uPlot.iife.min.js"), "utf8").replace(
    /^\/\*.*?\*\/\s*/s,
    "",
  );
  const kit = await bundled("report/browser/kit.js", { globalName: "kit" });
  const { code: own } = await bundle(join(ROOT, "src", "lab", "browser", "main.ts"), {
    format: "iife",
    plugins: [refusals],
    without: withoutShortcuts,
  });
  const styles = [...STYLES, "src/lab/browser/lab.css"].map((file) => readFileSync(join(ROOT, file), "utf8"));
  const { outputFiles } = await build({
    stdin: {
      contents: [readFileSync(join(plots, "dist", "uPlot.min.css"), "utf8"), ...styles].join("\n"),
      loader: "css",
    },
    minify: true,
    write: false,
  });
  return {
    script:
      `var LAB_VERSION=${JSON.stringify(version)};function reportKit(){${library};globalThis.uPlot=uPlot;${kit};return kit}\n${own}`.replaceAll(
        "</script",
        "<\\/script",
      ),
    style: outputFiles[0].text.trim(),
    notice: `Plots drawn by uPlot.\n\n${readFileSync(join(plots, "LICENSE"), "utf8")}`,
  };
}

const hashOf = (text) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

const page = (head, tail) => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="description" content="An interactive central flow: change the learning rate, watch the sharpness climb to the edge of stability and the flow follow.">
${head}
<link rel="icon" href="data:,">
<title>central-flows lab</title>
</head>
<body>
<noscript><p>The lab computes in this page and needs JavaScript, which is switched off here. The same runs are to be had on a command line: <code>npx central-flows run</code>.</p></noscript>
${tail}
</body>
</html>
`;

/** Writes lab.html, and with `site` the three files of a site, into a folder. */
export async function buildLab(out, { site = false } = {}) {
  const { script, style, notice } = await labParts();
  const policy = [
    "default-src 'none'",
    `script-src ${hashOf(script)} 'wasm-unsafe-eval'`,
    "worker-src blob:",
    `style-src ${hashOf(style)}`,
    "img-src data: blob:",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  mkdirSync(out, { recursive: true });
  const head = `<meta http-equiv="Content-Security-Policy" content="${policy}">\n<style>${style}</style>`;
  writeFileSync(join(out, "lab.html"), page(head, `<script>${script}</script>\n<!--\n${notice}\n-->`));
  if (!site) return;
  const folder = join(out, "site");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "page.css"), style);
  writeFileSync(join(folder, "page.js"), `/*\n${notice}\n*/\n${script}\n`);
  writeFileSync(join(folder, "worker.js"), 'importScripts("page.js");\n');
  writeFileSync(
    join(folder, "index.html"),
    page('<link rel="stylesheet" href="page.css">', '<script src="page.js"></script>'),
  );
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url))
  await buildLab(resolve(process.argv[2] ?? join(ROOT, "dist", "lab")), { site: true });
