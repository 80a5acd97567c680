import { isIgnored } from "../base/index.ts";
import type { DatasetDefinition } from "../data/index.ts";
import type { Architecture } from "../models/index.ts";
import {
  type AnyPart,
  arityOf,
  defaultRun,
  FAMILIES,
  hintOf,
  hyphenated,
  IGNORED,
  type Option,
  OVERRIDES,
  optionsOfAll,
  PART_NAMES,
  type PartName,
  PRESETS,
  partNames,
  partOptions,
  REFERENCE_PROCESSES,
  RUN_FLAGS,
  SECTIONS,
  wordsOf,
} from "../settings/index.ts";
import type { Command } from "./commands/command.ts";
import { SMALL_COMMANDS } from "./small-commands.ts";

const WIDTH = 100;

/** Rows of two columns, the second wrapped to the width of the page. */
function columns(rows: readonly (readonly [string, string])[], indent = 2): string[] {
  const left = Math.max(...rows.map(([name]) => name.length)) + 2;
  return rows.flatMap(([name, words]) =>
    wrap(words, WIDTH - indent - left).map(
      (line, i) => " ".repeat(indent) + (i === 0 ? name : "").padEnd(left) + line,
    ),
  );
}

/** Lines of at most `width` characters, broken where there are two spaces, or else one. */
function wrap(words: string, width: number): string[] {
  const lines: string[] = [];
  let rest = words;
  while (rest.length > width) {
    const double = rest.lastIndexOf("  ", width);
    const at = double > 0 ? double : rest.lastIndexOf(" ", width);
    if (at <= 0) break;
    lines.push(rest.slice(0, at).trimEnd());
    rest = rest.slice(at).trimStart();
  }
  return [...lines, rest];
}

/** A long list of names is told by the error for a wrong one, and by the guide. */
const LONGEST_HINT = 32;

/** A flag with what stands for its value. */
function withHint({ flag, setting: { kind } }: Option): string {
  const hint = hintOf(kind);
  if (hint === "") return `--${flag}`;
  return `--${flag} ${hint.length <= LONGEST_HINT ? hint : arityOf(kind) === "many" ? "NAME …" : "NAME"}`;
}

/** The default of an option as words; undefined where it has none. */
const defaultWords = (option: Option): string | undefined =>
  "default" in option.setting ? wordsOf(option, option.setting.default).join(" ") : undefined;

function sentence(option: Option): string {
  const { setting, owner } = option;
  if (isIgnored(setting))
    return setting.only
      ? `${setting.help} (only ${setting.default})`
      : `${setting.help}: read and ignored, ${setting.ignored}`;
  const usual = defaultWords(option);
  if (usual === undefined) return owner ? `${setting.help} (required)` : setting.help;
  return usual === "none" || usual === "false" ? setting.help : `${setting.help} (${usual})`;
}

const table = (options: readonly Option[]): string[] =>
  columns(options.map((option) => [withHint(option), sentence(option)]));

/** Flags with their defaults only, for the overview. */
const folded = (options: readonly Option[]): string =>
  options.map((option) => `--${option.flag} ${defaultWords(option) ?? "(required)"}`).join("  ");

/** Options that change something. */
const effective = (options: readonly Option[]): readonly Option[] =>
  options.filter(({ setting }) => !isIgnored(setting));

const optionsOfPart = (part: PartName, entry: AnyPart): readonly Option[] =>
  effective(partOptions(part, entry));

/** The options that every name of a part has, alike. */
function shared(part: PartName): readonly Option[] {
  const [first, ...others] = Object.values(FAMILIES[part]).map((entry) => optionsOfPart(part, entry));
  return first.filter((option) =>
    others.every((options) =>
      options.some(
        (other) =>
          other.flag === option.flag &&
          JSON.stringify(other.setting.kind) === JSON.stringify(option.setting.kind) &&
          defaultWords(other) === defaultWords(option),
      ),
    ),
  );
}

const PART_TITLES: Readonly<Record<PartName, string>> = {
  opt: "Optimizer",
  data: "Data",
  arch: "Network",
};

function partOverview(part: PartName): string[] {
  const common = shared(part);
  const entries = Object.values(FAMILIES[part]);
  const own = (entry: AnyPart): readonly Option[] =>
    optionsOfPart(part, entry).filter((option) => !common.some(({ flag }) => flag === option.flag));
  const first = new Map<string, string>();
  const flags = (entry: AnyPart): string => {
    const words = folded(own(entry));
    const like = first.get(words);
    first.set(words, like ?? entry.name);
    if (words === "") return "";
    return like === undefined ? `:  ${words}` : `:  as ${like}`;
  };
  return [
    `${PART_TITLES[part]}, ${part}:NAME (without it ${part}:${defaultRun.selection[part]})`,
    ...columns([...entries.map((entry) => [entry.name, entry.help + flags(entry)] as const)]),
    ...(common.length > 0 ? table(common) : []),
  ];
}

/** The parts that have no name. */
const OWN_FILES = [
  "{opt,data,arch,loss,observe}:./FILE.ts",
  "a file of yours (docs/own-network.md)",
] as const;

const defaultRunWords = (): string =>
  Object.entries(defaultRun.values)
    .map(([flag, value]) => `--${flag} ${value}`)
    .join(" ");

function runHelp(): string[] {
  const processes = REFERENCE_PROCESSES.join(",");
  const common = effective(OVERRIDES).filter(({ path }) => path[0] === REFERENCE_PROCESSES[0]).length;
  return [
    "central-flows run [opt:NAME] [data:NAME] [arch:NAME] [flags]",
    "",
    "Runs an optimizer and its flows side by side and leaves config.json, data.hdf5, report.html,",
    "outcome.json and checkpoints/ in experiments/EXPID (below EXPERIMENT_DIR where it is set; or --out).",
    ...wrap(`Parts not named, and --steps if none is, are the default run's: ${defaultRunWords()}.`, WIDTH),
    "Values follow after a space or =; hyphens and underscores are alike. Defaults stand in parentheses.",
    `central-flows help ${MUCH_TO_EXPLAIN} explains the flags of one name.`,
    "",
    "Example",
    "  central-flows run opt:gd --opt.lr 0.25 --arch.width 8 --warm-start 200 --steps 200",
    ...PART_NAMES.flatMap((part) => ["", ...partOverview(part)]),
    ...SECTIONS.flatMap(({ title, options, explained }) =>
      explained === undefined
        ? ["", title, ...table(effective(options))]
        : ["", ...wrap(`${title} (${explained}):  ${folded(effective(options))}`, WIDTH)],
    ),
    "",
    "More",
    ...columns([
      OWN_FILES,
      [`--{${processes}}.eig.*`, `the ${common} eigenvalue settings for one process alone`],
      ...[...RUN_FLAGS].map(([name, { hint, help }]) => [`--${name} ${hint}`, help] as const),
      ["--no-FLAG, --FLAG false", "turns a switch off, e.g. --no-eig.raw-eigenvalues"],
    ]),
    "",
    ...wrap(ignoredFlags(), WIDTH),
  ];
}

/** The flags that never change anything, with the reason. */
function ignoredFlags(): string {
  const others = new Set([...effective(optionsOfAll()), ...OVERRIDES].map(({ flag }) => flag));
  const never = [...IGNORED].filter(([flag]) => !others.has(flag));
  return `Read and ignored: ${never.map(([flag, why]) => `--${flag} (${why})`).join(", ")}`;
}

/** What makes the example of one name a whole run: other data or another network than the default's, where those do not fit. */
function companion(part: PartName, entry: AnyPart): string {
  if (part === "opt") return "";
  const networks = FAMILIES.arch as Readonly<Record<string, Architecture>>;
  const sets = FAMILIES.data as Readonly<Record<string, DatasetDefinition>>;
  const fits = (data: DatasetDefinition, { reads }: Architecture): boolean =>
    data.gives === "any arrays" || reads.includes(data.gives);
  const { data, arch } = defaultRun.selection;
  const other: readonly [PartName, AnyPart | undefined] =
    part === "data"
      ? [
          "arch",
          [networks[arch], ...Object.values(networks)].find((each) => fits(entry as DatasetDefinition, each)),
        ]
      : [
          "data",
          [sets[data], ...Object.values(sets).filter(inNoFolder)].find((each) =>
            fits(each, entry as Architecture),
          ),
        ];
  const [kind, chosen] = other;
  if (chosen === undefined || chosen.name === defaultRun.selection[kind]) return "";
  return ` ${kind}:${chosen.name}${requiredWords(kind, chosen)}`;
}

/** Whether a data set needs no folder of files. */
const inNoFolder = ({ settings }: DatasetDefinition): boolean => isIgnored(settings.cacheDir);

/** The flags that a part requires, each with its example. */
const requiredWords = (part: PartName, entry: AnyPart): string =>
  optionsOfPart(part, entry)
    .filter((option) => defaultWords(option) === undefined)
    .map(({ flag, setting }) => ` --${flag} ${setting.example}`)
    .join("");

function entryHelp(part: PartName, entry: AnyPart): string[] {
  return [
    `${part}:${entry.name}: ${entry.help}`,
    "",
    ...table(partOptions(part, entry)),
    "",
    "Example",
    `  central-flows run ${part}:${entry.name}${requiredWords(part, entry)}${companion(part, entry)}`,
  ];
}

function presetsHelp(): string[] {
  const rows = (reference: boolean): string[] =>
    columns(
      [...PRESETS].flatMap(([name, { help }]) =>
        name.startsWith("reference-") === reference ? [[name, help] as const] : [],
      ),
    );
  return [
    "central-flows run --preset NAME [flags]",
    "",
    "Settings of a run by name; flags, and parts named besides, override them.",
    "",
    "Small ones, each at the edge of stability within two minutes, on data that need no file",
    ...rows(false),
    "",
    "The authors' experiments: hours, and for CIFAR-10 and SST-2 files of yours in --data.cache-dir",
    ...rows(true),
    "",
    "Example",
    "  central-flows run --preset mlp-digits --opt.lr 0.1 --steps 300",
  ];
}

/** The help of a command that is read by its settings. */
function commandHelp({ name, usage, about, settings, example, parts = [] }: Command): string[] {
  return [
    `central-flows ${name} ${usage}`,
    "",
    ...about,
    ...settingsHelp(settings),
    ...parts.flatMap((part) => [
      "",
      `central-flows ${part.name} ${part.usage}`,
      ...wrap(part.about.join(" "), WIDTH - 2).map((line) => `  ${line}`),
      ...settingsHelp(part.settings).slice(1),
    ]),
    "",
    "Example",
    `  central-flows ${example}`,
  ];
}

function settingsHelp(settings: Command["settings"]): string[] {
  const options = Object.entries(settings).map(([key, setting]) => ({
    flag: hyphenated(key),
    path: [key],
    json: [key],
    setting,
  }));
  return options.length > 0 ? ["", ...table(options)] : [];
}

/** The network with the most settings, as an example of what has something to explain. */
const MUCH_TO_EXPLAIN = partNames("arch").reduce((most, topic) =>
  lengthOf(topic) > lengthOf(most) ? topic : most,
);

function lengthOf(topic: string): number {
  return Object.keys(FAMILIES.arch[topic.replace("arch:", "")].settings).length;
}

const WITHOUT_SETTINGS: Readonly<Record<string, readonly string[]>> = {
  version: ["central-flows version", "", "Prints the version.", "", "Example", "  central-flows version"],
  help: [
    "central-flows help [COMMAND | presets | opt:NAME | data:NAME | arch:NAME]",
    "",
    "Explains a command, lists the presets, or explains the flags of one optimizer, data set or network.",
    "",
    "Example",
    `  central-flows help ${MUCH_TO_EXPLAIN}`,
  ],
};

const OVERVIEW: readonly string[] = [
  "central-flows: an optimizer and the smooth flow that its averaged trajectory follows, side by side",
  "",
  "central-flows COMMAND",
  ...columns([
    ["run", "simulate; without further words, the default run of some fifteen seconds"],
    ...SMALL_COMMANDS.map(
      ({ name, usage, summary }) =>
        [`${name} ${usage.split(" [")[0].replace(/^\[.*/, "")}`.trim(), summary] as const,
    ),
    [
      "help [COMMAND]",
      `explain a command; help presets lists runs by name, help ${MUCH_TO_EXPLAIN} explains one network`,
    ],
    ["version", "print the version"],
  ]),
  "",
  "Example",
  "  central-flows run --preset mlp-moons-rmsprop",
];

/**
 * The help text of a topic, without a last line break.
 *
 * @param topic a command, presets, one of opt:NAME, data:NAME, arch:NAME, or null for the overview
 */
export function helpText(topic: string | null): string {
  const lines = ((): readonly string[] => {
    if (topic === null) return OVERVIEW;
    if (topic === "run") return runHelp();
    if (topic === "presets") return presetsHelp();
    const [part, name] = topic.split(":");
    if (name !== undefined) return entryHelp(part as PartName, FAMILIES[part as PartName][name]);
    const small = SMALL_COMMANDS.find((each) => each.name === topic);
    return small ? commandHelp(small) : (WITHOUT_SETTINGS[topic] ?? OVERVIEW);
  })();
  return lines.join("\n");
}
