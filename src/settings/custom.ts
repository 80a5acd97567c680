import { valueError } from "../base/index.ts";
import { flag, type Kind, number, text } from "./kinds.ts";
import { everyOptimizer, ownRuleRecord } from "./parts.ts";
import type { Option } from "./table.ts";
import type { OptionValue } from "./types.ts";

/** The name that a configuration gives to an optimizer from a file. */
export const OWN = "own";

/** The class that config.json names for it. */
export const OWN_CLASS = "OwnRule";

/** Whether the word after opt: is a file and not a name: it has a slash or ends like a script. */
export const isRuleFile = (word: string): boolean => /[\\/]|\.[cm]?[jt]s$/i.test(word);

/** Names under opt in a configuration, and so of no option but lr. */
const TAKEN: readonly string[] = [
  "name",
  "class",
  "options",
  ...Object.keys(ownRuleRecord),
  ...Object.keys(everyOptimizer).filter((name) => name !== "lr"),
];

const KINDS: Readonly<Record<string, Kind<unknown>>> = {
  number: number() as Kind<unknown>,
  boolean: flag as Kind<unknown>,
  string: text("TEXT") as Kind<unknown>,
};

/** The settings that a rule's own options are, each of the kind of its default; lr is every optimizer's. */
export function ownOptionsOf(
  options: Readonly<Record<string, OptionValue>>,
  owner: NonNullable<Option["owner"]>,
): Option[] {
  return Object.entries(options)
    .filter(([name]) => name !== "lr")
    .map(([name, value]) => ({
      flag: `opt.${name.replace(/[A-Z]/g, (capital) => `-${capital.toLowerCase()}`)}`,
      path: ["opt", "options", name],
      json: ["opt", "options", name],
      field: { kind: KINDS[typeof value], default: value, help: "an option of the rule" },
      owner,
    }));
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
    if (typeof value === "number" ? !Number.isFinite(value) : !((typeof value) in KINDS) || value === "")
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
