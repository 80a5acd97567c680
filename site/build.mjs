// Builds the documentation into site/dist, which any static host may serve: node site/build.mjs [--base /FOLDER/], by default at
// the root of a host. Pages are the Markdown of the repository, the reference is made of the docstrings, figures are the lab in
// frames. Fails where a link leads nowhere.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";

const SITE = fileURLToPath(new URL(".", import.meta.url));
const ROOT = dirname(dirname(join(SITE, "x")));
const PAGES = join(SITE, "pages");
const OUT = join(SITE, "dist");

/** What a server of the site should send as `content-security-policy`. Only attributes may hold styles: those of colours in code. */
export const SITE_POLICY =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'";

/** The documents that become pages, besides those in docs/. */
const DOCUMENTS = ["README.md", "ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md"];

/** Where a document stands on the site. */
const pageOf = (path) => (path === "README.md" ? "index.md" : path);

async function main() {
  const base = process.argv.includes("--base") ? process.argv[process.argv.indexOf("--base") + 1] : "/";
  if (!/^\/([\w.-]+\/)*$/.test(base ?? "")) {
    process.stderr.write(`site: expected --base /FOLDER/, got ${process.argv.slice(2).join(" ")}\n`);
    process.exit(2);
  }
  for (const folder of [ROOT, SITE])
    if (!existsSync(join(folder, "node_modules")))
      run("npm", ["ci", "--ignore-scripts", "--no-audit"], folder);
  rmSync(PAGES, { recursive: true, force: true });
  rmSync(OUT, { recursive: true, force: true });
  copyDocuments();
  run(
    process.execPath,
    [join(SITE, "node_modules", "typedoc", "bin", "typedoc"), "--options", "typedoc.json"],
    SITE,
  );
  await buildLab();
  process.env.SITE_BASE = base;
  const vitepress = join(SITE, "node_modules", "vitepress", "bin", "vitepress.js");
  run(process.execPath, [vitepress, "build", "."], SITE);
  takeOutScripts(base);
  writeFileSync(join(OUT, "policy.txt"), `content-security-policy: ${SITE_POLICY}\n`);
  const dead = deadLinks(base);
  if (dead.length > 0) throw new Error(`site: expected links that lead somewhere, got\n${dead.join("\n")}`);
  process.stdout.write(`site/dist: ${pagesOf(OUT).length} pages, no dead link\n`);
}

function run(command, words, cwd) {
  const { status } = spawnSync(command, words, { cwd, stdio: ["ignore", "inherit", "inherit"] });
  if (status !== 0) throw new Error(`${command} ${words.join(" ")} ended with status ${status}`);
}

/** Puts the documents and what they link to where VitePress finds them. */
function copyDocuments() {
  const docs = readdirSync(join(ROOT, "docs"), { recursive: true })
    .map((file) => posix.join("docs", file.replaceAll("\\", "/")))
    .filter((path) => statSync(join(ROOT, path)).isFile());
  for (const path of [...DOCUMENTS, ...docs.filter((path) => path.endsWith(".md"))]) {
    const target = join(PAGES, pageOf(path));
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, linked(path, readFileSync(join(ROOT, path), "utf8")));
  }
  for (const path of docs.filter((path) => !path.endsWith(".md")))
    cpSync(join(ROOT, path), join(PAGES, path));
}

/** A document's text with links to pages of the site; a file that is none is served as text. */
function linked(path, text) {
  const blocks = fenced(text).split(/(^```[\s\S]*?^```$|`[^`\n]*`)/m);
  return blocks.map((block, i) => (i % 2 === 1 ? block : withLinks(path, block))).join("");
}

/** Indented code between fences, as which it is not read as HTML and scrolls by itself, in reach of keys. */
const fenced = (text) =>
  text
    .split(/(^```[\s\S]*?^```$)/m)
    .map((part, i) =>
      i % 2 === 1
        ? part
        : part.replace(
            /(?<=\n\n)(?: {4}.*\n)(?:(?:\n)*(?: {4}.*\n))*/g,
            (code) => `\`\`\`text\n${code.replace(/^ {4}/gm, "")}\`\`\`\n`,
          ),
    )
    .join("");

function withLinks(path, text) {
  // Vue would read braces and tags that are meant as they stand.
  const plain = text.replaceAll("{{", "{&#8203;{").replace(/<(?=[a-zA-Z])(?!https?:|\/?LabFigure)/g, "&lt;");
  return plain.replace(/\]\(([^)\s:#]+)(#[^)\s]*)?\)/g, (whole, target, anchor = "") => {
    const file = posix.normalize(posix.join(posix.dirname(path), target));
    if (!existsSync(join(ROOT, file)) || file.startsWith("..")) return whole;
    if (DOCUMENTS.includes(file) || (file.startsWith("docs/") && file.endsWith(".md")))
      return `](/${pageOf(file)}${anchor})`;
    if (file.startsWith("docs/")) return `](/${file})`;
    const copy = join(PAGES, "public", "files", `${file}.txt`);
    mkdirSync(dirname(copy), { recursive: true });
    cpSync(join(ROOT, file), copy);
    return `](/files/${file}.txt)`;
  });
}

/** The lab's own files beside the pages, for the figures. */
async function buildLab() {
  const tool = join(ROOT, "tools", "lab.mjs");
  const folder = join(PAGES, "lab-build");
  const { buildLab: build } = await import(tool);
  await build(folder, { site: true });
  cpSync(join(folder, "site"), join(PAGES, "public", "lab"), { recursive: true });
  cpSync(join(folder, "lab.html"), join(PAGES, "public", "lab.html"));
  rmSync(folder, { recursive: true });
}

const pagesOf = (folder) =>
  readdirSync(folder, { recursive: true })
    .filter((file) => file.endsWith(".html"))
    .map((file) => file.replaceAll("\\", "/"));

/** The lab's two pages hold to policies of their own. */
const isOurs = (file) => !file.startsWith("lab");

/** VitePress writes scripts into its pages, which `script-src 'self'` forbids: each becomes a file. */
function takeOutScripts(base) {
  for (const page of pagesOf(OUT).filter(isOurs)) {
    const path = join(OUT, page);
    const text = readFileSync(path, "utf8");
    const out = text.replace(
      /<script(?![^>]*\ssrc=)([^>]*)>([\s\S]*?)<\/script>/g,
      (whole, attributes, body) => {
        if (/type="(?!module|text\/javascript)/.test(attributes)) return whole;
        const name = `assets/inline-${createHash("sha256").update(body).digest("hex").slice(0, 12)}.js`;
        writeFileSync(join(OUT, name), body);
        return `<script${attributes.replace(/\sid="[^"]*"/, "")} src="${base}${name}"></script>`;
      },
    );
    if (/\son\w+="/.test(out.replace(/<code[\s\S]*?<\/code>/g, "")))
      throw new Error(`site: ${page} has a handler in an attribute`);
    writeFileSync(path, out);
  }
}

/** Links of the pages, to pages, files and places in them, that lead nowhere. */
function deadLinks(base) {
  const ids = new Map();
  const idsOf = (page) => {
    const known = ids.get(page);
    if (known) return known;
    const found = new Set(
      [...readFileSync(join(OUT, page), "utf8").matchAll(/\s(?:id|name)="([^"]+)"/g)].map(([, id]) => id),
    );
    ids.set(page, found);
    return found;
  };
  const dead = [];
  for (const page of pagesOf(OUT).filter(isOurs))
    for (const [, link] of readFileSync(join(OUT, page), "utf8").matchAll(/\s(?:href|src)="([^"]*)"/g)) {
      const plain = link.replaceAll("&amp;", "&");
      if (/^(?:[a-z]+:|\/\/)/.test(plain) || plain === "") continue;
      const [, path, anchor] = /^([^#?]*)(?:\?[^#]*)?(?:#(.*))?$/.exec(plain);
      const target =
        path === ""
          ? page
          : path.startsWith(base)
            ? path.slice(base.length)
            : posix.join(posix.dirname(page), path);
      const file = [target, `${target}.html`, posix.join(target, "index.html")].find(
        (one) => one !== "" && !one.endsWith("/") && existsSync(join(OUT, one)) && /\.\w+$/.test(one),
      );
      if (!file) dead.push(`${page}: ${plain}`);
      else if (
        anchor &&
        file.endsWith(".html") &&
        isOurs(file) &&
        !idsOf(file).has(decodeURIComponent(anchor))
      )
        dead.push(`${page}: ${plain}, where nothing is called so`);
    }
  return [...new Set(dead)];
}

await main();
