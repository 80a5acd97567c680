import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { extname, resolve } from "node:path";
import type { createJiti } from "jiti";
import * as autodiff from "../autodiff/index.ts";
import * as base from "../base/index.ts";
import { isMisuse, kindError, readFault, valueError } from "../base/index.ts";
import type { RuleDefinition } from "../flows/index.ts";
import * as flows from "../flows/index.ts";
import * as core from "../index.ts";
import * as linalg from "../linalg/index.ts";
import * as models from "../models/index.ts";
import { checkedOptions, type OptionValue } from "../settings/index.ts";

/** A file with an update rule, evaluated. */
export interface RuleFile {
  /** Its path as given. */
  readonly file: string;
  /** The hash of its bytes. */
  readonly sha256: string;
  /** Its options with their defaults. */
  readonly options: Readonly<Record<string, OptionValue>>;
  /** The rule it makes of options. */
  readonly define: (options: Readonly<Record<string, OptionValue>>) => RuleDefinition;
}

/** What a rule file may import from us: the modules that are running, not others of the same name. */
const MODULES: Readonly<Record<string, object>> = {
  "central-flows": core,
  "central-flows/autodiff": autodiff,
  "central-flows/base": base,
  "central-flows/flows": flows,
  "central-flows/linalg": linalg,
  "central-flows/models": models,
};

/** The module, with a sentence in place of undefined where it lacks a name. */
function strict(name: string, module: object): object {
  return new Proxy(module, {
    get(target, key) {
      if (typeof key !== "string" || key in target || ["__esModule", "default", "then"].includes(key))
        return Reflect.get(target, key);
      throw valueError(name, "a name that it exports", key, "docs/own-rule.md lists what a rule needs");
    },
  });
}

/** The bytes of a rule file and their hash. */
export function readRuleFile(file: string): { readonly bytes: Uint8Array; readonly sha256: string } {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    throw valueError(`opt:${file}`, "a file with an update rule", readFault(error));
  }
  return { bytes, sha256: createHash("sha256").update(bytes).digest("hex") };
}

/** Files that have been evaluated, by path and hash: each is once in a process. */
const evaluated = new Map<string, RuleFile>();

/**
 * Runs a file with an update rule: TypeScript or JavaScript whose default export makes a RuleDefinition of options, and
 * whose export `options` has their defaults. The file runs with all rights of this process. Nothing is written.
 *
 * @param from where its text is, if not at `file`: the copy in a run's folder
 * @throws InputValueError or InputKindError where the file cannot be read, parsed, run, or exports something else
 */
export function loadRuleFile(file: string, from = file): RuleFile {
  const { bytes, sha256 } = readRuleFile(from);
  const path = resolve(file);
  const key = `${path} ${sha256}`;
  const known = evaluated.get(key);
  if (known) return known;
  const loaded = { file, sha256, ...exportsOf(file, evaluate(file, path, new TextDecoder().decode(bytes))) };
  evaluated.set(key, loaded);
  return loaded;
}

function evaluate(file: string, path: string, text: string): unknown {
  // Loaded only for such a file: its parser is 1.5 MB.
  const jiti = createRequire(import.meta.url)("jiti") as { createJiti: typeof createJiti };
  const loader = jiti.createJiti(path, {
    fsCache: false,
    moduleCache: false,
    interopDefault: false,
    virtualModules: Object.fromEntries(
      Object.entries(MODULES).map(([name, module]) => [name, strict(name, module)]),
    ),
  });
  try {
    return loader.evalModule(text, { id: path, filename: path, ext: extname(path) });
  } catch (error) {
    throw inFile(`opt:${file}`, path, "a file that runs", error);
  }
}

/** An error of the user's file, with the line it comes from. */
function inFile(where: string, path: string, expected: string, error: unknown): Error {
  const { name, message, stack = "" } = error instanceof Error ? error : new Error(String(error));
  if (message.startsWith("opt:")) return error as Error;
  const parse = /^ParseError: (.*?)\s*\n.*?:(\d+):(\d+)/s.exec(message);
  const [, line] = /^:(\d+):\d+/.exec(stack.split(path)[1] ?? "") ?? [];
  const got = isMisuse(error) ? message : `${name}: ${message.split("\n")[0]}`;
  const worded = parse
    ? valueError(where, "a file that compiles", `${parse[1]} at line ${parse[2]}, column ${parse[3]}`)
    : valueError(where, expected, `${got}${line ? ` (line ${line})` : ""}`);
  worded.cause = error;
  return worded;
}

type Exports = Readonly<Record<string, unknown>>;

function exportsOf(file: string, module: unknown): Pick<RuleFile, "options" | "define"> {
  const { default: made, options: declared = {} } = (module ?? {}) as Exports;
  const where = `opt:${file}`;
  const options = checkedOptions(where, declared);
  if (typeof made !== "function")
    throw kindError(
      where,
      "a default export that makes a rule of its options: export default ({ lr }) => ({ … })",
      made === undefined ? "none" : typeof made,
    );
  const path = resolve(file);
  const define: RuleFile["define"] = (values) => {
    const rule = guarded(where, path, made as Plain)(declaredOnly(where, values));
    if (typeof rule !== "object" || rule === null)
      throw kindError(
        where,
        "a default export that returns a rule, an object",
        rule === undefined ? "nothing" : typeof rule,
      );
    if (rule instanceof Promise)
      throw kindError(where, "a rule", "a promise", "the function may not be async");
    return Object.fromEntries(
      Object.entries(rule).map(([field, value]) => [
        field,
        typeof value === "function" ? guarded(`${where}, ${field}`, path, value as Plain) : value,
      ]),
    ) as unknown as RuleDefinition;
  };
  return { options, define };
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
function declaredOnly(where: string, values: Readonly<Record<string, OptionValue>>): object {
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
