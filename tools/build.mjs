// Builds the package: node tools/build.mjs [OUT], by default into dist/.
// tsc emits JavaScript, declarations and maps of both into src/; the report's page is copied as it is. What the package
// needs of other people's is put beside: fflate as one module, uPlot's files, each with its licence. Last the core in one
// file, min.js.
import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, extname, join, relative, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { bundle, noticeOf, withoutLeftOut } from "./bundle.mjs";
import { buildLab } from "./lab.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const OUT = resolve(ROOT, process.argv[2] ?? "dist");
/** What the sources read at run time, next to the module that reads it. */
const ASSETS = { "report/browser": [".js", ".css"] };
/** What the report inlines of uPlot: read as it is, with its licence. */
const PLOTS = ["dist/uPlot.min.css", "dist/uPlot.iife.min.js", "LICENSE"];

const require = createRequire(import.meta.url);

rmSync(OUT, { recursive: true, force: true });
compile();
copyAssets();
await bringFflate();
for (const file of PLOTS)
  cpSync(join(folderOf("uplot"), file), join(OUT, "vendor", "uplot", file.replace("dist/", "")));
await writeCore();
await buildLab(join(OUT, "lab"));
chmodSync(join(OUT, "cli", "main.js"), 0o755);

function compile() {
  const compiler = join(folderOf("typescript"), "bin", "tsc");
  const words = [compiler, "-p", join(ROOT, "tsconfig.build.json"), "--outDir", OUT];
  const { status } = spawnSync(process.execPath, words, { stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
  for (const file of built(".d.ts")) nameJavaScript(file);
}

/** tsc rewrites the imports of what runs, not those of declarations; most tools expect the same names in both. */
function nameJavaScript(file) {
  const text = readFileSync(file, "utf8");
  writeFileSync(file, text.replace(/((?:from|import\() ?"\.{1,2}\/[^"]*)\.ts"/g, '$1.js"'));
}

function copyAssets() {
  for (const [folder, extensions] of Object.entries(ASSETS))
    for (const file of readdirSync(join(ROOT, "src", folder), { recursive: true }))
      if (extensions.includes(extname(file)))
        cpSync(join(ROOT, "src", folder, file), join(OUT, folder, file));
}

/** Puts what the sources import of fflate into one module and lets them import it from there. */
async function bringFflate() {
  const target = join(OUT, "vendor", "fflate.js");
  const names = new Set();
  for (const file of built(".js")) {
    const text = readFileSync(file, "utf8");
    const own = text.replace(/import \{([^}]*)\} from "fflate"/g, (_, list) => {
      for (const name of list.split(",")) names.add(name.trim());
      const path = relative(dirname(file), target).replaceAll("\\", "/");
      return `import {${list}} from "${path.startsWith(".") ? path : `./${path}`}"`;
    });
    if (own !== text) writeFileSync(file, own);
  }
  const folder = folderOf("fflate");
  const entry = join(OUT, "fflate-entry.mjs");
  // Its module for browsers, the same but for threads, which are not used: it imports nothing of Node.
  const source = pathToFileURL(join(folder, "esm", "browser.js")).href;
  writeFileSync(
    entry,
    `export { ${[...names].join(", ")} } from ${JSON.stringify(fileURLToPath(source))};\n`,
  );
  const { code } = await bundle(entry, { banner: noticeOf(folder) });
  rmSync(entry);
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, code);
}

/** What `central-flows` exports, but for what a page does without, in one file; and its types. */
async function writeCore() {
  const { name, version, license } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  const file = join(OUT, "min.js");
  const { code, map } = await bundle(join(ROOT, "src", "index.ts"), {
    banner: `/*! ${name} ${version}, ${license} */`,
    sourcemap: true,
    file,
    without: withoutLeftOut,
  });
  writeFileSync(file, `${code.trimEnd()}\n//# sourceMappingURL=min.js.map\n`);
  writeFileSync(`${file}.map`, map);
  const types = readFileSync(join(OUT, "index.d.ts"), "utf8").replace(
    /^export \* from "\.\/(\w+)\/index\.js";$/gm,
    (whole, layer) => {
      const path = join(OUT, layer, "index.d.ts");
      const kept = withoutLeftOut(path, readFileSync(path, "utf8"));
      return (
        kept
          ?.replace(/^\/\/#.*$/gm, "")
          .replaceAll('from "./', `from "./${layer}/`)
          .trim() ?? whole
      );
    },
  );
  writeFileSync(join(OUT, "min.d.ts"), types.replace(/^\/\/# sourceMappingURL=.*\n?/m, ""));
}

/** The folder in which a package is installed. */
function folderOf(name) {
  return dirname(require.resolve(`${name}/package.json`));
}

/** Files of the build with this ending. */
function built(ending) {
  return readdirSync(OUT, { recursive: true })
    .filter((file) => file.endsWith(ending))
    .map((file) => join(OUT, file));
}
