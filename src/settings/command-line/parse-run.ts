import { accepted, parseJson, readFault, valueError } from "../../base/index.ts";
import { isRuleFile, OWN, ownOptimizer } from "../custom.ts";
import { readConfigJson } from "../json.ts";
import { PRESETS, presetSettings } from "../presets/preset-settings.ts";
import { randomExpid, resolveRun, type Settings, startingSettings } from "../resolve.ts";
import {
  FAMILIES,
  type Families,
  type Option,
  optionsOf,
  optionsOfAll,
  PART_NAMES,
  partOptions,
} from "../table.ts";
import type { AnyPart, OptionValue, PartName, RunConfig, Selection } from "../types.ts";
import { type Arity, arityOf, readWords } from "../words.ts";
import { didYouMean, nearest } from "./suggest.ts";
import { canonical, SELECTOR, type Tokens, tokensOf } from "./tokens.ts";

/** What reading the words of a run needs of its surroundings. */
export interface Surroundings {
  /** The text of a file; throws if it cannot be read. */
  readonly readFile: (path: string) => string;
  /** A name for a run that has none. */
  readonly newExpid: () => string;
  /** Runs the file of a custom rule; throws if there is none to be had. */
  readonly loadRule: (file: string) => {
    readonly sha256: string;
    readonly options: Readonly<Record<string, OptionValue>>;
  };
  /** The optimizers, data sets and networks that there are. */
  readonly families: Families;
}

function noFiles(path: string): never {
  throw valueError("run", "a host that reads files", `none, for ${path}`);
}

const NOWHERE: Surroundings = {
  readFile: noFiles,
  newExpid: randomExpid,
  loadRule: noFiles,
  families: FAMILIES,
};

/** Flags of `run` that are not settings of the run, each with what help says. */
export const RUN_FLAGS: ReadonlyMap<string, { readonly hint: string; readonly help: string }> = new Map([
  ["preset", { hint: "NAME", help: "a run by name (help presets lists them); flags win" }],
  ["config", { hint: "FILE", help: "a config.json to start from, ours or theirs; flags win" }],
]);

/** How many words each flag takes, by canonical name; `more` are those of a file. */
function aritiesOf(families: Families, more: readonly Option[] = []): ReadonlyMap<string, Arity> {
  const options = [...optionsOfAll(families), ...more].filter(({ setting }) => !setting.recorded);
  return new Map([
    ...options.map(({ flag, setting }) => [canonical(flag), arityOf(setting.kind)] as const),
    ...[...RUN_FLAGS.keys()].map((name) => [name, "one"] as const),
  ]);
}

/** The names of an optimizer, data set or network, as they are typed. */
export const partNames = (part: PartName, families: Families = FAMILIES): string[] =>
  Object.keys(families[part]).map((name) => `${part}:${name}`);

const partNamed = (families: Families, part: PartName, name: string): AnyPart | undefined =>
  Object.hasOwn(families[part], name) ? families[part][name] : undefined;

/** The parts that the positional words name, and the file that opt: names. */
function selectParts(
  positionals: readonly string[],
  families: Families,
): { named: Partial<Selection>; ruleFile?: string } {
  const named: { -readonly [P in PartName]?: AnyPart } = {};
  let ruleFile: string | undefined;
  for (const word of positionals) {
    const [, partWord, name] = SELECTOR.exec(word) ?? [];
    if (partWord === undefined) throw strayWord(word, families);
    const part = partWord.toLowerCase() as PartName;
    const own = part === "opt" && isRuleFile(name);
    if (own) ruleFile = name;
    const found = own ? ownOptimizer({}) : partNamed(families, part, canonical(name));
    if (found === undefined) {
      const names = partNames(part, families);
      const near = nearest(`${part}:${canonical(name)}`, names);
      throw valueError("run", `one of ${names.join(", ")}`, word, didYouMean(near));
    }
    if (named[part] !== undefined)
      throw valueError(
        "run",
        `one ${part}:NAME`,
        `${part}:${named[part].name} and ${word}`,
        "keep one of them",
      );
    named[part] = found;
  }
  return { named, ruleFile };
}

function strayWord(word: string, families: Families): Error {
  const name = canonical(word);
  const parts = PART_NAMES.flatMap((part) =>
    partNames(part, families).filter((known) => known === `${part}:${name}`),
  );
  const bare = word.replace(/^[–—-]+/, "").split("=", 1)[0];
  const flags = [...aritiesOf(families).keys()].filter((known) => known === canonical(bare));
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
function refusedFlag(typed: string, name: string, selection: Selection, families: Families): Error {
  const owners = optionsOfAll(families)
    .filter((option) => canonical(option.flag) === name)
    .flatMap(({ owner }) => owner ?? []);
  const { nested } = selection.opt;
  if (nested && name.startsWith("opt.")) {
    const flags = partOptions("opt", selection.opt).flatMap(({ flag, setting }) =>
      setting.recorded ? [] : [flag],
    );
    const near = nearest(name, flags).map((flag) => `--${flag}`);
    const declaresLr = "default" in selection.opt.settings.lr;
    const own = [...(declaresLr ? ["lr"] : []), ...Object.keys(nested)].join(", ") || "none";
    throw valueError(
      "run",
      `an option that the rule's file declares (${own}), or one of every optimizer`,
      typed,
      didYouMean(near) ?? "an option is declared by its default in export const options = { … }",
    );
  }
  if (owners.length > 0) {
    const { part } = owners[0];
    const ours = `${part}:${selection[part].name}`;
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
    return valueError("run", `${part}:NAME`, typed, `for example ${partNames(part, families)[0]}`);
  const usable = [...optionsOf(selection).map((option) => option.flag), ...RUN_FLAGS.keys()];
  const near = nearest(name, usable);
  const advice = didYouMean(
    (near.length > 0 ? near : nearest(name, aritiesOf(families).keys())).map((n) => `--${n}`),
  );
  return valueError("run", "a flag that exists", typed, advice ?? "see central-flows help run");
}

function settingsInFile(path: string, { readFile, families }: Surroundings): Settings {
  let content: string;
  try {
    content = readFile(path);
  } catch (error) {
    throw valueError(`--config ${path}`, "a file that can be read", readFault(error));
  }
  return readConfigJson(parseJson(content, `--config ${path}`, "a JSON file"), path, families);
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
  flags: Tokens["flags"],
  named: Partial<Selection>,
  surroundings: Surroundings,
): Settings {
  const file = flags.get("config")?.words[0];
  const preset = flags.get("preset")?.words[0];
  if (file !== undefined && preset !== undefined)
    throw valueError("--preset", "either a preset or a --config", `${preset} and --config ${file}`);
  if (file !== undefined) return withParts(settingsInFile(file, surroundings), named);
  if (preset !== undefined) return withParts(settingsOfPreset(preset), named);
  return startingSettings(named);
}

/** Settings with other parts in place of some; what a replaced part had is gone. */
function withParts({ selection, values }: Settings, named: Partial<Selection>): Settings {
  const replaced = PART_NAMES.filter((part) => named[part] && named[part].name !== selection[part].name);
  const keeps = (name: string): boolean => !replaced.some((part) => name.startsWith(`${part}.`));
  return {
    selection: { ...selection, ...Object.fromEntries(replaced.map((part) => [part, named[part]])) },
    values: new Map([...values].filter(([name]) => keeps(name))),
  };
}

/** Settings with what the file of a custom rule says: its hash and its options. Others as they are. */
function withRuleFile(
  { selection, values }: Settings,
  named: string | undefined,
  { loadRule, families }: Surroundings,
): { base: Settings; notices: string[] } {
  if (selection.opt.name !== OWN) return { base: { selection, values }, notices: [] };
  const file = named ?? String(values.get("opt.file"));
  const { sha256, options } = loadRule(file);
  const recorded = values.get("opt.sha256");
  const own = { ...selection, opt: ownOptimizer(options) };
  const known = new Set(optionsOf(own).map(({ flag }) => flag));
  const stray = [...values.keys()].find((flag) => flag.startsWith("opt.") && !known.has(flag));
  if (stray !== undefined) throw refusedFlag(`--${stray}`, stray, own, families);
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
  given: Partial<Surroundings> = {},
): { config: RunConfig; notices: string[] } {
  const surroundings = { ...NOWHERE, ...given };
  const { families, newExpid } = surroundings;
  const first = tokensOf("run", argv, aritiesOf(families));
  const { named, ruleFile } = selectParts(first.positionals, families);
  const below = settingsBelow(first.flags, named, surroundings);
  const { base, notices } = withRuleFile(below, ruleFile, surroundings);

  const options = optionsOf(base.selection).filter(({ setting }) => !setting.recorded);
  const usable = new Map(options.map((option) => [canonical(option.flag), option]));
  // The flags of a custom rule, and with them which words are values, are known only now.
  const { positionals, flags, unknown } = base.selection.opt.nested
    ? tokensOf("run", argv, aritiesOf(families, options))
    : first;
  selectParts(positionals, families);
  const values = new Map(base.values);
  if (unknown.length > 0)
    throw refusedFlag(unknown[0], canonical(unknown[0].slice(2)), base.selection, families);
  for (const [name, { typed, words }] of flags) {
    if (RUN_FLAGS.has(name)) continue;
    const option = usable.get(name);
    if (option === undefined) throw refusedFlag(typed, name, base.selection, families);
    const { kind } = option.setting;
    values.set(option.flag, accepted(kind, `--${option.flag}`, readWords(kind, words)));
  }
  const { config, notices: doubts } = resolveRun({ selection: base.selection, values }, newExpid, families);
  return { config, notices: [...notices, ...doubts] };
}
