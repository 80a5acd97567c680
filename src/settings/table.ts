import { isIgnored, type Setting, type Settings } from "../base/index.ts";
import { datasets } from "../data/index.ts";
import { optimizers } from "../flows/index.ts";
import { architectures } from "../models/index.ts";
import {
  central,
  checkpoint,
  discrete,
  edge,
  eig,
  eigOverrides,
  general,
  load,
  log,
  noisy,
  REFERENCE_PROCESSES,
  rod,
  stable,
  stableEigOverrides,
  twoStep,
} from "./general.ts";
import type { AnyPart, PartName, Selection, SlotName } from "./types.ts";
import { writeWords } from "./words.ts";

/** The three parts of a run, in the order in which configurations hold them. */
export const PART_NAMES = ["opt", "data", "arch"] as const satisfies readonly PartName[];

/** What a run is made of: its three parts, and a quantity of the user's where there is one. */
export const slotsOf = (selection: Selection): readonly (readonly [SlotName, AnyPart])[] => [
  ...PART_NAMES.map((part) => [part, selection[part]] as const),
  ...(selection.observe ? [["observe", selection.observe] as const] : []),
];

/** The lists of optimizers, data sets and networks that there are by name. */
export type Families = { readonly [P in PartName]: Readonly<Record<string, AnyPart>> };

/** Those that are built in. */
export const FAMILIES: Families = { opt: optimizers, data: datasets, arch: architectures };

/** One setting of a run: where it stands on the command line, in RunConfig and in config.json. */
export interface Option {
  /** The flag without its two hyphens, as help prints it: `opt.bias-correction`. */
  readonly flag: string;
  /** Keys in RunConfig. */
  readonly path: readonly string[];
  /** Keys in config.json. */
  readonly json: readonly string[];
  readonly setting: Setting<unknown>;
  /** The optimizer, data set or network whose setting it is, if it is one's. */
  readonly owner?: { readonly part: SlotName; readonly name: string };
}

/** Options under one heading. */
export interface Section {
  readonly title: string;
  readonly options: readonly Option[];
  /** Where help has no room for more than flags with their defaults: where they are explained. */
  readonly explained?: string;
}

/** The word of a flag for a camel-case name. */
export const hyphenated = (key: string): string =>
  key.replace(/[A-Z]/g, (capital) => `-${capital.toLowerCase()}`);

const rows = (
  settings: Settings,
  prefix: string,
  path: readonly string[],
  json: readonly string[],
  owner?: Option["owner"],
): Option[] =>
  Object.entries(settings).map(([key, setting]) => {
    const spelled = setting.spelled ?? hyphenated(key);
    return {
      flag: prefix + spelled,
      path: [...path, key],
      // What a file declares keeps its name.
      json: [...json, json.includes("options") ? key : spelled.replaceAll("-", "_")],
      setting,
      owner,
    };
  });

const known = new WeakMap<AnyPart, readonly Option[]>();

/** The options of an optimizer, data set or network. */
export function partOptions(part: SlotName, chosen: AnyPart): readonly Option[] {
  const found = known.get(chosen);
  if (found !== undefined) return found;
  const owner = { part, name: chosen.name };
  const options = [
    ...rows(chosen.settings, `${part}.`, [part], [part], owner),
    ...rows(chosen.nested ?? {}, `${part}.`, [part, "options"], [part, "options"], owner),
  ];
  known.set(chosen, options);
  return options;
}

const section = (title: string, settings: Settings, prefix: string, json: string): Section => ({
  title,
  options: rows(settings, `${prefix}.`, [prefix], [json]),
});

/** The settings that every run has, besides the per-process eigenvalue settings. */
export const SECTIONS: readonly Section[] = [
  { title: "Run", options: rows(general, "", [], []) },
  section("Eigenvalues", eig, "eig", "eig_config"),
  {
    title: "Central and stable flow",
    options: [
      ...rows(central, "central.", ["central"], ["central_config"]),
      ...rows(stable, "stable.", ["stable"], ["stable_config"]),
    ],
  },
  {
    title: "Other flows",
    explained: "docs/beyond.md",
    options: [
      ...rows(twoStep, "two-step.", ["twoStep"], ["two_step_config"]),
      ...rows(rod, "rod.", ["rod"], ["rod_config"]),
      ...rows(edge, "edge.", ["edge"], ["edge_config"]),
    ],
  },
  {
    title: "Checkpoints",
    options: [
      ...rows(checkpoint, "checkpoint.", ["checkpoint"], ["checkpointer"]),
      ...rows(load, "load.", ["load"], ["load"]),
    ],
  },
  {
    title: "Noise, rounding and logging",
    options: [
      ...rows(noisy, "noisy.", ["noisy"], ["noisy_config"]),
      ...rows(log, "log.", ["log"], ["log"]),
      ...rows(discrete, "discrete.", ["discrete"], ["discrete_config"]),
    ],
  },
];

/** Eigenvalue settings of one process: `--central.eig.frequency` and the like. */
export const OVERRIDES: readonly Option[] = REFERENCE_PROCESSES.flatMap((process) =>
  rows(
    process === "stable" ? stableEigOverrides : eigOverrides,
    `${process}.eig.`,
    [process, "eig"],
    [`${process}_config`, "eig"],
  ),
);

const COMMON: readonly Option[] = [...SECTIONS.flatMap(({ options }) => options), ...OVERRIDES];

/** Every option there is; an option of several names occurs once for each. */
export const optionsOfAll = (families: Families = FAMILIES): readonly Option[] => [
  ...PART_NAMES.flatMap((part) => Object.values(families[part]).flatMap((each) => partOptions(part, each))),
  ...COMMON,
];

/** The options that a run with these parts has, each flag once. */
export const optionsOf = (selection: Selection): readonly Option[] => [
  ...slotsOf(selection).flatMap(([slot, part]) => partOptions(slot, part)),
  ...COMMON,
];

/** The flags that are read and change nothing, each with the reason. */
export const IGNORED: ReadonlyMap<string, string> = new Map(
  optionsOfAll().flatMap(({ flag, setting }) =>
    isIgnored(setting) ? [[flag, setting.only ? `only ${setting.default}` : setting.ignored]] : [],
  ),
);

/** The words that set an option to a value, without the flag. */
export const wordsOf = ({ setting }: Option, value: unknown): readonly string[] =>
  writeWords(setting.kind, value);

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

/** The values of an optimizer, data set or network by camel-case name, without its own name. */
export function valuesOf({ name: _, ...values }: { readonly name: string }): Record<string, unknown> {
  return values;
}
