import {
  atLeast,
  bad,
  checkValue,
  choice,
  good,
  type Kind,
  type KindName,
  type KindOf,
  list,
  type Outcome,
  sameName,
  together,
} from "../base/index.ts";

/** How many words follow a flag: a switch takes none, or true or false. */
export type Arity = "switch" | "one" | "many";

/** How the values of one kind are written as the words of a command line: `read(write(v))` gives v. */
interface Wording<N extends KindName> {
  /** Stands for the value in help texts; empty for a switch. */
  hint(kind: KindOf<N>): string;
  arity(kind: KindOf<N>): Arity;
  read(kind: KindOf<N>, words: readonly string[]): Outcome<unknown>;
  write(value: never, kind: KindOf<N>): readonly string[];
}

const one = (): Arity => "one";
const written = (value: unknown): readonly string[] => [String(value)];

const DECIMAL = /^[+-]?(\d+(_\d+)*\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

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

function readNumber(kind: KindOf<"number" | "integer">, [word]: readonly string[]): Outcome<unknown> {
  const outcome = checkValue(kind, DECIMAL.test(word) ? Number(word.replaceAll("_", "")) : Number.NaN);
  return outcome.ok ? outcome : bad(word, meantNumber(word));
}

const TRUTH: Readonly<Record<string, boolean>> = {
  true: true,
  yes: true,
  on: true,
  1: true,
  false: false,
  no: false,
  off: false,
  0: false,
};

/** Whether a word after a switch is its value. */
export const isTruthWord = (word: string): boolean => Object.hasOwn(TRUTH, word.toLowerCase());

const BINARY_BYTES: Readonly<Record<string, number>> = {
  "": 1,
  k: 2 ** 10,
  m: 2 ** 20,
  g: 2 ** 30,
  t: 2 ** 40,
};
const DECIMAL_BYTES: Readonly<Record<string, number>> = { k: 1e3, m: 1e6, g: 1e9, t: 1e12 };

/** One entry for each kind: a kind that cannot be read and written does not compile. */
const WORDINGS: { readonly [N in KindName]: Wording<N> } = {
  number: { hint: () => "X", arity: one, read: readNumber, write: written },
  integer: { hint: () => "N", arity: one, read: readNumber, write: written },
  switch: {
    hint: () => "",
    arity: () => "switch",
    read: (_, [word = "true"]) =>
      Object.hasOwn(TRUTH, word.toLowerCase()) ? good(TRUTH[word.toLowerCase()]) : bad(word),
    write: written,
  },
  text: {
    hint: ({ hint }) => hint,
    arity: one,
    read: (kind, [word]) => checkValue(kind, word),
    write: written,
  },
  folder: { hint: () => "NAME", arity: one, read: (kind, [word]) => checkValue(kind, word), write: written },
  memory: {
    hint: () => "SIZE",
    arity: one,
    // 512MiB, 2GiB, 1.5GB; K, M, G alone are powers of 1024.
    read(kind, [word]) {
      const [, amount, letter, binary, bytes] = /^(\d+(?:\.\d+)?) ?([kmgt]?)(i?)(b?)$/i.exec(word) ?? [];
      if (amount === undefined) return bad(word);
      const scale = letter && !binary && bytes ? DECIMAL_BYTES : BINARY_BYTES;
      const outcome = checkValue(kind, Math.round(Number(amount) * scale[letter.toLowerCase()]));
      return outcome.ok ? outcome : bad(word, /^\d+$/.test(word) ? outcome.advice : undefined);
    },
    write: written,
  },
  choice: {
    hint: ({ names }) => names.join("|"),
    arity: one,
    read: (kind, [word]) => checkValue(kind, word),
    write: written,
  },
  either: {
    hint: ({ kind, word, meaning }) =>
      typeof meaning === "number" ? hintOf(kind) : `${hintOf(kind) || "true|false"}|${word}`,
    arity: ({ kind }) => arityOf(kind),
    read: ({ kind, word, meaning }, words) =>
      words.length === 1 && sameName(words[0], word) ? good(meaning) : readWords(kind, words),
    write: written,
  },
  from: {
    hint: () => "STEP:X",
    arity: one,
    read(kind, [word]) {
      const [step, value, ...more] = word.split(":");
      if (value === undefined || more.length > 0) return bad(word);
      const outcome = together([
        readNumber({ is: "integer", min: 0 }, [step]),
        readNumber({ is: "number", ...kind.number }, [value]),
      ]);
      return outcome.ok ? outcome : bad(word);
    },
    write: ([step, value]: readonly [number, number]) => [`${step}:${value}`],
  },
  list: {
    hint: ({ item }) => `${hintOf(item)} …`,
    arity: () => "many",
    // Separate words, comma-separated, or the flag given again; the word `none` is the empty list.
    read({ item, least }, words) {
      const items = words.flatMap((word) => word.split(/[,\s()[\]]+/)).filter((word) => word !== "");
      if (items.length === 1 && sameName(items[0], "none")) return atLeast(least, good([]));
      return atLeast(least, together(items.map((word) => readWords(item, [word]))));
    },
    write: (values: readonly unknown[], { item }) =>
      values.length === 0 ? ["none"] : values.flatMap((value) => writeWords(item, value)),
  },
  set: {
    hint: ({ names }) => `${names.join("|")} …`,
    arity: () => "many",
    read(kind, words) {
      const members = readWords(list(choice(...kind.names), 1), words);
      return members.ok ? checkValue(kind, members.value) : members;
    },
    write: (values: readonly string[]) => values,
  },
};

const wordingOf = (kind: Kind): Wording<KindName> => WORDINGS[kind.is] as Wording<KindName>;

/** What stands for a value of this kind in help texts; empty for a switch. */
export const hintOf = (kind: Kind): string => wordingOf(kind).hint(kind as KindOf<KindName>);

/** How many words a flag of this kind takes. */
export const arityOf = (kind: Kind): Arity => wordingOf(kind).arity(kind as KindOf<KindName>);

/** The value that words mean, or what was found instead of what the kind expects. */
export const readWords = <V>(kind: Kind<V>, words: readonly string[]): Outcome<V> =>
  wordingOf(kind).read(kind as KindOf<KindName>, words) as Outcome<V>;

/** The words that a value is read from. */
export function writeWords<V>(kind: Kind<V>, value: V): readonly string[] {
  if (kind.is === "either") return value === kind.meaning ? [kind.word] : writeWords(kind.kind, value);
  return wordingOf(kind).write(value as never, kind as KindOf<KindName>);
}
