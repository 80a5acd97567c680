import { PROCESS_KINDS } from "../flows/index.ts";
import { OWN, OWN_CLASS, ownOptionsOf } from "./custom.ts";
import {
  choice,
  countOrMinusOne,
  flag,
  folderName,
  integer,
  type Kind,
  list,
  memorySize,
  nameSet,
  number,
  orWord,
  text,
} from "./kinds.ts";
import {
  architectures,
  dataSets,
  everyOptimizer,
  type Field,
  type Fields,
  optimizers,
  ownRuleRecord,
} from "./parts.ts";
import {
  type CentralConfig,
  type CheckpointConfig,
  type DiscreteConfig,
  type EigConfig,
  type EigOverride,
  type GeneralConfig,
  type IntegratorName,
  type LoadConfig,
  type LogConfig,
  type Part,
  REFERENCE_PROCESSES,
  type Selection,
  type StableConfig,
} from "./types.ts";

const general: Fields<GeneralConfig> = {
  runs: {
    kind: nameSet(...PROCESS_KINDS),
    default: REFERENCE_PROCESSES,
    help: "discrete, midpoint, central, stable; for RMSProp also stationary, ablated",
  },
  steps: { kind: integer({ min: 1 }), default: 50, help: "steps to take" },
  warmStart: { kind: integer({ min: -1 }), default: -1, help: "discrete steps before the start; -1: none" },
  seed: { kind: integer({ min: 0 }), default: 0, help: "seed of the initial weights" },
  expid: { kind: folderName, help: "name of the output folder (default: random)" },
  init: {
    kind: orWord(text("FILE"), "none", null),
    default: null,
    help: "initial weights: .npz or .safetensors, by name, or w",
  },
  backend: { kind: choice("auto", "js", "wasm"), default: "auto", help: "what computes; same bits" },
  threads: { kind: orWord(integer({ min: 1 }), "auto", "auto"), default: "auto", help: "threads; same bits" },
  memory: {
    kind: orWord(memorySize, "auto", "auto"),
    default: "auto",
    help: "budget for what chunks keep, e.g. 512MiB",
  },
  chunk: {
    kind: orWord(integer({ min: 1 }), "auto", "auto"),
    default: "auto",
    help: "examples computed at once",
  },
  out: {
    kind: orWord(text("DIR"), "none", null),
    default: null,
    help: "output folder (default: experiments/NAME)",
  },
  quiet: { kind: flag, default: false, help: "no progress" },
  json: { kind: flag, default: false, help: "print the summary as JSON" },
  profile: { kind: flag, default: false, help: "measure each stage of the derivatives, print it at the end" },
};

const eig: Fields<EigConfig> = {
  frequency: {
    kind: countOrMinusOne,
    default: -1,
    help: "steps between eigenvalue computations; -1: never",
  },
  trackThreshold: { kind: number({ over: 0 }), default: 1.5, help: "track every eigenvalue above this" },
  initialNeigs: { kind: integer({ min: 1 }), default: 1, help: "eigenvalues tracked at first" },
  solver: {
    kind: choice("lobpcg", "scipy", "lanczos"),
    default: "lobpcg",
    help: "eigensolver; scipy means lanczos",
  },
  tol: { kind: number({ over: 0, under: 1 }), default: 1e-10, help: "tolerance of the eigensolver" },
  chunkSize: { kind: countOrMinusOne, default: -1, help: "directions applied at once; -1: all" },
  rawEigenvalues: { kind: flag, default: true, help: "also log eigenvalues of the plain Hessian" },
};

const integrator: Field<IntegratorName> = {
  kind: choice("auto", "euler", "leapfrog"),
  default: "auto",
  help: "auto: leapfrog with momentum, else euler",
};

const central: Fields<CentralConfig> = {
  nsubsteps: { kind: integer({ min: 1 }), default: 4, help: "substeps in a step" },
  integrator,
  sdcpThreshold: {
    kind: number({ over: 0, max: 2 }),
    default: 1.95,
    help: "eigenvalues above this may be critical",
  },
  frequencyInSubsteps: { kind: flag, default: false, help: "the eigenvalue frequency counts substeps" },
};

const stable: Fields<StableConfig> = {
  minNsubsteps: { kind: integer({ min: 1 }), default: 4, help: "least number of substeps" },
  integrator,
  maxSeff: {
    kind: orWord(number({ over: 0 }), "none", null),
    default: 100,
    help: "stop above this effective sharpness",
    spelled: "max-Seff",
  },
};

const discrete: Fields<DiscreteConfig> = {
  precision: {
    kind: choice("float64", "float32"),
    default: "float64",
    help: "what the optimizer's weights are rounded to after each step; flows stay in float64",
  },
};

const log: Fields<LogConfig> = {
  outputsEvery: {
    kind: integer({ min: 1 }),
    default: 10,
    help: "rows between those that hold network outputs; 1: every row, as the reference",
  },
};

const checkpoint: Fields<CheckpointConfig> = {
  frequency: { kind: countOrMinusOne, default: -1, help: "steps between checkpoints; -1: none" },
  steps: { kind: list(integer({ min: 0 })), default: [], help: "steps to save besides" },
};

const load: Fields<LoadConfig> = {
  path: { kind: orWord(text("FILE"), "none", null), default: null, help: "a checkpoint to continue from" },
  fromProcess: {
    kind: orWord(choice(...REFERENCE_PROCESSES), "none", null),
    default: null,
    help: "take this one of its processes for all",
  },
};

/** One setting of a run: where it stands on the command line, in RunConfig and in config.json. */
export interface Option {
  /** The flag without its two hyphens, as help prints it: `opt.bias-correction`. */
  readonly flag: string;
  /** Keys in RunConfig. */
  readonly path: readonly string[];
  /** Keys in config.json. */
  readonly json: readonly string[];
  readonly field: Field<unknown>;
  /** The optimizer, data set or architecture whose setting it is, if it is one's. */
  readonly owner?: { readonly part: Part; readonly name: string };
}

/** Options under one heading. */
export interface Section {
  readonly title: string;
  readonly options: readonly Option[];
}

function rows(
  fields: Readonly<Record<string, Field<unknown>>>,
  prefix: string,
  path: readonly string[],
  json: readonly string[],
  owner?: Option["owner"],
): Option[] {
  return Object.entries(fields).map(([key, field]) => {
    const spelled = field.spelled ?? key.replace(/[A-Z]/g, (capital) => `-${capital.toLowerCase()}`);
    return {
      flag: prefix + spelled,
      path: [...path, key],
      json: [...json, spelled.replaceAll("-", "_")],
      field,
      owner,
    };
  });
}

/** The optimizers, data sets and architectures: every name with its class name, its sentence and its fields. */
export const PARTS = { opt: optimizers, data: dataSets, arch: architectures } as const;
export const PART_NAMES = ["opt", "data", "arch"] as const satisfies readonly Part[];

/** What PARTS says of one name. */
export interface Entry {
  readonly name: string;
  readonly className: string;
  readonly help: string;
  readonly options: readonly Option[];
}

/** Every name of a part, in order. */
export const ENTRIES: { readonly [P in Part]: readonly Entry[] } = {
  opt: entries("opt"),
  data: entries("data"),
  arch: entries("arch"),
};

function entries(part: Part): Entry[] {
  return Object.entries(PARTS[part]).map(([name, { className, help, fields }]) => ({
    name,
    className,
    help,
    options: rows(fields, `${part}.`, [part], [part], { part, name }),
  }));
}

const nullable = <V>({ kind, help, spelled }: Field<V>): Field<V | null> => ({
  kind: orWord(kind, "none", null),
  default: null,
  help,
  spelled,
});

const eigOverrides: Fields<EigOverride> = {
  frequency: nullable(eig.frequency),
  trackThreshold: nullable(eig.trackThreshold),
  initialNeigs: nullable(eig.initialNeigs),
  solver: nullable(eig.solver),
  tol: nullable(eig.tol),
  chunkSize: nullable(eig.chunkSize),
  rawEigenvalues: nullable(eig.rawEigenvalues),
};

const section = (
  title: string,
  fields: Readonly<Record<string, Field<unknown>>>,
  prefix: string,
  json: string,
) => ({
  title,
  options: rows(fields, `${prefix}.`, [prefix], [json]),
});

/** The settings that every run has, besides the per-process eigenvalue settings. */
export const SECTIONS: readonly Section[] = [
  { title: "Run", options: rows(general, "", [], []) },
  section("Eigenvalues", eig, "eig", "eig_config"),
  section("Central flow", central, "central", "central_config"),
  section("Stable flow", stable, "stable", "stable_config"),
  section("Checkpoints", checkpoint, "checkpoint", "checkpointer"),
  section("Starting from a checkpoint", load, "load", "load"),
  section("What is logged", log, "log", "log"),
  section("Optimizer's arithmetic", discrete, "discrete", "discrete_config"),
];

/** Eigenvalue settings of one process: `--central.eig.frequency` and the like. */
export const OVERRIDES: readonly Option[] = REFERENCE_PROCESSES.flatMap((process) =>
  rows(eigOverrides, `${process}.eig.`, [process, "eig"], [`${process}_config`, "eig"]),
);

const COMMON: readonly Option[] = [...SECTIONS.flatMap(({ options }) => options), ...OVERRIDES];

/** Every option there is; an option of several names occurs once for each. */
export const OPTIONS: readonly Option[] = [
  ...PART_NAMES.flatMap((part) => ENTRIES[part].flatMap(({ options }) => options)),
  ...COMMON,
];

/** A custom rule, with the options that it declares. */
function ownEntry(options: NonNullable<Selection["ownOptions"]>): Entry {
  const owner = { part: "opt", name: OWN } as const;
  const { lr, ...common } = everyOptimizer;
  const fields = {
    ...ownRuleRecord,
    lr: typeof options.lr === "number" ? { ...lr, default: options.lr } : lr,
    ...common,
  };
  return {
    name: OWN,
    className: OWN_CLASS,
    help: "an update rule of your own",
    options: [...rows(fields, "opt.", ["opt"], ["opt"], owner), ...ownOptionsOf(options, owner)],
  };
}

/** What is to be known of the optimizer, data set or network that a run has; undefined for a name that is not there. */
export const entryOf = (part: Part, selection: Selection): Entry | undefined =>
  part === "opt" && selection.opt === OWN
    ? ownEntry(selection.ownOptions ?? {})
    : ENTRIES[part].find((entry) => entry.name === selection[part]);

/** The options that a run with these parts has, each flag once. */
export const optionsOf = (selection: Selection): readonly Option[] => [
  ...PART_NAMES.flatMap((part) => entryOf(part, selection)?.options ?? []),
  ...COMMON,
];

/** The words that set an option to a value, without the flag. */
export const wordsOf = (option: Option, value: unknown): readonly string[] =>
  (option.field.kind as Kind<unknown>).format(value);

/** The value of an option in a configuration; undefined if it has none. */
export function valueAt(config: object, path: readonly string[]): unknown {
  let value: unknown = config;
  for (const key of path) {
    if (typeof value !== "object" || value === null) return undefined;
    value = Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined;
  }
  return value;
}

/** Sets the value under keys, making the objects on the way. */
export function placeAt(target: Record<string, unknown>, path: readonly string[], value: unknown): void {
  let at = target;
  for (const key of path.slice(0, -1)) {
    at[key] ??= {};
    at = at[key] as Record<string, unknown>;
  }
  at[path[path.length - 1]] = value;
}
