import { valueError } from "../../base/index.ts";
import { type Arity, isTruthWord } from "../words.ts";
import { didYouMean, nearest } from "./suggest.ts";

/** One flag as given. */
export interface GivenFlag {
  /** As it was typed, with its hyphens. */
  readonly typed: string;
  /** The words of its value. */
  readonly words: readonly string[];
}

/** The words of a command line, told apart. */
export interface Tokens {
  /** Words that belong to no flag. */
  readonly positionals: readonly string[];
  /** Known flags by canonical name. */
  readonly flags: ReadonlyMap<string, GivenFlag>;
  /** Flags that are not known, as typed. */
  readonly unknown: readonly string[];
}

/** The canonical name of a flag: lower case, hyphens for underscores. */
export const canonical = (name: string): string => name.toLowerCase().replaceAll("_", "-");

/** Matches opt:NAME, data:NAME, arch:NAME, loss:FILE and observe:FILE, which end the values of a flag that takes many. */
export const SELECTOR = /^(opt|data|arch|loss|observe):(.*)$/i;

const NEGATIVE = /^-\.?\d/;

const typedName = (word: string): string => word.split("=", 1)[0];

/** The switch that `no-a.x` or `a.no-x` turns off; undefined if the name is no such thing. */
const negated = (name: string, arities: ReadonlyMap<string, Arity>): string | undefined =>
  [name.replace(/^no-/, ""), name.replace(/\.no-(?=[^.]+$)/, ".")].find(
    (positive) => positive !== name && arities.get(positive) === "switch",
  );

/**
 * Tells flags, their values and other words apart: values in several words, switches with a value or a `no-`, one name for
 * several spellings, and everything after a bare `--` a plain word.
 *
 * @param operation names the command in errors
 * @param argv the words after the command
 * @param arities how many words each flag takes, by canonical name
 * @throws InputValueError for a missing value, a flag given twice, or a single hyphen
 */
export function tokensOf(
  operation: string,
  argv: readonly string[],
  arities: ReadonlyMap<string, Arity>,
): Tokens {
  const positionals: string[] = [];
  const flags = new Map<string, { typed: string; words: string[] }>();
  const unknown: string[] = [];
  /** The flag that takes the next plain word, if it wants it. */
  let open: { words: string[]; arity: Arity } | undefined;

  for (let at = 0; at < argv.length; at++) {
    const word = argv[at];
    if (word === "--") {
      positionals.push(...argv.slice(at + 1));
      break;
    }
    if (!isFlag(word)) {
      if (open?.arity === "many" ? !SELECTOR.test(word) : open?.arity === "switch" && isTruthWord(word)) {
        open?.words.push(word);
        if (open?.arity === "switch") open = undefined;
      } else positionals.push(word);
      continue;
    }
    if (!word.startsWith("--")) throw singleHyphen(operation, word, arities);
    const typed = typedName(word);
    const plain = canonical(typed.slice(2));
    const off = arities.has(plain) ? undefined : negated(plain, arities);
    const name = off ?? plain;
    const arity = arities.get(name);
    if (arity === undefined) {
      unknown.push(typed);
      open = { words: [], arity: "many" }; // its value is no stray word
      continue;
    }
    let value = word.includes("=") ? word.slice(typed.length + 1) : undefined;
    if (off !== undefined && value !== undefined)
      throw valueError(typed, "no value", value, `write ${typed} alone, or --${off} true or false`);
    if (arity !== "switch" && value === undefined) {
      value = argv[++at];
      if (value === undefined || isFlag(value)) throw valueError(typed, "a value after it", value ?? "none");
    }
    const before = flags.get(name);
    const words = off !== undefined ? ["false"] : value === undefined ? [] : [value];
    if (before !== undefined && arity !== "many") {
      const both = [before.words, words].map((each) => each.join(" ") || "true");
      throw valueError(typed, "to be given once", both.join(" and then "));
    }
    const given = { typed, words: [...(before?.words ?? []), ...words] };
    flags.set(name, given);
    const complete = arity === "one" || (arity === "switch" && words.length > 0);
    open = complete ? undefined : { words: given.words, arity };
  }
  return { positionals, flags, unknown };
}

/** Whether a word is a flag and no value: it has a hyphen before it and is not a negative number. */
const isFlag = (word: string): boolean => word.length > 1 && word.startsWith("-") && !NEGATIVE.test(word);

/** The error for -steps or -q, with the flags that may be meant: of that name, or starting with that letter. */
function singleHyphen(operation: string, word: string, arities: ReadonlyMap<string, Arity>): Error {
  const bare = canonical(typedName(word).slice(1));
  const names = [...arities.keys()];
  const meant =
    bare.length === 1
      ? names.filter((name) => name.startsWith(bare)).slice(0, 3)
      : names.includes(bare)
        ? [bare]
        : nearest(bare, names);
  return valueError(operation, "flags with two hyphens", word, didYouMean(meant.map((name) => `--${name}`)));
}
