import {
  countOrMinusOne,
  either,
  flag,
  number,
  type Setting,
  type Settings,
  text,
  valueError,
} from "../base/index.ts";
import { batchSettings } from "../data/index.ts";
import { lrSetting, stepSettings } from "../flows/index.ts";
import type { AnyPart, FileKind, OptionValue, PartName, SlotName } from "./types.ts";

/** The name that a configuration gives to a part from a file. */
export const OWN = "own";

/** Each kind of file: where it stands in a configuration, by which name, and the class that config.json names for it. */
const KINDS: Readonly<
  Record<
    FileKind,
    { readonly slot: SlotName; readonly name: string; readonly className: string; readonly help: string }
  >
> = {
  opt: { slot: "opt", name: OWN, className: "OwnRule", help: "an update rule of your own" },
  data: { slot: "data", name: OWN, className: "OwnData", help: "data of your own" },
  arch: { slot: "arch", name: OWN, className: "OwnNetwork", help: "a network of your own" },
  loss: { slot: "arch", name: "loss", className: "OwnLoss", help: "a loss of the weights alone" },
  observe: { slot: "observe", name: OWN, className: "OwnQuantity", help: "a quantity of your own" },
};

/** The words before a file. */
export const FILE_KINDS = Object.keys(KINDS) as readonly FileKind[];

/** The kind of file that is a part of this name, in its slot. */
export const ownFileKind = (slot: SlotName, name: string): FileKind => (name === "loss" ? "loss" : slot);

/** Where a kind of file stands in a configuration. */
export const slotOf = (kind: FileKind): SlotName => KINDS[kind].slot;

/** The kind of file whose class config.json names; undefined for another. */
export const fileKindOfClass = (slot: SlotName, className: unknown): FileKind | undefined =>
  FILE_KINDS.find((kind) => KINDS[kind].slot === slot && KINDS[kind].className === className);

/** A file as the command line names it. */
export const fileWord = (kind: FileKind, file: string): string => `${kind}:${file}`;

/** The class that config.json names where a loss of the weights alone needs no data. */
export const NO_DATA_CLASS = "NoData";

/** What stands for data beside a loss of the weights alone. */
export const noData: AnyPart = { name: "none", className: NO_DATA_CLASS, help: "no data", settings: {} };

/** Whether the word after opt: and so on is a file and not a name: it has a slash or ends like a script. */
export const isOwnFile = (word: string): boolean => /[\\/]|\.[cm]?[jt]s$/i.test(word);

/** What config.json keeps of a file besides its options. */
const record = {
  file: { kind: text("FILE"), help: "the file", recorded: true },
  sha256: { kind: text("HASH"), help: "the hash of the file", recorded: true },
} satisfies Settings;

/** What it keeps of a rule more. */
const ruleRecord = {
  criticalValue: {
    kind: either(number({ over: 0 }), "none", null),
    default: null,
    help: "c as the rule gives it",
    recorded: true,
  },
} satisfies Settings;

/** What every data set has that needs no folder. */
const dataSettings = {
  ghostBatchSize: {
    kind: countOrMinusOne,
    default: -1,
    help: "examples per chunk where --chunk is auto; -1: all at once",
  },
  ...batchSettings,
} satisfies Settings;

/** Names in a configuration that options of a file cannot have. */
const taken = (kind: FileKind): readonly string[] => [
  "name",
  "class",
  "options",
  ...Object.keys(record),
  ...(kind === "opt" ? [...Object.keys(ruleRecord), ...Object.keys(stepSettings)] : []),
  ...(kind === "data" ? ["cacheDir", ...Object.keys(dataSettings)] : []),
];

/** The setting that a value declares: it takes values of the value's kind. */
function settingOf(usual: OptionValue): Setting<unknown> {
  const kind = typeof usual === "number" ? number() : typeof usual === "boolean" ? flag : text("TEXT");
  return { kind, default: usual, help: "an option of the file" };
}

/** The settings that plain defaults declare. */
export const settingsOf = (declared: Readonly<Record<string, OptionValue>>): Settings =>
  Object.fromEntries(Object.entries(declared).map(([name, usual]) => [name, settingOf(usual)]));

/**
 * A part from a file as the table of settings sees it: what every part of its kind has, and the settings it declares.
 *
 * @param declared plain values, which declare settings of their kind, as a configuration has them
 */
export const ownPart = (kind: FileKind, declared: Readonly<Record<string, OptionValue>>): AnyPart =>
  ownPartOf(kind, settingsOf(declared));

/** `ownPart` with the settings as the file declares them. @param more what the file says of itself, for what fits what */
export function ownPartOf(
  kind: FileKind,
  { lr, ...nested }: Settings,
  more: { readonly reads?: unknown; readonly gives?: unknown } = {},
): AnyPart {
  const { name, className, help } = KINDS[kind];
  if (kind !== "opt")
    return {
      ...more,
      name,
      className,
      help,
      fileKind: kind,
      settings: { ...record, ...(kind === "data" && dataSettings) },
      nested: { ...(lr && { lr }), ...nested },
    };
  return {
    name,
    className,
    help,
    fileKind: kind,
    settings: {
      ...record,
      ...ruleRecord,
      lr: lr === undefined ? lrSetting : { ...lrSetting, ...("default" in lr && { default: lr.default }) },
      ...stepSettings,
    },
    nested,
  };
}

/** The files of the user's in a configuration, in its order. */
export function ownFiles(
  config: {
    readonly [S in SlotName]?: { readonly name: string; readonly file?: string; readonly sha256?: string };
  },
): readonly { readonly kind: FileKind; readonly file: string; readonly sha256: string }[] {
  return (["opt", "data", "arch", "observe"] as const).flatMap((slot) => {
    const { name = "", file, sha256 } = config[slot] ?? {};
    return file !== undefined && sha256 !== undefined
      ? [{ kind: ownFileKind(slot, name), file, sha256 }]
      : [];
  });
}

function checkName(where: string, name: string, kind: FileKind): void {
  if (!/^[a-z][A-Za-z0-9]*$/.test(name))
    throw valueError(where, "names of options such as beta or stepSize", name);
  if (taken(kind).includes(name))
    throw valueError(
      where,
      "options with names of their own",
      name,
      `every ${kind === "opt" ? "optimizer" : "file"} has a setting of that name`,
    );
}

/**
 * Checks what a file or a config.json calls the options of a file.
 *
 * @throws InputValueError naming the option
 */
export function checkedOptions(
  where: string,
  options: unknown,
  kind: FileKind = "opt",
): Readonly<Record<string, OptionValue>> {
  if (typeof options !== "object" || options === null || Array.isArray(options))
    throw valueError(
      where,
      "options as an object of defaults, such as { lr: 0.1, beta: 0.9 }",
      String(options),
    );
  for (const [name, value] of Object.entries(options)) {
    checkName(where, name, kind);
    if (
      !(typeof value === "number"
        ? Number.isFinite(value)
        : typeof value === "boolean" || (typeof value === "string" && value !== ""))
    )
      throw valueError(
        where,
        `a finite number, true, false or a text as the default of ${name}`,
        String(value) || "nothing",
      );
    if (kind === "opt" && name === "lr" && !(typeof value === "number" && value > 0))
      throw valueError(where, "a number > 0 as the default of lr", String(value));
  }
  return options as Readonly<Record<string, OptionValue>>;
}

/** The kinds of setting that a file may declare: config.json has a number, true, false or a text for each. */
const PLAIN_KINDS: readonly string[] = ["number", "integer", "switch", "text", "choice"];

/**
 * Checks the settings that a record in a file declares.
 *
 * @throws InputValueError naming the setting
 */
export function checkedSettings(where: string, settings: unknown, kind: FileKind): Settings {
  const example =
    'settings as an object such as { width: { kind: integer({ min: 1 }), default: 8, help: "width" } }';
  if (typeof settings !== "object" || settings === null || Array.isArray(settings))
    throw valueError(where, example, String(settings));
  for (const [name, setting] of Object.entries(settings as Readonly<Record<string, unknown>>)) {
    checkName(where, name, kind);
    const { kind: values } = (setting ?? {}) as { readonly kind?: { readonly is?: unknown } };
    if (!PLAIN_KINDS.includes(String(values?.is)))
      throw valueError(
        where,
        `a kind for ${name}: number(), integer(), flag, text("…") or choice("…") of central-flows/base`,
        values?.is === undefined ? "none" : String(values.is),
        `write ${name}: { kind: number(), default: 1, help: "…" }`,
      );
  }
  return settings as Settings;
}

/** The slots that parts by name stand in. */
export const isPartName = (slot: SlotName): slot is PartName => slot !== "observe";
