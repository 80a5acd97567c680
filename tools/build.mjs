// Builds the package: node tools/build.mjs [OUT], by default into dist/.
// tsc emits JavaScript, declarations and source maps; the report's page is copied as it is.
import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, extname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const OUT = resolve(ROOT, process.argv[2] ?? "dist");
/** What the sources read at run time, next to the module that reads it. */
const ASSETS = { "report/browser": [".js", ".css"] };

const compiler = join(
  dirname(createRequire(import.meta.url).resolve("typescript/package.json")),
  "bin",
  "tsc",
);
const project = join(ROOT, "tsconfig.build.json");

rmSync(OUT, { recursive: true, force: true });
const { status } = spawnSync(process.execPath, [compiler, "-p", project, "--outDir", OUT], {
  stdio: "inherit",
});
if (status !== 0) process.exit(status ?? 1);
for (const [folder, extensions] of Object.entries(ASSETS))
  for (const file of readdirSync(join(ROOT, "src", folder), { recursive: true }))
    if (extensions.includes(extname(file))) cpSync(join(ROOT, "src", folder, file), join(OUT, folder, file));
for (const file of readdirSync(OUT, { recursive: true }))
  if (file.endsWith(".d.ts")) nameJavaScript(join(OUT, file));
chmodSync(join(OUT, "cli", "main.js"), 0o755);

/** tsc rewrites the imports of what runs, not those of declarations; most tools expect the same names in both. */
function nameJavaScript(path) {
  const text = readFileSync(path, "utf8");
  writeFileSync(path, text.replace(/((?:from|import\() ?"\.{1,2}\/[^"]*)\.ts"/g, '$1.js"'));
}
