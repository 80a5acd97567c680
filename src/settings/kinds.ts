import { kindError, valueError } from "../base/index.ts";

/** What reading a value came to: the value, or what was found instead of what the kind expects. */
export type Outcome<V> =
  | { readonly ok: true; readonly value: V }
  | { readonly ok: false; readonly got: string; readonly advice?: string; readonly wrongKind?: boolean };

/**
 * What a configuration value may be. A kind reads command-line words, checks values that come from a JSON
 * file, and writes a value back as the words it is read from: `read(format(v))` gives v.
 */
export interface Kind<V> {
  /** Completes "expected …". */
  readonly expected: string;
  /** Stands for the value in help texts. */
  readonly hint: string;
  /** How many words follow the flag: a switch takes none, or true or false. */
  readonly arity: "switch" | "one" | "many";
  read(words: readonly string[]): Outcome<V>;
  check(value: unknown): Outcome<V>;
  format(value: V): readonly string[];
}

/** The value, or the error that names `where` (a flag or a JSON key), what the kind expects and what was found. */
export function accepted<V>(kind: Kind<V>, where: string, outcome: Outcome<V>): V {
  if (outcome.ok) return outcome.value;
  const { got, advice, wrongKind } = outcome;
  throw (wrongKind ? kindError : valueError)(where, kind.expected, got, advice);
}

const good = <V>(value: V): Outcome<V> => ({ ok: true, value });
const bad = (got: string, advice?: string): Outcome<never> => ({
  ok: false,
  got: got.trim() === "" ? "nothing" : got,
  advice,
});
const wrongKind = (value: unknown): Outcome<never> => ({
  ok: false,
  got: typeof value === "string" ? `"${value}"` : (JSON.stringify(value) ?? "nothing"),
  wrongKind: true,
});

const sameName = (a: string, b: string): boolean =>
  a.toLowerCase().replaceAll("_", "-") === b.toLowerCase().replaceAll("_", "-");

/** Bounds of a number: `min` and `max` included, `over` and `under` excluded. */
export interface Range {
  readonly min?: number;
  readonly max?: number;
  readonly over?: number;
  readonly under?: number;
}

function rangeWords({ min, max, over, under }: Range): string {
  const low = min ?? over;
  const high = max ?? under;
  if (low !== undefined && high !== undefined)
    return ` in ${min === undefined ? "(" : "["}${low}, ${high}${max === undefined ? ")" : "]"}`;
  if (low !== undefined) return min === undefined ? ` > ${low}` : ` ≥ ${low}`;
  if (high !== undefined) return max === undefined ? ` < ${high}` : ` ≤ ${high}`;
  return "";
}

const within = (x: number, { min, max, over, under }: Range): boolean =>
  (min === undefined || x >= min) &&
  (max === undefined || x <= max) &&
  (over === undefined || x > over) &&
  (under === undefined || x < under);

const DECIMAL = /^[+-]?(\d+(_\d+)*\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

const readNumber = (text: string): number =>
  DECIMAL.test(text) ? Number(text.replaceAll("_", "")) : Number.NaN;

/** What someone who typed `text` for a number may have meant, if that can be told. */
function meantNumber(text: string): string | undefined {
  const [, mantissa, unit] = /^([\d.]+)(%|[kM])$/.exec(text) ?? [];
  const [, top, bottom] = /^([\d.]+)\/([\d.]+)$/.exec(text) ?? [];
  let meant = Number.NaN;
  if (unit) meant = Number(mantissa) * { "%": 0.01, k: 1e3, M: 1e6 }[unit as "%" | "k" | "M"];
  else if (top) meant = Number(top) / Number(bottom);
  else if (/^\d*,\d+$/.test(text)) meant = Number(text.replace(",", "."));
  return Number.isFinite(meant) ? `did you mean ${Number(meant.toPrecision(15))}?` : undefined;
}

function numeric(noun: string, hint: string, valid: (x: number) => boolean, range: Range): Kind<number> {
  const accept = (x: number, got: string): Outcome<number> =>
    valid(x) && within(x, range)
      ? good(x + 0) // −0 becomes 0, which is what a JSON file keeps of it
      : bad(got, meantNumber(got));
  return {
    expected: `${noun}${rangeWords(range)}`,
    hint,
    arity: "one",
    read: ([word]) => accept(readNumber(word), word),
    check: (value) => (typeof value === "number" ? accept(value, String(value)) : wrongKind(value)),
    format: (value) => [String(value)],
  };
}

/** A finite number. */
export const number = (range: Range = {}): Kind<number> =>
  numeric("a finite number", "X", Number.isFinite, range);

/** An integer of at most 53 bits. */
export const integer = (range: Range = {}): Kind<number> =>
  numeric("an integer", "N", Number.isSafeInteger, range);

/** A positive count, or −1 for never or for no bound. */
export const countOrMinusOne: Kind<number> = numeric(
  "an integer ≥ 1, or -1",
  "N",
  (x) => Number.isSafeInteger(x) && (x === -1 || x >= 1),
  {},
);

const TRUE_WORDS: readonly string[] = ["true", "yes", "on", "1"];
const FALSE_WORDS: readonly string[] = ["false", "no", "off", "0"];

/** A switch: alone it means true. */
export const flag: Kind<boolean> = {
  expected: "true or false",
  hint: "",
  arity: "switch",
  read([word]) {
    if (word === undefined || TRUE_WORDS.includes(word.toLowerCase())) return good(true);
    return FALSE_WORDS.includes(word.toLowerCase()) ? good(false) : bad(word);
  },
  check: (value) => (typeof value === "boolean" ? good(value) : wrongKind(value)),
  format: (value) => [String(value)],
};

function words(expected: string, hint: string, valid: (value: string) => boolean): Kind<string> {
  const accept = (value: string): Outcome<string> => (valid(value) ? good(value) : bad(value));
  return {
    expected,
    hint,
    arity: "one",
    read: ([word]) => accept(word),
    check: (value) => (typeof value === "string" ? accept(value) : wrongKind(value)),
    format: (value) => [value],
  };
}

/** Text that is not empty; `hint` names what it stands for, e.g. PATH. */
export const text = (hint: string): Kind<string> =>
  words(`text (${hint})`, hint, (value) => value.trim() !== "");

/** The name of a folder below another one, possibly some levels down: it cannot lead outside. */
export const folderName: Kind<string> = words(
  "the name of a folder: letters, digits and -_.+=,@ with / between folders",
  "NAME",
  (value) => value.split("/").every((level) => /^[\p{L}\p{N}_.+=,@-]+$/u.test(level) && !/^\.+$/.test(level)),
);

/** One of a few names; case, and hyphen or underscore, do not matter. */
export function choice<const N extends string>(...names: readonly N[]): Kind<N> {
  const accept = (word: string): Outcome<N> => {
    const name = names.find((candidate) => sameName(candidate, word));
    return name === undefined ? bad(word) : good(name);
  };
  return {
    expected: names.length === 1 ? names[0] : `${names.slice(0, -1).join(", ")} or ${names.at(-1)}`,
    hint: names.join("|"),
    arity: "one",
    read: ([word]) => accept(word),
    check: (value) => (typeof value === "string" ? accept(value) : wrongKind(value)),
    format: (value) => [value],
  };
}

/** A value of `kind`, or one word that stands for something else: `none` for null, `auto`, `binary`. */
export function orWord<V, const W extends string | null>(
  kind: Kind<V>,
  word: string,
  meaning: W,
): Kind<V | W> {
  return {
    expected: `${kind.expected}, or ${word}`,
    hint: kind.arity === "switch" ? `true|false|${word}` : `${kind.hint}|${word}`,
    arity: kind.arity,
    read: (words) => (words.length === 1 && sameName(words[0], word) ? good(meaning) : kind.read(words)),
    check: (value) =>
      value === meaning || (typeof value === "string" && sameName(value, word))
        ? good(meaning)
        : kind.check(value),
    format: (value) => (value === meaning ? [word] : kind.format(value as V)),
  };
}

/** The values of all outcomes, or the first failure. */
function all<V>(outcomes: readonly Outcome<V>[]): Outcome<readonly V[]> {
  const values: V[] = [];
  for (const outcome of outcomes) {
    if (!outcome.ok) return outcome;
    values.push(outcome.value);
  }
  return good(values);
}

/**
 * At least `least` values of `item`: separate words, comma-separated, or the flag given again. The word `none`
 * is the empty list.
 */
export function list<V>(item: Kind<V>, least = 0): Kind<readonly V[]> {
  const accept = (outcome: Outcome<readonly V[]>): Outcome<readonly V[]> =>
    outcome.ok && outcome.value.length < least ? bad("none") : outcome;
  return {
    expected: `${least > 0 ? `at least ${least} of` : "a list of"}: ${item.expected}`,
    hint: `${item.hint} …`,
    arity: "many",
    read(words) {
      const items = words.flatMap((word) => word.split(/[,\s()[\]]+/)).filter((word) => word !== "");
      if (items.length === 1 && sameName(items[0], "none")) return accept(good([]));
      return accept(all(items.map((word) => item.read([word]))));
    },
    check: (value) =>
      Array.isArray(value) ? accept(all(value.map((entry) => item.check(entry)))) : wrongKind(value),
    format: (values) => (values.length === 0 ? ["none"] : values.flatMap((value) => item.format(value))),
  };
}

/** A set of at least one of the names, given in any order and kept in the order of `names`, each once. */
export function nameSet<const N extends string>(...names: readonly N[]): Kind<readonly N[]> {
  const members = list(choice(...names), 1);
  const order = (outcome: Outcome<readonly N[]>): Outcome<readonly N[]> =>
    outcome.ok ? good(names.filter((name) => outcome.value.includes(name))) : outcome;
  return {
    ...members,
    read: (words) => order(members.read(words)),
    check: (value) => order(members.check(value)),
  };
}

const BINARY_BYTES: Readonly<Record<string, number>> = {
  "": 1,
  k: 2 ** 10,
  m: 2 ** 20,
  g: 2 ** 30,
  t: 2 ** 40,
};
const DECIMAL_BYTES: Readonly<Record<string, number>> = { k: 1e3, m: 1e6, g: 1e9, t: 1e12 };
const LEAST_MEMORY = 2 ** 20;

function acceptBytes(bytes: number, got: string): Outcome<number> {
  if (Number.isSafeInteger(bytes) && bytes >= LEAST_MEMORY) return good(bytes);
  return bad(got, /^\d+$/.test(got) && bytes > 0 ? `did you mean ${got}MiB?` : undefined);
}

/** An amount of memory in bytes, read with its unit: 512MiB, 2GiB, 1.5GB; K, M, G alone are powers of 1024. */
export const memorySize: Kind<number> = {
  expected: "an amount of memory of at least 1MiB, such as 512MiB",
  hint: "SIZE",
  arity: "one",
  read([word]) {
    const [, amount, letter, binary, bytes] = /^(\d+(?:\.\d+)?) ?([kmgt]?)(i?)(b?)$/i.exec(word) ?? [];
    if (amount === undefined) return bad(word);
    const scale = letter && !binary && bytes ? DECIMAL_BYTES : BINARY_BYTES;
    return acceptBytes(Math.round(Number(amount) * scale[letter.toLowerCase()]), word);
  },
  check: (value) => (typeof value === "number" ? acceptBytes(value, String(value)) : wrongKind(value)),
  format: (value) => [String(value)],
};
