import { readFileSync } from "node:fs";
import { parseJson, valueError } from "../base/index.ts";
import { CLAIM_NAMES, type ClaimName } from "../claims/index.ts";
import { loadRuleFile, type RuleFile } from "../custom/index.ts";
import type { CompareBy } from "../report/index.ts";
import {
  accepted,
  choice,
  ENTRIES,
  flag,
  integer,
  isRuleFile,
  type Kind,
  OPTIONS,
  OWN,
  optionsOf,
  orWord,
  PART_NAMES,
  type Part,
  PRESETS,
  presetSettings,
  REFERENCE_PROCESSES,
  type ReferenceProcess,
  type RunConfig,
  randomExpid,
  readConfigJson,
  resolveRun,
  type Selection,
  type Settings,
  startingSettings,
  text,
} from "../settings/index.ts";
import type { CompareCommand } from "./commands/compare.ts";
import { didYouMean, nearest } from "./suggest.ts";
import { canonical, readWords, SELECTOR, type Words } from "./words.ts";

/** What the command line asks for. */
export type Command =
  | { readonly command: "run"; readonly config: RunConfig; readonly notices: readonly string[] }
  | {
      readonly command: "verify";
      readonly paths: readonly string[];
      readonly json: boolean;
      readonly backend: "auto" | "js" | "wasm";
      readonly threads: number | "auto";
    }
  | {
      readonly command: "report";
      readonly dir: string;
      /** Whether to go on while the run does. */
      readonly follow: boolean;
    }
  | ({ readonly command: "compare" } & CompareCommand)
  | {
      readonly command: "export";
      readonly dir: string;
      readonly process: ReferenceProcess;
      /** The step whose weights are wanted; null: the last one. */
      readonly step: number | null;
      /** The file to write; null: weights.npz in the folder. */
      readonly output: string | null;
    }
  | {
      readonly command: "resume";
      readonly dir: string;
      /** Steps to reach in all; null: those of its config.json. */
      readonly steps: number | null;
      readonly quiet: boolean;
      readonly json: boolean;
    }
  | {
      readonly command: "claim";
      readonly names: readonly ClaimName[];
      /** The folder for runs and page; null: the usual one. */
      readonly out: string | null;
      /** Steps of each run; null: those of its preset. */
      readonly steps: number | null;
      readonly quiet: boolean;
      readonly json: boolean;
    }
  | { readonly command: "info"; readonly json: boolean }
  | { readonly command: "help"; readonly topic: string | null }
  | { readonly command: "version" };

/** What parsing needs of its surroundings. */
export interface Surroundings {
  /** The text of a file; throws if it cannot be read. */
  readonly readFile: (path: string) => string;
  readonly newExpid: () => string;
  /** Runs the file of a custom rule; throws if there is none to be had. */
  readonly loadRule: (file: string) => Pick<RuleFile, "sha256" | "options">;
}

const SURROUNDINGS: Surroundings = {
  readFile: (path) => readFileSync(path, "utf8"),
  newExpid: randomExpid,
  loadRule: loadRuleFile,
};

export const COMMANDS = [
  "run",
  "verify",
  "report",
  "compare",
  "resume",
  "export",
  "claim",
  "info",
  "help",
  "version",
] as const;

/** Flags of `run` that are not settings of the run. */
const RUN_ONLY: Readonly<Record<string, Kind<unknown>>> = {
  config: text("FILE"),
  preset: text("NAME"),
  device: text("NAME"),
};

const RUN_ARITIES: ReadonlyMap<string, Kind<unknown>["arity"]> = new Map([
  ...OPTIONS.map((option) => [canonical(option.flag), option.field.kind.arity] as const),
  ...Object.entries(RUN_ONLY).map(([name, { arity }]) => [name, arity] as const),
]);

const partNames = (part: Part): string[] => ENTRIES[part].map(({ name }) => `${part}:${name}`);

/** The parts that the positional words name, and the file that opt: names. */
function selectParts(positionals: readonly string[]): { named: Partial<Selection>; ruleFile?: string } {
  const named: Partial<Record<Part, string>> = {};
  let ruleFile: string | undefined;
  for (const word of positionals) {
    const [, partWord, name] = SELECTOR.exec(word) ?? [];
    if (partWord === undefined) throw strayWord(word);
    const part = partWord.toLowerCase() as Part;
    const own = part === "opt" && isRuleFile(name);
    if (own) ruleFile = name;
    const entry = own ? { name: OWN } : ENTRIES[part].find((candidate) => candidate.name === canonical(name));
    if (entry === undefined) {
      const near = nearest(`${part}:${canonical(name)}`, partNames(part));
      throw valueError("run", `one of ${partNames(part).join(", ")}`, word, didYouMean(near));
    }
    if (named[part] !== undefined)
      throw valueError("run", `one ${part}:NAME`, `${part}:${named[part]} and ${word}`, "keep one of them");
    named[part] = entry.name;
  }
  // The names come from ENTRIES and OWN, which are exactly the names of Selection.
  return { named: named as Partial<Selection>, ruleFile };
}

function strayWord(word: string): Error {
  const name = canonical(word);
  const parts = PART_NAMES.flatMap((part) => partNames(part).filter((known) => known === `${part}:${name}`));
  const bare = word.replace(/^[–—-]+/, "").split("=", 1)[0];
  const flags = [...RUN_ARITIES.keys()].filter((known) => known === canonical(bare));
  const meant =
    parts.length > 0
      ? parts
      : flags.map((known) => `--${known}${word.slice(word.indexOf(bare) + bare.length)}`);
  return valueError(
    "run",
    "flags, and opt:NAME, data:NAME, arch:NAME",
    word === "" ? "an empty word" : word,
    didYouMean(meant) ?? "a value stands after its flag",
  );
}

/** The error for a flag that this run cannot take: it is another part's, or nobody's. */
function refusedFlag(typed: string, name: string, selection: Selection): Error {
  const owners = OPTIONS.filter((option) => canonical(option.flag) === name).flatMap(
    ({ owner }) => owner ?? [],
  );
  if (selection.ownOptions && name.startsWith("opt.")) {
    const flags = optionsOf(selection).flatMap(({ flag, field, owner }) =>
      owner?.name === OWN && !field.recorded ? [flag] : [],
    );
    const near = nearest(name, flags).map((flag) => `--${flag}`);
    const own = Object.keys(selection.ownOptions).join(", ") || "none";
    throw valueError(
      "run",
      `an option that the rule's file declares (${own}), or one of every optimizer`,
      typed,
      didYouMean(near) ?? "an option is declared by its default in export const options = { … }",
    );
  }
  if (owners.length > 0) {
    const { part } = owners[0];
    const ours = `${part}:${selection[part]}`;
    const theirs = owners.map((owner) => `${part}:${owner.name}`).join(" and ");
    return valueError(
      "run",
      `flags of ${ours}`,
      typed,
      `${typed} belongs to ${theirs}, this run has ${ours}`,
    );
  }
  const part = PART_NAMES.find((candidate) => candidate === name);
  if (part !== undefined)
    return valueError("run", `${part}:NAME`, typed, `for example ${part}:${ENTRIES[part][0].name}`);
  const usable = [...optionsOf(selection).map((option) => option.flag), ...Object.keys(RUN_ONLY)];
  const near = nearest(name, usable);
  const advice = didYouMean(
    (near.length > 0 ? near : nearest(name, RUN_ARITIES.keys())).map((n) => `--${n}`),
  );
  return valueError("run", "a flag that exists", typed, advice ?? "see central-flows help run");
}

function settingsInFile(path: string, readFile: Surroundings["readFile"]): Settings {
  let content: string;
  try {
    content = readFile(path);
  } catch (error) {
    throw valueError("--config", "a file that can be read", path, (error as Error).message);
  }
  return readConfigJson(parseJson(content, `--config ${path}`, "a JSON file"), path);
}

function settingsOfPreset(name: string): Settings {
  const preset = PRESETS.get(canonical(name));
  if (preset !== undefined) return presetSettings(preset);
  const near = nearest(canonical(name), PRESETS.keys());
  throw valueError(
    "--preset",
    "the name of a preset",
    name,
    didYouMean(near) ?? "central-flows help presets lists them",
  );
}

/** The settings that flags override: of --config, of --preset, or of the default run. */
function settingsBelow(
  flags: Words["flags"],
  named: Partial<Selection>,
  readFile: Surroundings["readFile"],
): Settings {
  const file = flags.get("config")?.words[0];
  const preset = flags.get("preset")?.words[0];
  if (file !== undefined && preset !== undefined)
    throw valueError("--preset", "either a preset or a --config", `${preset} and --config ${file}`);
  if (file !== undefined) return withParts(settingsInFile(file, readFile), named);
  if (preset !== undefined) return withParts(settingsOfPreset(preset), named);
  return startingSettings(named);
}

/** Settings with other parts in place of some; what a replaced part had is gone. */
function withParts({ selection, values }: Settings, named: Partial<Selection>): Settings {
  const replaced = PART_NAMES.filter((part) => named[part] !== undefined && named[part] !== selection[part]);
  const keeps = (name: string): boolean => !replaced.some((part) => name.startsWith(`${part}.`));
  return {
    selection: { ...selection, ...named },
    values: new Map([...values].filter(([name]) => keeps(name))),
  };
}

/** Settings with what the file of a custom rule says: its hash and its options. Others as they are. */
function withRuleFile(
  { selection, values }: Settings,
  named: string | undefined,
  loadRule: Surroundings["loadRule"],
): { base: Settings; notices: string[] } {
  if (selection.opt !== OWN) return { base: { selection, values }, notices: [] };
  const file = named ?? String(values.get("opt.file"));
  const { sha256, options } = loadRule(file);
  const recorded = values.get("opt.sha256");
  const own = { ...selection, ownOptions: options };
  const known = new Set(optionsOf(own).map(({ flag }) => flag));
  const stray = [...values.keys()].find((flag) => flag.startsWith("opt.") && !known.has(flag));
  if (stray !== undefined) throw refusedFlag(`--${stray}`, stray, own);
  return {
    base: {
      selection: own,
      values: new Map([...values, ["opt.file", file], ["opt.sha256", sha256], ["opt.critical-value", null]]),
    },
    notices:
      recorded === undefined || recorded === sha256
        ? []
        : [`${file} is not the rule that wrote this config.json; the run takes it as it is now`],
  };
}

/**
 * Reads the words after `run`. Flags override --config or --preset, which override the defaults.
 *
 * @returns the configuration and sentences on what was decided or may not be meant
 * @throws InputKindError or InputValueError naming the word to change
 */
export function parseRun(
  argv: readonly string[],
  surroundings: Partial<Surroundings> = {},
): { config: RunConfig; notices: string[] } {
  const { readFile, newExpid, loadRule } = { ...SURROUNDINGS, ...surroundings };
  const first = readWords("run", argv, RUN_ARITIES);
  const { named, ruleFile } = selectParts(first.positionals);
  const { base, notices: ruleNotices } = withRuleFile(
    settingsBelow(first.flags, named, readFile),
    ruleFile,
    loadRule,
  );

  const options = optionsOf(base.selection).filter(({ field }) => !field.recorded);
  const usable = new Map(options.map((option) => [canonical(option.flag), option]));
  const arities = [...usable].map(([name, { field }]) => [name, field.kind.arity] as const);
  // The flags of a custom rule, and with them which words are values, are known only now.
  const { positionals, flags, unknown } = base.selection.ownOptions
    ? readWords("run", argv, new Map([...RUN_ARITIES, ...arities]))
    : first;
  selectParts(positionals);
  const values = new Map(base.values);
  if (unknown.length > 0) throw refusedFlag(unknown[0], canonical(unknown[0].slice(2)), base.selection);
  for (const [name, { typed, words }] of flags) {
    if (Object.hasOwn(RUN_ONLY, name)) continue;
    const option = usable.get(name);
    if (option === undefined) throw refusedFlag(typed, name, base.selection);
    const kind: Kind<unknown> = option.field.kind;
    values.set(option.flag, accepted(kind, `--${option.flag}`, kind.read(words)));
  }
  const { config, notices: doubts } = resolveRun({ selection: base.selection, values }, newExpid);
  const notices = [...ruleNotices, ...doubts];
  const device = flags.get("device")?.words[0];
  if (device !== undefined && device.toLowerCase() !== "cpu")
    notices.unshift(`--device ${device} is ignored: everything is computed on the CPU`);
  return { config, notices };
}

/** The words of a command with few flags; every flag has its value or `undefined`. */
function readSmall<F extends Readonly<Record<string, Kind<unknown>>>>(
  command: string,
  argv: readonly string[],
  kinds: F,
): { positionals: readonly string[]; values: Partial<Record<keyof F, unknown>> } {
  const arities = new Map(Object.entries(kinds).map(([name, { arity }]) => [name, arity]));
  const { positionals, flags, unknown }: Words = readWords(command, argv, arities);
  if (unknown.length > 0) {
    const known = Object.keys(kinds).map((name) => `--${name}`);
    const advice = didYouMean(nearest(unknown[0], known));
    throw valueError(command, known.length > 0 ? known.join(" or ") : "no flags", unknown[0], advice);
  }
  const values: Partial<Record<keyof F, unknown>> = {};
  for (const [name, { words }] of flags)
    values[name as keyof F] = accepted(kinds[name], `--${name}`, kinds[name].read(words));
  return { positionals, values };
}

function onlyFolder(command: string, positionals: readonly string[]): string {
  if (positionals.length === 1) return positionals[0];
  throw valueError(
    command,
    "one folder of a run",
    positionals.length === 0 ? "none" : positionals.join(" "),
    `for example central-flows ${command} experiments/my-run`,
  );
}

function noWords(command: string, positionals: readonly string[]): void {
  if (positionals.length > 0) throw valueError(command, "no further words", positionals.join(" "));
}

const STEPS = integer({ min: 1 });
const VERIFY = {
  json: flag,
  backend: choice("auto", "js", "wasm"),
  threads: orWord(integer({ min: 1 }), "auto", "auto"),
} as const;
const CLAIM = { out: text("DIR"), steps: integer({ min: 1 }), quiet: flag, json: flag } as const;
const COMPARE = { by: choice("step", "time"), output: text("FILE"), json: flag } as const;
const EXPORT = {
  process: choice(...REFERENCE_PROCESSES),
  step: integer({ min: 0 }),
  output: text("FILE"),
} as const;

/**
 * Reads the command line.
 *
 * @param argv the words after the program's name; none asks for help
 * @throws InputKindError or InputValueError naming the word to change
 */
export function parseCommand(argv: readonly string[], surroundings: Partial<Surroundings> = {}): Command {
  const [first, ...rest] = argv;
  if (first === undefined) return { command: "help", topic: null };
  if (first === "--version" || first === "-V") return { command: "version" };
  if (first === "--help" || first === "-h") return { command: "help", topic: null };
  const command = COMMANDS.find((name) => name === first);
  if (command === undefined) throw unknownCommand(first, argv);
  if (command !== "help" && rest.some((word) => word === "--help" || word === "-h"))
    return { command: "help", topic: command };
  switch (command) {
    case "run":
      return { command, ...parseRun(rest, surroundings) };
    case "verify": {
      const { positionals, values } = readSmall(command, rest, VERIFY);
      if (positionals.length === 0)
        throw valueError(
          command,
          "folders or files of fixtures",
          "none",
          "for example central-flows verify fixtures",
        );
      const backend = (values.backend as "auto" | "js" | "wasm" | undefined) ?? "auto";
      const threads = (values.threads as number | undefined) ?? "auto";
      return { command, paths: positionals, json: values.json === true, backend, threads };
    }
    case "report": {
      const { positionals, values } = readSmall(command, rest, { follow: flag });
      return { command, dir: onlyFolder(command, positionals), follow: values.follow === true };
    }
    case "compare": {
      const { positionals, values } = readSmall(command, rest, COMPARE);
      if (positionals.length === 0)
        throw valueError(command, "folders of runs", "none", "for example central-flows compare experiments");
      const by = (values.by as CompareBy | undefined) ?? "step";
      const output = (values.output as string | undefined) ?? "comparison.html";
      return { command, dirs: positionals, by, output, json: values.json === true };
    }
    case "resume": {
      const { positionals, values } = readSmall(command, rest, { steps: STEPS, quiet: flag, json: flag });
      const steps = typeof values.steps === "number" ? values.steps : null;
      const dir = onlyFolder(command, positionals);
      return { command, dir, steps, quiet: values.quiet === true, json: values.json === true };
    }
    case "export": {
      const { positionals, values } = readSmall(command, rest, EXPORT);
      return {
        command,
        dir: onlyFolder(command, positionals),
        process: (values.process as ReferenceProcess | undefined) ?? "discrete",
        step: (values.step as number | undefined) ?? null,
        output: (values.output as string | undefined) ?? null,
      };
    }
    case "claim": {
      const { positionals, values } = readSmall(command, rest, CLAIM);
      return {
        command,
        names: claimNames(positionals),
        out: (values.out as string | undefined) ?? null,
        steps: (values.steps as number | undefined) ?? null,
        quiet: values.quiet === true,
        json: values.json === true,
      };
    }
    case "info": {
      const { positionals, values } = readSmall(command, rest, { json: flag });
      noWords(command, positionals);
      return { command, json: values.json === true };
    }
    case "version":
      noWords(command, readSmall(command, rest, {}).positionals);
      return { command };
    case "help":
      return { command, topic: helpTopic(rest) };
  }
}

/** One claim, or all of them. */
function claimNames(words: readonly string[]): readonly ClaimName[] {
  const name = words.length === 1 ? canonical(words[0]) : undefined;
  if (name === "all") return CLAIM_NAMES;
  const found = CLAIM_NAMES.find((known) => known === name);
  if (found !== undefined) return [found];
  const names = [...CLAIM_NAMES, "all"];
  throw valueError(
    "claim",
    `one of ${names.join(", ")}`,
    words.join(" ") || "none",
    (name === undefined ? undefined : didYouMean(nearest(name, names))) ??
      "central-flows claim all measures them all",
  );
}

function unknownCommand(first: string, argv: readonly string[]): Error {
  const meansRun = first.startsWith("--") || SELECTOR.test(first);
  return valueError(
    "central-flows",
    `a command (${COMMANDS.join(", ")})`,
    first,
    meansRun ? `did you mean central-flows run ${argv.join(" ")}?` : didYouMean(nearest(first, COMMANDS)),
  );
}

function helpTopic(words: readonly string[]): string | null {
  const { positionals } = readSmall("help", words, {});
  if (positionals.length === 0) return null;
  const topics = [...COMMANDS, "presets", ...PART_NAMES.flatMap(partNames)];
  const topic = topics.find((name) => name === canonical(positionals[0]));
  if (topic === undefined || positionals.length > 1)
    throw valueError(
      "help",
      "a command, presets, or one of the names after opt:, data: or arch:",
      positionals.join(" "),
      didYouMean(nearest(positionals[0], topics)),
    );
  return topic;
}
