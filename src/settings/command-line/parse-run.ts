import {
  accepted,
  type Settings as PartSettings,
  parseJson,
  readFault,
  valueError,
} from "../../base/index.ts";
import { FILE_KINDS, isOwnFile, noData, ownPart, ownPartOf, slotOf } from "../custom.ts";
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
  slotsOf,
} from "../table.ts";
import type { AnyPart, FileKind, PartName, RunConfig, Selection, SlotName } from "../types.ts";
import { type Arity, arityOf, readWords } from "../words.ts";
import { didYouMean, nearest } from "./suggest.ts";
import { canonical, SELECTOR, type Tokens, tokensOf } from "./tokens.ts";

/** What reading the words of a run needs of its surroundings. */
export interface Surroundings {
  /** The text of a file; throws if it cannot be read. */
  readonly readFile: (path: string) => string;
  /** A name for a run that has none. */
  readonly newExpid: () => string;
  /** Runs a file of the user's; throws if there is none to be had. Returns what it says of itself. */
  readonly loadFile: (
    kind: FileKind,
    file: string,
  ) => {
    readonly sha256: string;
    readonly settings: PartSettings;
    /** Of a network what it reads, of data what they give. */
    readonly reads?: unknown;
    readonly gives?: unknown;
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
  loadFile: (_kind, file) => noFiles(file),
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

type Files = { readonly [S in SlotName]?: string };

/** The part that a word names, which is one of a list or a file. */
function partOfWord(word: string, kind: FileKind, name: string, families: Families): AnyPart {
  if (isOwnFile(name)) return ownPart(kind, {});
  if (kind === "loss" || kind === "observe")
    throw valueError("run", `${kind}:FILE, such as ${kind}:./mine.ts`, word, FILES_ADVICE);
  const found = partNamed(families, kind, canonical(name));
  if (found !== undefined) return found;
  const names = partNames(kind, families);
  const near = nearest(`${kind}:${canonical(name)}`, names);
  throw valueError("run", `one of ${names.join(", ")}`, word, didYouMean(near));
}

const FILES_ADVICE = "a file is told from a name by a slash, or by its ending .ts, .js or .mjs";

/** The parts that the positional words name, and the files that they name. */
function selectParts(
  positionals: readonly string[],
  families: Families,
): { named: Partial<Selection>; files: Files } {
  const named: { -readonly [S in SlotName]?: AnyPart } = {};
  const words: { [S in SlotName]?: string } = {};
  const files: { [S in SlotName]?: string } = {};
  for (const word of positionals) {
    const [, kindWord, name] = SELECTOR.exec(word) ?? [];
    if (kindWord === undefined) throw strayWord(word, families);
    const kind = FILE_KINDS.find((each) => each === kindWord.toLowerCase())!;
    const found = partOfWord(word, kind, name, families);
    for (const slot of kind === "loss" ? (["arch", "data"] as const) : [slotOf(kind)]) {
      const before = words[slot];
      if (before !== undefined)
        throw valueError(
          "run",
          kind === "loss" || before.startsWith("loss:")
            ? "a loss of the weights alone, or data and a network"
            : `one ${slot}:NAME`,
          `${before} and ${word}`,
          "keep one of them",
        );
      words[slot] = word;
      named[slot] = kind === "loss" && slot === "data" ? noData : found;
    }
    if (found.fileKind) files[slotOf(kind)] = name;
  }
  return { named, files };
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
    "flags, and opt:NAME, data:NAME, arch:NAME, or files after opt:, data:, arch:, loss:, observe:",
    word === "" ? "an empty word" : word,
    didYouMean(meant) ?? "a value stands after its flag",
  );
}

/** The error for a flag that this run cannot take: it is another part's, or nobody's. */
function refusedFlag(typed: string, name: string, selection: Selection, families: Families): Error {
  const owners = optionsOfAll(families)
    .filter((option) => canonical(option.flag) === name)
    .flatMap(({ owner }) => owner ?? []);
  const ownSlot = slotsOf(selection).find(([slot, { nested }]) => nested && name.startsWith(`${slot}.`));
  if (ownSlot) throw undeclared(typed, name, ...ownSlot);
  if (owners.length > 0) {
    const { part } = owners[0];
    const { name: chosen, fileKind } = selection[part as PartName];
    const ours = fileKind ? `a file after ${fileKind}:` : chosen === "none" ? "no data" : `${part}:${chosen}`;
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

/** The error for a flag that a file does not declare. */
function undeclared(typed: string, name: string, slot: SlotName, part: AnyPart): Error {
  const flags = partOptions(slot, part).flatMap(({ flag, setting }) => (setting.recorded ? [] : [flag]));
  const near = nearest(name, flags).map((flag) => `--${flag}`);
  const declaresLr = slot === "opt" && "default" in part.settings.lr;
  const own = [...(declaresLr ? ["lr"] : []), ...Object.keys(part.nested ?? {})].join(", ") || "none";
  return valueError(
    "run",
    slot === "opt"
      ? `an option that the rule's file declares (${own}), or one of every optimizer`
      : `an option that the file after ${part.fileKind}: declares (${own})`,
    typed,
    didYouMean(near) ??
      (slot === "opt"
        ? "an option is declared by its default in export const options = { … }"
        : "an option is declared in the record's settings"),
  );
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
  const replaced = ([...PART_NAMES, "observe"] as const).filter(
    (slot) => named[slot] && named[slot].name !== selection[slot]?.name,
  );
  const keeps = (name: string): boolean => !replaced.some((slot) => name.startsWith(`${slot}.`));
  return {
    selection: { ...selection, ...Object.fromEntries(replaced.map((slot) => [slot, named[slot]])) },
    values: new Map([...values].filter(([name]) => keeps(name))),
  };
}

/** Settings with what their files say: hashes and options. Others as they are. */
function withFiles(
  { selection, values }: Settings,
  named: Files,
  { loadFile, families }: Surroundings,
): { base: Settings; notices: string[] } {
  const chosen: { [S in SlotName]?: AnyPart } = {};
  const told = new Map(values);
  const notices: string[] = [];
  for (const [slot, { fileKind }] of slotsOf(selection)) {
    if (fileKind === undefined) continue;
    const file = named[slot] ?? String(values.get(`${slot}.file`));
    const { sha256, settings, ...more } = loadFile(fileKind, file);
    const recorded = values.get(`${slot}.sha256`);
    chosen[slot] = ownPartOf(fileKind, settings, more);
    told.set(`${slot}.file`, file).set(`${slot}.sha256`, sha256);
    if (fileKind === "opt") told.set("opt.critical-value", null);
    if (recorded !== undefined && recorded !== sha256)
      notices.push(`${file} is not the file that wrote this config.json; the run takes it as it is now`);
  }
  const own = { ...selection, ...chosen };
  const known = new Set(optionsOf(own).map(({ flag }) => flag));
  const stray = [...told.keys()].find((flag) =>
    Object.keys(chosen).some((slot) => flag.startsWith(`${slot}.`) && !known.has(flag)),
  );
  if (stray !== undefined) throw refusedFlag(`--${stray}`, stray, own, families);
  return { base: { selection: own, values: told }, notices };
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
  const { named, files } = selectParts(first.positionals, families);
  const below = settingsBelow(first.flags, named, surroundings);
  const { base, notices } = withFiles(below, files, surroundings);

  const options = optionsOf(base.selection).filter(({ setting }) => !setting.recorded);
  const usable = new Map(options.map((option) => [canonical(option.flag), option]));
  // The flags of files, and with them which words are values, are known only now.
  const { positionals, flags, unknown } = slotsOf(base.selection).some(([, { nested }]) => nested)
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
