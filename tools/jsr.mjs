// Makes what JSR takes of the built package: node tools/jsr.mjs OUT SCOPE. Modules are the JavaScript of dist/, each of which
// names its declarations, so that all types are explicit; the manifest is made of package.json. The core in one file, for
// pages without a bundler, is left to npm.
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/**
 * @param {string} out the folder to write
 * @param {string} scope of JSR, without @
 * @param {string} dist the built package
 */
export function writeJsrPackage(out, scope, dist = join(ROOT, "dist")) {
  const manifest = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  rmSync(out, { recursive: true, force: true });
  cpSync(dist, join(out, "dist"), {
    recursive: true,
    filter: (path) =>
      !path.endsWith(".map") && !["cli", "min.js"].some((name) => path.startsWith(join(dist, name))),
  });
  for (const file of ["README.md", "LICENSE"]) cpSync(join(ROOT, file), join(out, file));
  const left = ["./package.json", "./min"];
  const exports = Object.entries(manifest.exports).filter(([subpath]) => !left.includes(subpath));
  const needed = reachable(exports.map(([, target]) => join(out, target.types)));
  for (const [types, names] of needed) {
    keepOnly(types, names, needed);
    nameTypes(types);
  }
  const packages = Object.entries(manifest.optionalDependencies);
  const jsr = {
    name: `@${scope}/${manifest.name}`,
    version: manifest.version,
    license: manifest.license,
    exports: Object.fromEntries(exports.map(([subpath, { default: file }]) => [subpath, file])),
    imports: Object.fromEntries(packages.map(([name, version]) => [name, `npm:${name}@${version}`])),
    publish: { include: ["dist", "README.md", "LICENSE"], exclude: ["!dist"] },
  };
  writeFileSync(join(out, "jsr.json"), `${JSON.stringify(jsr, undefined, 2)}\n`);
}

/**
 * The files with the declarations that exports of these are made of, each with the names that are, traced name by name.
 * JSR leaves what no export needs out of a file, and then finds that others import it: so nothing else is left in any.
 */
function reachable(doors) {
  const found = new Map();
  const keep = (file, name) => found.set(file, (found.get(file) ?? new Set()).add(name));
  const seen = new Set();
  const visit = (file, name) => {
    if (seen.has(`${file} ${name}`)) return;
    seen.add(`${file} ${name}`);
    const { declared, imported, stars } = partsOf(file);
    const source = imported.get(name);
    const text = declared.get(name);
    if (text !== undefined || source) keep(file, name);
    if (text !== undefined) {
      for (const [word] of text.matchAll(/[\w$]+/g)) if (word !== name) visit(file, word);
      for (const [, path, member] of text.matchAll(/import\("(\.[^"]*)"\)\.(\w+)/g))
        visit(beside(file, path), member);
    } else if (source) visit(source.file, source.name);
    else
      for (const star of stars)
        if (exportsOf(star).has(name)) {
          keep(file, name);
          visit(star, name);
        }
  };
  for (const door of doors) for (const name of exportsOf(door)) visit(door, name);
  return found;
}

/** Top-level statements, each behind its docstring. */
const statementsOf = (text) => text.split(/\n(?=\/\*\*|(?<!\*\/\n)[a-z])/);
const DOCS = /^(?:\/\*[\s\S]*?\*\/\s*)*/.source;
const LIST = new RegExp(`${DOCS}((?:import|export) (?:type )?)\\{([^}]*)\\}((?: from "\\.[^"]*")?;)`);
const STAR = new RegExp(`${DOCS}export \\* from "(\\.[^"]*)"`);
const DECLARATION = new RegExp(
  `${DOCS}(?:export )?(?:declare )?(?:abstract )?(?:function|const|let|class|interface|type) ([\\w$]+)`,
);

const beside = (file, path) => join(dirname(file), path.replace(/\.js$/, ".d.ts"));
const parts = new Map();

/** Of a declaration file: its own statements by name, what it imports or gives again from where, and whole files given again. */
function partsOf(file) {
  const known = parts.get(file);
  if (known) return known;
  const declared = new Map();
  const imported = new Map();
  const stars = [];
  const exported = new Set();
  for (const statement of statementsOf(readFileSync(file, "utf8"))) {
    const [, word, list, tail] = LIST.exec(statement) ?? [];
    const [, path] = / from "([^"]*)"/.exec(tail ?? "") ?? [];
    const [, star] = STAR.exec(statement) ?? [];
    const [, name] = DECLARATION.exec(statement) ?? [];
    if (star) stars.push(beside(file, star));
    else if (name) {
      const plain = statement.replace(/\/\*[\s\S]*?\*\//g, "");
      declared.set(name, `${declared.get(name) ?? ""}\n${plain}`);
      if (plain.trimStart().startsWith("export")) exported.add(name);
    }
    for (const item of list?.split(",") ?? []) {
      const [local, outside = local] = item
        .trim()
        .replace(/^type /, "")
        .split(" as ");
      if (path) imported.set(outside, { file: beside(file, path), name: local });
      if (word?.startsWith("export") && outside) exported.add(outside);
    }
  }
  const found = { declared, imported, stars, exported };
  parts.set(file, found);
  return found;
}

/** Takes out of a declaration file what is not among the names, and its comments with it. */
function keepOnly(file, names, needed) {
  const filtered = (list) =>
    list
      .split(",")
      .map((item) => item.trim())
      .filter((item) =>
        names.has(
          item
            .replace(/^type /, "")
            .split(" as ")
            .at(-1),
        ),
      )
      .join(", ");
  const kept = statementsOf(readFileSync(file, "utf8")).flatMap((statement) => {
    const [, head, list, tail] = LIST.exec(statement) ?? [];
    const [, star] = STAR.exec(statement) ?? [];
    const [, name] = DECLARATION.exec(statement) ?? [];
    if (star) return needed.has(beside(file, star)) ? [statement] : [];
    if (name) return names.has(name) ? [statement] : [];
    if (list === undefined) return [statement];
    const items = filtered(list);
    return items === "" ? [] : [`${head}{ ${items} }${tail}`];
  });
  writeFileSync(file, `${kept.join("\n")}\nexport {};\n`);
}

/** The names that a declaration file exports. */
function exportsOf(file) {
  const { exported, stars } = partsOf(file);
  return new Set([...exported, ...stars.flatMap((star) => [...exportsOf(star)])]);
}

/** Says in a module where its types are; on its first line, so that line numbers stay. */
function nameTypes(types) {
  const file = types.replace(/\.d\.ts$/, ".js");
  writeFileSync(file, `/* @ts-self-types="./${basename(types)}" */ ${readFileSync(file, "utf8")}`);
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const [out, scope] = process.argv.slice(2);
  if (!out || !scope) {
    process.stderr.write("usage: node tools/jsr.mjs OUT SCOPE\n");
    process.exit(2);
  }
  writeJsrPackage(resolve(out), scope);
}
