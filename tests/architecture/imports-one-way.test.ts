import { expect, test } from "vitest";
import { codeOnly, filesBelow, type SourceFile } from "./sources.ts";

const CORE = ["base", "wasm", "autodiff", "linalg", "flows", "models"];

/**
 * Which layers the files of a layer may import. `""` is src/index.ts, the package's root: what a file with a custom
 * rule imports, so that the loader of such files hands it on.
 */
const MAY_IMPORT: Record<string, readonly string[]> = {
  base: [],
  wasm: ["base"],
  worker: ["base"],
  autodiff: ["wasm", "base"],
  linalg: ["wasm", "base"],
  flows: ["autodiff", "linalg", "base"],
  models: ["autodiff", "base"],
  data: ["base"],
  settings: ["flows", "models", "data", "linalg", "base"],
  custom: ["record", "simulation", "settings", "data", ...CORE, ""],
  simulation: ["settings", "flows", "models", "data", "autodiff", "linalg", "base"],
  record: ["simulation", "flows", "data", "base"],
  run: ["record", "simulation", "custom", "settings", "flows", "models", "data", "base"],
  verify: ["record", "simulation", "flows", "models", "data", "autodiff", "base"],
  analysis: ["simulation", "flows", "autodiff", "linalg", "base"],
  lab: ["report", "simulation", "settings", "models", "flows", "data", "autodiff", "base"],
  report: ["simulation", "settings", "run", "analysis", "flows", "base"],
  sweep: ["report", "run", "record", "simulation", "custom", "settings", "base"],
  claims: ["sweep", "report", "run", "record", "simulation", "settings", "flows", "linalg", "base"],
  contest: ["report", "run", "record", "simulation", "settings", "flows", "autodiff", "base"],
  studies: [
    "report",
    "analysis",
    "run",
    "record",
    "simulation",
    "settings",
    "custom",
    "data",
    "models",
    "flows",
    "linalg",
    "autodiff",
    "base",
  ],
  cli: [
    "lab",
    "contest",
    "studies",
    "claims",
    "sweep",
    "report",
    "analysis",
    "verify",
    "run",
    "record",
    "simulation",
    "custom",
    "settings",
    ...CORE,
    "data",
  ],
  "": CORE,
};

/** Layers of which only the types may be used. */
const TYPES_ONLY = new Set(["report → simulation", "report → run", "report → analysis"]);

/** Doors besides index.ts. */
const DOORS = new Set<string>(["lab → src/report/browser/kit.js"]);

const files = filesBelow("src", ".ts", ".js");

const layerOf = (path: string): string => /^src\/([^/]+)\//.exec(path)?.[1] ?? "";

test("files import their own folder directly and other layers through index.ts, along the arrows", () => {
  const wrong = files.flatMap((file) =>
    file.imports
      .filter(({ target }) => target !== undefined)
      .flatMap(({ target, typeOnly }) => {
        const complaint = complaintAbout(layerOf(file.path), target as string, typeOnly);
        return complaint ? [`${file.path} imports ${target}: ${complaint}`] : [];
      }),
  );
  expect(wrong).toEqual([]);
});

function complaintAbout(from: string, target: string, typeOnly: boolean): string | undefined {
  const to = layerOf(target);
  if (!files.some(({ path }) => path === target)) return "no such file";
  if (!(from in MAY_IMPORT)) return `${from} is not among the layers`;
  if (from === to)
    return target === `src/${to}/index.ts` ? "a layer's own index is for the others" : undefined;
  if (!MAY_IMPORT[from].includes(to)) return `${from} may not import ${to}`;
  if (TYPES_ONLY.has(`${from} → ${to}`) && !typeOnly) return `${from} may import types of ${to} only`;
  if (target !== (to === "" ? "src/index.ts" : `src/${to}/index.ts`) && !DOORS.has(`${from} → ${target}`))
    return "not the layer's index.ts";
  return undefined;
}

test("the core imports no package and nothing of Node, and makes no code from strings", () => {
  const core = files.filter(({ path }) => CORE.includes(layerOf(path)));
  for (const layer of CORE) expect(core.some(({ path }) => layerOf(path) === layer)).toBe(true);
  const outside = core.flatMap(({ path, imports }) =>
    imports.filter(({ target }) => !target).map(({ specifier }) => `${path} imports ${specifier}`),
  );
  expect(outside).toEqual([]);
  expect(mentions(core, /\brequire\(|\beval\(|\bnew Function\b|\bBuffer\b|\b__dirname\b/)).toEqual([]);
});

test("no file holds more than 500 lines, or is called after nothing", () => {
  const all = ["src", "tests", "tools", "bench", "examples"].flatMap((folder) =>
    filesBelow(folder, ".ts", ".js", ".mjs", ".css", ".py"),
  );
  expect(all.filter(({ text }) => text.split("\n").length > 501).map(({ path }) => path)).toEqual([]);
  expect(all.map(({ path }) => path).filter((path) => /\b(utils?|helpers?)\b/.test(path))).toEqual([]);
});

test("nothing escapes the type checker and nothing is left to do", () => {
  const typed = ["src", "tests", "bench", "examples"].flatMap((folder) => filesBelow(folder, ".ts"));
  expect(mentions(typed, /(?::|\bas|<|\||,|=>)\s*any\b(?!\s*[:(.])/)).toEqual([]);
  const marks = new RegExp(["@ts-(?:ignore|expect-error|nocheck)", "TO" + "DO", "FIX" + "ME"].join("|"));
  expect(typed.filter(({ text }) => marks.test(text)).map(({ path }) => path)).toEqual([]);
});

function mentions(among: readonly SourceFile[], pattern: RegExp): string[] {
  return among.flatMap(({ path, text }) => {
    const found = pattern.exec(codeOnly(text));
    return found ? [`${path}: ${found[0]}`] : [];
  });
}
