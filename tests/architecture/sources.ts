import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** A file of ours, its path from the root with slashes. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
  readonly imports: readonly Import[];
}

export interface Import {
  readonly specifier: string;
  /** The file it names, as a path from the root; undefined for packages and Node's modules. */
  readonly target: string | undefined;
  /** Erased when compiled: it cannot close a cycle when modules are loaded. */
  readonly typeOnly: boolean;
}

/**
 * All files below a folder of the repository that have one of the extensions, but those that a running test has
 * generated and those of packages; none when there is no such folder.
 */
export function filesBelow(folder: string, ...extensions: string[]): SourceFile[] {
  if (!existsSync(join(ROOT, folder))) return [];
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .map((file) => join(folder, file).replaceAll("\\", "/"))
    .filter((path) => extensions.includes(extname(path)) && !/\/(generated|node_modules)\//.test(path))
    .map((path) => {
      const text = readFileSync(join(ROOT, path), "utf8");
      return { path, text, imports: importsOf(path, text) };
    });
}

// Formatting is checked, so a statement begins a line and ends with its specifier in double quotes.
const STATEMENT = /^(?:import|export)\s(type\s)?(?:[\w\s{},*$]*\sfrom\s)?"([^"]+)";/gm;
const CALL = /(typeof )?\bimport\("([^"]+)"\)/g;

function importsOf(path: string, text: string): Import[] {
  const target = (specifier: string) =>
    specifier.startsWith(".") ? normalize(join(dirname(path), specifier)).replaceAll("\\", "/") : undefined;
  return [...text.matchAll(STATEMENT), ...text.matchAll(CALL)].map(([, type, specifier]) => ({
    specifier,
    target: target(specifier),
    typeOnly: type !== undefined,
  }));
}

/** The text without comments, and with nothing left in its strings: what the compiler acts on. */
export function codeOnly(text: string): string {
  return text.replace(/\/\*.*?\*\/|\/\/[^\n]*|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/gs, (match) =>
    match.startsWith("/") ? "" : '""',
  );
}
