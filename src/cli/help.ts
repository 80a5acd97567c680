import {
  defaultRun,
  ENTRIES,
  type Entry,
  type Option,
  OVERRIDES,
  PART_NAMES,
  type Part,
  PRESETS,
  REFERENCE_PROCESSES,
  SECTIONS,
  wordsOf,
} from "../settings/index.ts";

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
function withHint({ flag, field }: Option): string {
  const { hint, arity } = field.kind;
  if (hint === "") return `--${flag}`;
  return `--${flag} ${hint.length <= LONGEST_HINT ? hint : arity === "many" ? "NAME …" : "NAME"}`;
}

/** The default of an option as words; undefined where it has none. */
const defaultWords = (option: Option): string | undefined =>
  "default" in option.field ? wordsOf(option, option.field.default).join(" ") : undefined;

function sentence(option: Option): string {
  const usual = defaultWords(option);
  if (usual === undefined) return option.owner ? `${option.field.help} (required)` : option.field.help;
  return usual === "none" || usual === "false" ? option.field.help : `${option.field.help} (${usual})`;
}

const table = (options: readonly Option[]): string[] =>
  columns(options.map((option) => [withHint(option), sentence(option)]));

/** Flags with their defaults only, for the overview. */
const folded = (options: readonly Option[]): string =>
  options.map((option) => `--${option.flag} ${defaultWords(option) ?? "(required)"}`).join("  ");

/** The options that every name of a part has, alike. */
const shared = (part: Part): readonly Option[] =>
  ENTRIES[part][0].options.filter((option) =>
    ENTRIES[part].every(({ options }) =>
      options.some(
        (other) =>
          other.flag === option.flag &&
          other.field.kind.expected === option.field.kind.expected &&
          defaultWords(other) === defaultWords(option),
      ),
    ),
  );

const PART_TITLES: Readonly<Record<Part, string>> = {
  opt: "Optimizer",
  data: "Data",
  arch: "Network",
};

function partOverview(part: Part): string[] {
  const common = shared(part);
  const own = ({ options }: Entry): readonly Option[] =>
    options.filter((option) => !common.some(({ flag }) => flag === option.flag));
  const first = new Map<string, string>();
  const flags = (entry: Entry): string => {
    const words = folded(own(entry));
    const like = first.get(words);
    first.set(words, like ?? entry.name);
    if (words === "") return "";
    return like === undefined ? `:  ${words}` : `:  as ${like}`;
  };
  return [
    `${PART_TITLES[part]}, ${part}:NAME (without it ${part}:${defaultRun.selection[part]})`,
    ...columns([
      ...ENTRIES[part].map((entry) => [entry.name, entry.help + flags(entry)] as const),
      ...(part === "opt" ? [OWN_RULE] : []),
    ]),
    ...(common.length > 0 ? table(common) : []),
  ];
}

/** The optimizer that has no name. */
const OWN_RULE = [
  "./FILE.ts",
  "an update rule of your own, with options of its own (docs/own-rule.md)",
] as const;

const defaultRunWords = (): string =>
  Object.entries(defaultRun.values)
    .map(([flag, value]) => `--${flag} ${value}`)
    .join(" ");

function runHelp(): string[] {
  const processes = REFERENCE_PROCESSES.join(",");
  const common = OVERRIDES.filter(({ path }) => path[0] === REFERENCE_PROCESSES[0]).length;
  return [
    "central-flows run [opt:NAME] [data:NAME] [arch:NAME] [flags]",
    "",
    "Runs an optimizer and its flows side by side and writes config.json, data.hdf5 and report.html.",
    ...wrap(
      `Parts that are not named, and --steps where none is, are those of the default run: ${defaultRunWords()}.`,
      WIDTH,
    ),
    "Values follow after a space or =; hyphens and underscores are alike. Defaults stand in parentheses.",
    "central-flows help arch:vit explains the flags of one name.",
    "",
    "Example",
    "  central-flows run opt:rmsprop data:moons arch:mlp --opt.lr 0.02 --opt.beta2 0.95 --arch.width 12",
    ...PART_NAMES.flatMap((part) => ["", ...partOverview(part)]),
    ...SECTIONS.flatMap(({ title, options }) => ["", title, ...table(options)]),
    "",
    "More",
    ...columns([
      [`--{${processes}}.eig.*`, `the ${common} eigenvalue settings for one process alone`],
      ["--preset NAME", "a run by name (help presets lists them); flags win"],
      ["--config FILE", "a config.json to start from, ours or theirs; flags win"],
      ["--no-FLAG, --FLAG false", "turns a switch off, e.g. --no-eig.raw-eigenvalues"],
      ["--device NAME", "accepted and ignored"],
    ]),
  ];
}

/** What makes the example of one name a whole run: sequences do not fit the default data or network. */
function companion(part: Part, { name }: Entry): string {
  if (part === "data" && ["sst2", "sorting", "copying"].includes(name)) return " arch:lstm";
  if (part === "arch" && ["lstm", "transformer", "mamba"].includes(name))
    return " data:sorting --data.criterion ce";
  return "";
}

function entryHelp(part: Part, entry: Entry): string[] {
  const required = entry.options.filter((option) => defaultWords(option) === undefined);
  const example = required.map(({ flag, field }) => ` --${flag} ${field.example}`).join("");
  return [
    `${part}:${entry.name}: ${entry.help}`,
    "",
    ...table(entry.options),
    "",
    "Example",
    `  central-flows run ${part}:${entry.name}${example}${companion(part, entry)}`,
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

const SMALL: Readonly<Record<string, readonly string[]>> = {
  verify: [
    "central-flows verify PATH… [--json] [--backend auto|js|wasm] [--threads N|auto]",
    "",
    "Checks the engine against fixtures: folders of NAME.json and NAME.npz, or such files. Prints the",
    "relative error, the tolerance and the verdict of every quantity; exit status 1 if one fails.",
    "",
    ...columns([
      ["--json", "print one array of {case, quantity, error, tolerance, pass} instead"],
      ["--backend", "the backend to check; default auto"],
      ["--threads", "threads to evaluate with; the same bits whatever their number; default auto"],
    ]),
    "",
    "Example",
    "  central-flows verify fixtures/derivatives",
  ],
  report: [
    "central-flows report DIR [--follow]",
    "",
    "Writes report.html again from the rows and config.json in the folder of a run, ended or not.",
    "",
    ...columns([
      ["--follow", "again and again while the run goes; the open page loads itself until it is finished"],
    ]),
    "",
    "Example",
    "  central-flows report experiments/my-run",
  ],
  compare: [
    "central-flows compare DIR… [--by step|time] [--output FILE] [--json]",
    "",
    "Compares runs, finished or not: prints a table of runs and processes (loss, sharpness, accuracy,",
    "distances, predictions) and writes one page with the runs in one picture and side by side. DIR is",
    "the folder of a run, or one that holds such folders.",
    "",
    ...columns([
      ["--by step|time", "compare at the last step that all have, or at the last time, η times steps (step)"],
      ["--output FILE", "the page to write (comparison.html)"],
      ["--json", "print the table as JSON"],
    ]),
    "",
    "Example",
    "  central-flows compare experiments/first experiments/second --by time",
  ],
  resume: [
    "central-flows resume DIR [--steps N] [--quiet] [--json]",
    "",
    "Continues a run that was stopped, from its last checkpoint, to the same bits. A rule file of the run",
    "is run again, with all rights of this process.",
    "",
    ...columns([
      ["--steps N", "steps in all, instead of those in its config.json"],
      ["--quiet", "no progress"],
      ["--json", "print the summary as JSON"],
    ]),
    "",
    "Example",
    "  central-flows resume experiments/my-run --steps 2000",
  ],
  export: [
    "central-flows export DIR [--process NAME] [--step N] [--output FILE]",
    "",
    "Writes weights of a run, each parameter by its name in its shape as PyTorch has them, all float64:",
    "an .npz file, which also has them all in one vector w, or a .safetensors file. --init reads both.",
    "",
    ...columns([
      ["--process NAME", "discrete, midpoint, central or stable (discrete)"],
      ["--step N", "of checkpoint_N.npz (the last checkpoint, at its end the run's final weights)"],
      ["--output FILE", "the file to write, .npz or .safetensors (weights.npz in the folder)"],
    ]),
    "",
    "Example",
    "  central-flows export experiments/my-run --process central --output flow.npz",
  ],
  claim: [
    "central-flows claim NAME [--out DIR] [--steps N] [--quiet] [--json]",
    "",
    "Measures a finding of the paper again, prints numbers and a verdict, and writes a page with the",
    "figures: prediction, adaptation, acceleration, or all. A minute or some the first time; runs that",
    "have ended are used again. Exit status 0 whatever the verdict.",
    "",
    ...columns([
      ["--out DIR", "the folder of runs and page (claims in EXPERIMENT_DIR or experiments)"],
      ["--steps N", "steps of each run, instead of its preset's: for a quick look"],
      ["--quiet", "no progress"],
      ["--json", "print numbers and verdicts as JSON"],
    ]),
    "",
    "Example",
    "  central-flows claim adaptation --out my-claims",
  ],
  info: [
    "central-flows info [--json]",
    "",
    "Prints the machine, the backends it can run, its threads and the measured rate of matrix products.",
    "",
    "Example",
    "  central-flows info --json",
  ],
  version: ["central-flows version", "", "Prints the version.", "", "Example", "  central-flows version"],
  help: [
    "central-flows help [COMMAND | presets | opt:NAME | data:NAME | arch:NAME]",
    "",
    "Explains a command, lists the presets, or explains the flags of one optimizer, data set or network.",
    "",
    "Example",
    "  central-flows help arch:resnet",
  ],
};

const OVERVIEW: readonly string[] = [
  "central-flows: an optimizer and the smooth flow that its averaged trajectory follows, side by side",
  "",
  "central-flows COMMAND",
  ...columns([
    ["run", "simulate; without further words, the default run of some fifteen seconds"],
    ["verify PATH…", "check the engine against reference fixtures"],
    ["report DIR", "write the HTML report of a run again"],
    ["compare DIR…", "hold runs against each other: one table, one page"],
    ["resume DIR", "continue a run that was stopped"],
    ["export DIR", "write the weights of a run as an .npz file"],
    ["claim NAME", "measure a finding of the paper: prediction, adaptation, acceleration, or all"],
    ["info", "machine, backends, threads, speed"],
    [
      "help [COMMAND]",
      "explain a command; help presets lists runs by name, help arch:vit explains one network",
    ],
    ["version", "print the version"],
  ]),
  "",
  "Example",
  "  central-flows run opt:gd data:digits arch:mlp --opt.lr 0.05 --arch.width 32 --steps 300",
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
    for (const part of PART_NAMES) {
      const entry = ENTRIES[part].find(({ name }) => topic === `${part}:${name}`);
      if (entry !== undefined) return entryHelp(part, entry);
    }
    return SMALL[topic] ?? OVERVIEW;
  })();
  return lines.join("\n");
}
