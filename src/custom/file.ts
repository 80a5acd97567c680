import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { extname, resolve } from "node:path";
import type { createJiti } from "jiti";
import * as autodiff from "../autodiff/index.ts";
import * as base from "../base/index.ts";
import { isMisuse, kindError, readFault, type Settings, valueError } from "../base/index.ts";
import * as data from "../data/index.ts";
import { batchSettings } from "../data/index.ts";
import type { RuleDefinition } from "../flows/index.ts";
import * as flows from "../flows/index.ts";
import * as core from "../index.ts";
import * as linalg from "../linalg/index.ts";
import * as models from "../models/index.ts";
import { checkedOptions, checkedSettings, type FileKind, fileWord, settingsOf } from "../settings/index.ts";
import type { OwnParts } from "../simulation/index.ts";
import * as simulation from "../simulation/index.ts";

/** A file of the user's, evaluated: what it says of itself, and the part that it is. */
export interface LoadedFile<K extends FileKind = FileKind> {
  /** Its path as given. */
  readonly file: string;
  /** The hash of its bytes. */
  readonly sha256: string;
  /** The settings that it declares. */
  readonly settings: Settings;
  /** Of a network what it reads, of data what they give. */
  readonly reads?: unknown;
  readonly gives?: unknown;
  /** What it makes; errors of its functions name the file and the line. */
  readonly part: OwnParts[K];
}

/** What a file may import from us: the modules that are running, not others of the same name. */
const MODULES: Readonly<Record<string, object>> = {
  "central-flows": core,
  "central-flows/autodiff": autodiff,
  "central-flows/base": base,
  "central-flows/data": data,
  "central-flows/flows": flows,
  "central-flows/linalg": linalg,
  "central-flows/models": models,
  "central-flows/simulation": simulation,
};

/** Each kind of file: what it is, the record that it exports, and the function of the record that makes the part. */
const KINDS = {
  opt: {
    what: "an update rule",
    guide: "own-rule",
    record: "optimizer({ name, help, settings, define })",
    make: "define",
  },
  data: {
    what: "data",
    guide: "own-network",
    record: "dataset({ name, gives, help, settings, make })",
    make: "make",
  },
  arch: {
    what: "a network",
    guide: "own-network",
    record: "architecture({ name, reads, help, settings, build })",
    make: "build",
  },
  loss: {
    what: "a loss",
    guide: "own-network",
    record: "weightLoss({ name, help, settings, build })",
    make: "build",
  },
  observe: {
    what: "a quantity",
    guide: "own-network",
    record: "quantity({ name, help, settings, measure })",
    make: "measure",
  },
} as const satisfies Record<FileKind, object>;

/** The module, with a sentence in place of undefined where it lacks a name. */
function strict(name: string, module: object, guide: string): object {
  return new Proxy(module, {
    get(target, key) {
      if (typeof key !== "string" || key in target || ["__esModule", "default", "then"].includes(key))
        return Reflect.get(target, key);
      throw valueError(name, "a name that it exports", key, `docs/${guide}.md lists what such a file needs`);
    },
  });
}

/** The bytes of a file of the user's and their hash. */
export function readOwnFile(
  kind: FileKind,
  file: string,
): { readonly bytes: Uint8Array; readonly sha256: string } {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    throw valueError(fileWord(kind, file), `a file with ${KINDS[kind].what}`, readFault(error));
  }
  return { bytes, sha256: createHash("sha256").update(bytes).digest("hex") };
}

/** Files that have been evaluated, by kind, path and hash: each is once in a process. */
const evaluated = new Map<string, LoadedFile>();

/**
 * Runs a file of the user's: TypeScript or JavaScript whose default export is the record of a part, as the built-in parts
 * are; of an update rule also a function that makes a RuleDefinition of options, whose export `options` has their
 * defaults. The file runs with all rights of this process. Nothing is written.
 *
 * @param from where its text is, if not at `file`: the copy in a run's folder
 * @throws InputValueError or InputKindError where the file cannot be read, parsed, run, or exports something else
 */
export function loadOwnFile<K extends FileKind>(kind: K, file: string, from = file): LoadedFile<K> {
  const { bytes, sha256 } = readOwnFile(kind, from);
  const path = resolve(file);
  const key = `${kind} ${path} ${sha256}`;
  const known = evaluated.get(key);
  if (known) return known as LoadedFile<K>;
  const exported = exportsOf(kind, file, evaluate(kind, file, path, new TextDecoder().decode(bytes)));
  const loaded = { file, sha256, ...exported } as LoadedFile<K>;
  evaluated.set(key, loaded);
  return loaded;
}

function evaluate(kind: FileKind, file: string, path: string, text: string): unknown {
  const { guide } = KINDS[kind];
  const loader = reader(kind, file)(path, {
    fsCache: false,
    moduleCache: false,
    interopDefault: false,
    virtualModules: Object.fromEntries(
      Object.entries(MODULES).map(([name, module]) => [name, strict(name, module, guide)]),
    ),
  });
  try {
    return loader.evalModule(text, { id: path, filename: path, ext: extname(path) });
  } catch (error) {
    throw inFile(fileWord(kind, file), path, "a file that runs", error);
  }
}

/** What runs TypeScript. Loaded only for such a file: its parser is 1.5 MB. */
function reader(kind: FileKind, file: string): typeof createJiti {
  try {
    return (createRequire(import.meta.url)("jiti") as { createJiti: typeof createJiti }).createJiti;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "MODULE_NOT_FOUND") throw error;
    throw valueError(
      fileWord(kind, file),
      "the package jiti, an optional dependency that runs such files",
      "an installation without it",
      "npm install jiti adds it",
    );
  }
}

/** An error of the user's file, with the line it comes from. */
function inFile(where: string, path: string, expected: string, error: unknown): Error {
  const { name, message, stack = "" } = error instanceof Error ? error : new Error(String(error));
  if (/^(opt|data|arch|loss|observe):/.test(message)) return error as Error;
  const parse = /^ParseError: (.*?)\s*\n.*?:(\d+):(\d+)/s.exec(message);
  const [, line] = /^:(\d+):\d+/.exec(stack.split(path)[1] ?? "") ?? [];
  const got = isMisuse(error) ? message : `${name}: ${message.split("\n")[0]}`;
  const worded = parse
    ? valueError(where, "a file that compiles", `${parse[1]} at line ${parse[2]}, column ${parse[3]}`)
    : valueError(where, expected, `${got}${line ? ` (line ${line})` : ""}`);
  worded.cause = error;
  return worded;
}

type Json = Readonly<Record<string, unknown>>;
type Exported = Pick<LoadedFile, "settings" | "reads" | "gives"> & { readonly part: unknown };

const isRecord = (value: unknown): value is Json =>
  (typeof value === "object" || typeof value === "function") && value !== null;

function exportsOf(kind: FileKind, file: string, module: unknown): Exported {
  const { default: made, options: declared } = (module ?? {}) as Json;
  const where = fileWord(kind, file);
  const path = resolve(file);
  if (kind === "opt") return ruleOf(where, path, made, declared);
  const { record, make } = KINDS[kind];
  if (!isRecord(made) || typeof made[make] !== "function")
    throw kindError(
      where,
      `a default export with ${KINDS[kind].what}: export default ${record}`,
      made === undefined ? "none" : isRecord(made) ? `one without ${make}` : typeof made,
    );
  // What `dataset` gives every data set is not the file's own.
  const given: readonly string[] = ["ghostBatchSize", "cacheDir", ...Object.keys(batchSettings)];
  const settings = Object.fromEntries(
    Object.entries((made.settings ?? {}) as Settings).filter(([name]) => !given.includes(name)),
  ) as Settings;
  const { reads, gives } = made;
  return {
    settings: checkedSettings(`${where}, settings`, settings, kind),
    ...(reads !== undefined && { reads }),
    ...(gives !== undefined && { gives }),
    part: { ...made, settings, [make]: guardedMaker(`${where}, ${make}`, path, made, make) },
  };
}

/** The function of a record that makes its part; what it returns has guarded functions, too. */
function guardedMaker(where: string, path: string, record: Json, make: string): Plain {
  const run = guarded(where, path, (...inputs) => (record[make] as Plain)(...inputs));
  return (...inputs) => {
    const made = run(...inputs);
    if (made instanceof Promise)
      throw kindError(where, "a result", "a promise", "the function may not be async");
    if (make === "measure") return made;
    if (typeof made !== "object" || made === null)
      throw kindError(
        where,
        "a function that returns an object",
        made === undefined ? "nothing" : typeof made,
      );
    return guardedFields(where, path, made);
  };
}

/** The record with its functions guarded. */
const guardedFields = (where: string, path: string, record: object): object =>
  Object.fromEntries(
    Object.entries(record).map(([field, value]) => [
      field,
      typeof value === "function"
        ? guarded(`${where.replace(/, \w+$/, "")}, ${field}`, path, value as Plain)
        : value,
    ]),
  );

/** An update rule: a record as the built-in ones, or a function of options. */
function ruleOf(where: string, path: string, made: unknown, declared: unknown = {}): Exported {
  if (typeof made === "function" && "own" in made) {
    const settings = checkedSettings(`${where}, settings`, made.own, "opt");
    return { settings, part: { optimizer: made } };
  }
  const options = checkedOptions(where, declared);
  if (typeof made !== "function")
    throw kindError(
      where,
      "a default export that makes a rule of its options: export default ({ lr }) => ({ … })",
      made === undefined ? "none" : typeof made,
    );
  const run = guarded(where, path, made as Plain);
  const define = (values: Json): RuleDefinition => {
    const rule = run(declaredOnly(where, values));
    if (typeof rule !== "object" || rule === null)
      throw kindError(
        where,
        "a default export that returns a rule, an object",
        rule === undefined ? "nothing" : typeof rule,
      );
    if (rule instanceof Promise)
      throw kindError(where, "a rule", "a promise", "the function may not be async");
    return guardedFields(where, path, rule) as unknown as RuleDefinition;
  };
  return { settings: settingsOf(options), part: { define } };
}

type Plain = (...inputs: readonly unknown[]) => unknown;

/** A function of the user's whose errors say where they come from. */
function guarded(where: string, path: string, run: Plain): Plain {
  return (...inputs) => {
    try {
      return run(...inputs);
    } catch (error) {
      throw inFile(where, path, "a function that runs", error);
    }
  };
}

/** The values of options; reading one that is not declared is a mistake worth a sentence. */
function declaredOnly(where: string, values: Json): object {
  return new Proxy(values, {
    get(target, key) {
      if (typeof key !== "string" || Object.hasOwn(target, key)) return Reflect.get(target, key);
      const names = Object.keys(target).join(", ") || "none";
      throw valueError(
        where,
        `options that are declared (${names})`,
        key,
        `write it into export const options = { … } with its default`,
      );
    },
  });
}
