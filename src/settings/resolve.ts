import { checkIgnored, isIgnored, valueError } from "../base/index.ts";
import { checkRun, relyingOnCommonFrequency, selectionOf } from "./checks.ts";
import { fileWord } from "./custom.ts";
import {
  FAMILIES,
  type Families,
  type Option,
  optionsOf,
  PART_NAMES,
  placeAt,
  slotsOf,
  valueAt,
  wordsOf,
} from "./table.ts";
import type { PartName, RunConfig, Selection } from "./types.ts";

/** What a configuration says: the names of its parts and, by flag, the values given. */
export interface Settings {
  readonly selection: Selection;
  /** Values by flag, without hyphens before it, spelled as in the table; each already of its kind. */
  readonly values: ReadonlyMap<string, unknown>;
}

/**
 * The run without any flag: gradient descent at the edge of stability in some fifteen seconds. Chosen in
 * some sixty runs, the last over three seeds, so that the flow is seen to be followed: a warm start past the first burst,
 * and the optimizer in float32, whose rounding keeps its oscillation from dying below the edge. The central flow is farther
 * from the optimizer than the stable flow in 1 % of the steps at the edge (from seeds 1 and 2 in fewer than 5 %), a tenth as
 * far in the median, and has two eigenvalues there in ninety of its steps. Its values of opt, data or arch hold wherever
 * that part is not named; the others hold where no part is named.
 */
export const defaultRun: {
  readonly selection: { readonly [P in PartName]: string };
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

/** The parts of the default run. */
export const defaultSelection = (families: Families = FAMILIES): Selection =>
  Object.fromEntries(
    PART_NAMES.map((part) => [part, families[part][defaultRun.selection[part]]]),
  ) as unknown as Selection;

/** The settings before any flag: those of the default run that hold when these parts are named. */
export function startingSettings(named: Partial<Selection>): Settings {
  const unnamed = PART_NAMES.filter((part) => named[part] === undefined);
  const holds = (flag: string): boolean => {
    const part = PART_NAMES.find((candidate) => flag.startsWith(`${candidate}.`));
    return part === undefined ? unnamed.length === PART_NAMES.length : unnamed.includes(part);
  };
  return {
    selection: { ...defaultSelection(), ...named },
    values: new Map(Object.entries(defaultRun.values).filter(([flag]) => holds(flag))),
  };
}

/** Sixteen random hexadecimal digits. */
export const randomExpid = (): string => crypto.randomUUID().replaceAll("-", "").slice(0, 16);

function requireAll(options: readonly Option[], values: ReadonlyMap<string, unknown>): void {
  const missing = options.filter(({ flag, setting }) => !values.has(flag) && !("default" in setting));
  if (missing.length === 0) return;
  const { owner } = missing[0];
  const file = owner && values.get(`${owner.part}.file`);
  const together = missing.filter((option) => option.owner?.part === owner?.part);
  throw valueError(
    "run",
    `${together.map(({ flag }) => `--${flag}`).join(" and ")}${owner ? `, required by ${owner.part}:${file ?? owner.name}` : ""}`,
    "none",
    `for example ${together.map(({ flag, setting }) => `--${flag} ${setting.example}`).join(" ")}`,
  );
}

/** Sentences on values of settings that change nothing; throws where one asks for what is not here. */
function ignoredNotices(options: readonly Option[], values: ReadonlyMap<string, unknown>): string[] {
  return options.flatMap(({ flag, setting }) => {
    const value = values.get(flag);
    if (!isIgnored(setting) || value === undefined || value === setting.default) return [];
    checkIgnored(`--${flag}`, setting, value);
    return [`--${flag} ${value} is ignored: ${setting.ignored}`];
  });
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
  { selection, values: given }: Settings,
  newExpid: () => string = randomExpid,
  families: Families = FAMILIES,
): { config: RunConfig; notices: string[] } {
  const options = optionsOf(selection);
  const values = new Map(given);
  if (!values.has("expid")) values.set("expid", newExpid());
  requireAll(options, values);
  const config: Record<string, unknown> = {};
  for (const [slot, { name, nested }] of slotsOf(selection))
    config[slot] = { name, ...(nested && { options: {} }) };
  for (const { flag, path, setting } of options)
    if (!isIgnored(setting)) placeAt(config, path, values.has(flag) ? values.get(flag) : setting.default);

  // RunConfig is made of the values of the same settings, so every key has been placed.
  const draft = config as unknown as RunConfig;
  const blind = relyingOnCommonFrequency(draft);
  const notices = ignoredNotices(options, values);
  if (values.has("eig.frequency") || blind.length === 0)
    return { config: draft, notices: [...notices, ...checkRun(draft, selection, families)] };
  const resolved: RunConfig = { ...draft, eig: { ...draft.eig, frequency: 1 } };
  const notice = `--eig.frequency is 1: ${blind.join(" and ")} need eigenvalues (the reference's default, -1, computes none)`;
  return { config: resolved, notices: [...notices, notice, ...checkRun(resolved, selection, families)] };
}

/** The command line of a configuration, without the words before it: parts named, and each value that is not its default. */
export function toFlags(config: RunConfig): string[] {
  const selection = selectionOf(config);
  const words = slotsOf(selection).flatMap(([slot, part]) =>
    part.fileKind !== undefined
      ? [fileWord(part.fileKind, String(valueAt(config, [slot, "file"])))]
      : part.name === "none"
        ? []
        : [`${slot}:${part.name}`],
  );
  for (const option of optionsOf(selection)) {
    if (option.setting.recorded || isIgnored(option.setting)) continue;
    const value = valueAt(config, option.path);
    const written = wordsOf(option, value);
    // The defaults of what a file declares are in the file, which is not read here.
    const owner = option.owner && selection[option.owner.part];
    const usual =
      "default" in option.setting &&
      owner?.nested === undefined &&
      wordsOf(option, option.setting.default).join(" ") === written.join(" ");
    // Written out even where it is −1, because a flow that needs it makes the default 1.
    if (usual && option.flag !== "eig.frequency") continue;
    if (written.length === 1) words.push(`--${option.flag}=${written[0]}`);
    else words.push(`--${option.flag}`, ...written);
  }
  return words;
}
