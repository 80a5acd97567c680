import { either, flag, number, type Setting, type Settings, text, valueError } from "../base/index.ts";
import { lrSetting, stepSettings } from "../flows/index.ts";
import type { AnyPart, OptionValue } from "./types.ts";

/** The name that a configuration gives to an optimizer from a file. */
export const OWN = "own";

/** The class that config.json names for it. */
export const OWN_CLASS = "OwnRule";

/** Whether the word after opt: is a file and not a name: it has a slash or ends like a script. */
export const isRuleFile = (word: string): boolean => /[\\/]|\.[cm]?[jt]s$/i.test(word);

/** What config.json keeps of a rule from a file besides its options. */
const record = {
  file: { kind: text("FILE"), help: "the file with the rule", recorded: true },
  sha256: { kind: text("HASH"), help: "the hash of the file", recorded: true },
  criticalValue: {
    kind: either(number({ over: 0 }), "none", null),
    default: null,
    help: "c as the rule gives it",
    recorded: true,
  },
} satisfies Settings;

/** Names under opt in a configuration, and so of no option but lr. */
const TAKEN: readonly string[] = [
  "name",
  "class",
  "options",
  ...Object.keys(record),
  ...Object.keys(stepSettings),
];

/** The setting that a default declares: it takes values of the default's kind. */
function settingOf(usual: OptionValue): Setting<unknown> {
  const kind = typeof usual === "number" ? number() : typeof usual === "boolean" ? flag : text("TEXT");
  return { kind, default: usual, help: "an option of the rule" };
}

/** An optimizer from a file as the table of settings sees it: what every optimizer has, and the options it declares. */
export function ownOptimizer(declared: Readonly<Record<string, OptionValue>>): AnyPart {
  const { lr, ...options } = declared;
  return {
    name: OWN,
    className: OWN_CLASS,
    help: "an update rule of your own",
    settings: {
      ...record,
      lr: lr === undefined ? lrSetting : { ...lrSetting, default: lr },
      ...stepSettings,
    },
    nested: Object.fromEntries(Object.entries(options).map(([name, usual]) => [name, settingOf(usual)])),
  };
}

/**
 * Checks what a file or a config.json calls the options of a rule.
 *
 * @throws InputValueError naming the option
 */
export function checkedOptions(where: string, options: unknown): Readonly<Record<string, OptionValue>> {
  if (typeof options !== "object" || options === null || Array.isArray(options))
    throw valueError(
      where,
      "options as an object of defaults, such as { lr: 0.1, beta: 0.9 }",
      String(options),
    );
  for (const [name, value] of Object.entries(options)) {
    if (!/^[a-z][A-Za-z0-9]*$/.test(name))
      throw valueError(where, "names of options such as beta or stepSize", name);
    if (TAKEN.includes(name))
      throw valueError(
        where,
        "options with names of their own",
        name,
        "every optimizer has a setting of that name",
      );
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
    if (name === "lr" && !(typeof value === "number" && value > 0))
      throw valueError(where, "a number > 0 as the default of lr", String(value));
  }
  return options as Readonly<Record<string, OptionValue>>;
}
