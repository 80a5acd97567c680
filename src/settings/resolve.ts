import { valueError } from "../base/index.ts";
import { checkRun, relyingOnCommonFrequency, selectionOf } from "./checks.ts";
import { OWN } from "./custom.ts";
import { type Option, optionsOf, PART_NAMES, placeAt, valueAt, wordsOf } from "./table.ts";
import type { RunConfig, Selection } from "./types.ts";

/** What a configuration says: the names of its parts and, by flag, the values given. */
export interface Settings {
  readonly selection: Selection;
  /** Values by flag, without hyphens before it, spelled as in the table; each already of its kind. */
  readonly values: ReadonlyMap<string, unknown>;
}

/**
 * The run without any flag: gradient descent at the edge of stability in some fifteen seconds. Chosen among some fifty
 * settings, over three seeds each, so that the flow is seen to be followed: a warm start past the first burst, and the
 * optimizer in float32, whose rounding keeps its oscillation from dying below the edge. The central flow is farther from the
 * optimizer than the stable flow in 1 % of the steps at the edge (seeds 1 and 2: none), at most a tenth as far in the
 * median, and has two eigenvalues there in ninety of its steps. Its values of opt, data or arch hold wherever that part is not named;
 * the others hold where no part is named.
 */
export const defaultRun: {
  readonly selection: Selection;
  readonly values: Readonly<Record<string, number | string>>;
} = {
  selection: { opt: "gd", data: "digits", arch: "mlp" },
  values: {
    "opt.lr": 0.3,
    "data.n": 200,
    "arch.width": 12,
    steps: 250,
    "warm-start": 60,
    "discrete.precision": "float32",
    "eig.frequency": 1,
  },
};

/** The settings before any flag: those of the default run that hold when these parts are named. */
export function startingSettings(named: Partial<Selection>): Settings {
  const unnamed = PART_NAMES.filter((part) => named[part] === undefined);
  const holds = (flag: string): boolean => {
    const part = PART_NAMES.find((candidate) => flag.startsWith(`${candidate}.`));
    return part === undefined ? unnamed.length === PART_NAMES.length : unnamed.includes(part);
  };
  return {
    selection: { ...defaultRun.selection, ...named },
    values: new Map(Object.entries(defaultRun.values).filter(([flag]) => holds(flag))),
  };
}

/** Sixteen random hexadecimal digits. */
export const randomExpid = (): string => crypto.randomUUID().replaceAll("-", "").slice(0, 16);

function requireAll(options: readonly Option[], values: ReadonlyMap<string, unknown>): void {
  const missing = options.filter(({ flag, field }) => !values.has(flag) && !("default" in field));
  if (missing.length === 0) return;
  const { owner } = missing[0];
  const together = missing.filter((option) => option.owner?.part === owner?.part);
  throw valueError(
    "run",
    `${together.map(({ flag }) => `--${flag}`).join(" and ")}${owner ? `, required by ${owner.part}:${owner.name === OWN ? values.get("opt.file") : owner.name}` : ""}`,
    "none",
    `for example ${together.map(({ flag, field }) => `--${flag} ${field.example}`).join(" ")}`,
  );
}

/**
 * The configuration that settings amount to: defaults filled in, everything checked.
 *
 * eig.frequency is 1, not the reference's −1 (never), when it is not given and a flow among the processes needs
 * eigenvalues; a notice says so.
 *
 * @param newExpid names the run if its settings do not
 * @throws InputValueError for a missing or impossible setting
 */
export function resolveRun(
  settings: Settings,
  newExpid: () => string = randomExpid,
): { config: RunConfig; notices: string[] } {
  const options = optionsOf(settings.selection);
  const values = new Map(settings.values);
  if (!values.has("expid")) values.set("expid", newExpid());
  requireAll(options, values);
  const config: Record<string, unknown> = {};
  for (const part of PART_NAMES) config[part] = { name: settings.selection[part] };
  for (const { flag, path, field } of options)
    placeAt(config, path, values.has(flag) ? values.get(flag) : field.default);

  // Fields<…> in the table has a field for each key of RunConfig, so every key has been placed.
  const draft = config as unknown as RunConfig;
  const blind = relyingOnCommonFrequency(draft);
  if (values.has("eig.frequency") || blind.length === 0) return { config: draft, notices: checkRun(draft) };
  const resolved: RunConfig = { ...draft, eig: { ...draft.eig, frequency: 1 } };
  const notice = `--eig.frequency is 1: ${blind.join(" and ")} need eigenvalues (the reference's default, -1, computes none)`;
  return { config: resolved, notices: [notice, ...checkRun(resolved)] };
}

/**
 * The options of an optimizer, data set or architecture by camel-case name, without its own name. Null, which
 * stands for the layer's own choice, is left out.
 */
export function partOptions({ name: _, ...options }: { readonly name: string }): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== null));
}

/** The command line of a configuration, without the words before it: parts named, and each value that is not its default. */
export function toFlags(config: RunConfig): string[] {
  const selection = selectionOf(config);
  const words = PART_NAMES.map((part) =>
    part === "opt" && config.opt.name === "own" ? `opt:${config.opt.file}` : `${part}:${selection[part]}`,
  );
  for (const option of optionsOf(selection)) {
    if (option.field.recorded) continue;
    const value = valueAt(config, option.path);
    const written = wordsOf(option, value);
    // The defaults of a custom rule are in its file, which is not read here.
    const usual =
      "default" in option.field &&
      option.owner?.name !== OWN &&
      wordsOf(option, option.field.default).join(" ") === written.join(" ");
    // Written out even where it is −1, because a flow that needs it makes the default 1.
    if (usual && option.flag !== "eig.frequency") continue;
    if (written.length === 1) words.push(`--${option.flag}=${written[0]}`);
    else words.push(`--${option.flag}`, ...written);
  }
  return words;
}
