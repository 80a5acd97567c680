import { parseArgs } from "node:util";
import { valueError } from "../base/index.ts";
import type { Kind } from "../settings/index.ts";
import { didYouMean } from "./suggest.ts";

/** One flag as given. */
export interface GivenFlag {
  /** As it was typed, with its hyphens. */
  readonly typed: string;
  /** The words of its value. */
  readonly words: readonly string[];
}

/** A command line, told apart. */
export interface Words {
  /** Words that belong to no flag. */
  readonly positionals: readonly string[];
  /** Known flags by canonical name. */
  readonly flags: ReadonlyMap<string, GivenFlag>;
  /** Flags that are not known, as typed. */
  readonly unknown: readonly string[];
}

/** The canonical name of a flag: lower case, hyphens for underscores. */
export const canonical = (name: string): string => name.toLowerCase().replaceAll("_", "-");

/** Matches opt:NAME, data:NAME and arch:NAME, which end the values of a flag that takes many. */
export const SELECTOR = /^(opt|data|arch):(.*)$/i;

const TRUTH_WORD = /^(true|false)$/i;
const NEGATIVE = /^-\.?\d/;

const typedName = (word: string): string => word.split("=", 1)[0];

/** `--a_B=v` as `--a-b=v`; other words as they are. */
function canonicalWord(word: string): string {
  if (!word.startsWith("--")) return word;
  const name = typedName(word);
  return canonical(name) + word.slice(name.length);
}

/** The switch that `no-a.x` or `a.no-x` turns off; undefined if the name is no such thing. */
const negated = (name: string, arities: ReadonlyMap<string, Kind<unknown>["arity"]>): string | undefined =>
  [name.replace(/^no-/, ""), name.replace(/\.no-(?=[^.]+$)/, ".")].find(
    (positive) => positive !== name && arities.get(positive) === "switch",
  );

/**
 * Tells flags, their values and other words apart. Node's own parser splits the words; what it does not have is
 * added here: values in several words, switches with a value or a `no-`, and one name for several spellings.
 *
 * @param operation names the command in errors
 * @param argv the words after the command
 * @param arities how many words each flag takes, by canonical name
 * @throws InputValueError for a missing value, a flag given twice, or a single hyphen
 */
export function readWords(
  operation: string,
  argv: readonly string[],
  arities: ReadonlyMap<string, Kind<unknown>["arity"]>,
): Words {
  const types = [...arities].map(
    ([name, arity]) => [name, { type: arity === "switch" ? "boolean" : "string", multiple: true }] as const,
  );
  const { tokens } = parseArgs({
    args: argv.map(canonicalWord),
    options: Object.fromEntries(types),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });

  const positionals: string[] = [];
  const flags = new Map<string, { typed: string; words: string[] }>();
  const unknown: string[] = [];
  /** The flag that takes the next plain word, if it wants it. */
  let open: { words: string[]; arity: Kind<unknown>["arity"] } | undefined;
  /** The parser makes several tokens of one word such as -12; the first stands for all. */
  let handled = -1;

  const plainWord = (word: string): void => {
    if (open?.arity === "many" && !SELECTOR.test(word)) open.words.push(word);
    else if (open?.arity === "switch" && TRUTH_WORD.test(word)) {
      open.words.push(word);
      open = undefined;
    } else positionals.push(word);
  };

  for (const token of tokens) {
    if (token.kind === "positional") plainWord(token.value);
    else if (token.kind === "option-terminator") open = undefined;
    else if (token.index !== handled) {
      handled = token.index;
      const word = argv[token.index];
      if (NEGATIVE.test(word)) {
        plainWord(word);
        continue;
      }
      if (!word.startsWith("--"))
        throw valueError(operation, "flags with two hyphens", word, didYouMean([`-${word}`]));
      const typed = typedName(word);
      const off = negated(token.name, arities);
      const name = off ?? token.name;
      const arity = arities.get(name);
      open = undefined;
      if (arity === undefined) {
        unknown.push(typed);
        open = { words: [], arity: "many" }; // its value is no stray word
        continue;
      }
      if (off !== undefined && token.value !== undefined)
        throw valueError(typed, "no value", token.value, `write ${typed} alone, or --${off} true or false`);
      if (arity !== "switch" && isMissing(token.value, token.inlineValue))
        throw valueError(typed, "a value after it", token.value ?? "none");

      const before = flags.get(name);
      const value = off !== undefined ? ["false"] : token.value === undefined ? [] : [String(token.value)];
      if (before !== undefined && arity !== "many")
        throw valueError(
          typed,
          "to be given once",
          `${[before.words, value].map((words) => words.join(" ") || "true").join(" and then ")}`,
        );
      const given = { typed, words: [...(before?.words ?? []), ...value] };
      flags.set(name, given);
      const complete = arity === "one" || (arity === "switch" && value.length > 0);
      open = complete ? undefined : { words: given.words, arity };
    }
  }
  return { positionals, flags, unknown };
}

/** Whether what stands after a flag is no value: nothing, or the next flag. */
const isMissing = (value: string | undefined, inline: boolean | undefined): boolean =>
  value === undefined || (inline !== true && value.startsWith("-") && !NEGATIVE.test(value));
