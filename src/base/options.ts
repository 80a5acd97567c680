import { kindError, valueError } from "./errors.ts";

/** Bounds of a number: `min` and `max` included, `over` and `under` excluded; integers may have to be multiples. */
export interface Range {
  readonly min?: number;
  readonly max?: number;
  readonly over?: number;
  readonly under?: number;
  readonly multipleOf?: number;
}

/** What each kind of value is made of: plain data, which can be printed. */
export interface KindShapes {
  /** A finite number. */
  readonly number: Range;
  /** An integer of at most 53 bits. */
  readonly integer: Range;
  /** true or false. */
  readonly switch: object;
  /** Any text that is not blank; `hint` stands for it in help texts. */
  readonly text: { readonly hint: string };
  /** A name, or several with slashes between: a folder's path below the one for all runs. */
  readonly folder: object;
  /** A number of bytes. */
  readonly memory: object;
  /** One of a few names; case, and hyphen or underscore, do not matter. */
  readonly choice: { readonly names: readonly string[] };
  /** A value of another kind, or one word with a meaning of its own: none, auto, binary, -1. */
  readonly either: { readonly kind: Kind; readonly word: string; readonly meaning: string | number | null };
  /** A step, an integer ≥ 0, and a number that holds from it on: 120:0.1. */
  readonly from: { readonly number: Range };
  /** At least `least` values of another kind. */
  readonly list: { readonly item: Kind; readonly least: number };
  /** At least one of the names, in their order, each once. */
  readonly set: { readonly names: readonly string[] };
}

/** The names of the kinds. */
export type KindName = keyof KindShapes;

/** A kind of one name. */
export type KindOf<N extends KindName> = { readonly is: N } & KindShapes[N];

declare const value: unique symbol;

/** What a setting's value, of type V, may be. */
export type Kind<V = unknown> = { [N in KindName]: KindOf<N> }[KindName] & { readonly [value]?: V };

/** A finite number. */
export const number = (range: Range = {}): Kind<number> => ({ is: "number", ...range });
/** An integer of at most 53 bits. */
export const integer = (range: Range = {}): Kind<number> => ({ is: "integer", ...range });
/** A switch: alone on the command line it means true. */
export const flag: Kind<boolean> = { is: "switch" };
/** Any text that is not blank, `hint` in help texts. */
export const text = (hint: string): Kind<string> => ({ is: "text", hint });
/** The path of a folder below the one for all runs: names without spaces, slashes between them. */
export const folderName: Kind<string> = { is: "folder" };
/** An amount of memory in bytes, at least 1 MiB. */
export const memorySize: Kind<number> = { is: "memory" };
/** One of a few names. */
export const choice = <const N extends string>(...names: readonly N[]): Kind<N> => ({ is: "choice", names });
/** A value of `kind`, or one word that stands for something else. */
export const either = <V, const W extends string | number | null>(
  kind: Kind<V>,
  word: string,
  meaning: W,
): Kind<V | W> => ({ is: "either", kind, word, meaning });
/** A step and a number that holds from it on, as a pair. */
export const fromStep = (range: Range = {}): Kind<readonly [step: number, value: number]> => ({
  is: "from",
  number: range,
});
/** At least `least` values of `item`. */
export const list = <V>(item: Kind<V>, least = 0): Kind<readonly V[]> => ({ is: "list", item, least });
/** A set of at least one of the names. */
export const nameSet = <const N extends string>(...names: readonly N[]): Kind<readonly N[]> => ({
  is: "set",
  names,
});
/** A seed of random numbers, in numpy's range. */
export const seed: Kind<number> = integer({ min: 0, max: 2 ** 32 - 1 });
/** A positive count, or −1 for never or for no bound. */
export const countOrMinusOne: Kind<number> = either(integer({ min: 1 }), "-1", -1);

/** What reading a value came to: the value, or what was found instead of what the kind expects. */
export type Outcome<V> =
  | { readonly ok: true; readonly value: V }
  | { readonly ok: false; readonly got: string; readonly advice?: string; readonly wrongKind?: boolean };

/** The outcome that is a value. */
export const good = <V>(found: V): Outcome<V> => ({ ok: true, value: found });

/** The outcome of a value that the kind does not take. */
export const bad = (got: string, advice?: string): Outcome<never> => ({
  ok: false,
  got: got.trim() === "" ? "nothing" : got,
  advice,
});

const wrongKind = (found: unknown): Outcome<never> => ({
  ok: false,
  got: typeof found === "string" ? `"${found}"` : (JSON.stringify(found) ?? "nothing"),
  wrongKind: true,
});

/** Whether two words are one name: case, and hyphen or underscore, do not matter. */
export const sameName = (a: string, b: string): boolean =>
  a.toLowerCase().replaceAll("_", "-") === b.toLowerCase().replaceAll("_", "-");

function rangeWords({ min, max, over, under, multipleOf }: Range): string {
  const low = min ?? over;
  const high = max ?? under;
  const multiple =
    multipleOf === undefined ? "" : multipleOf === 2 ? ", even" : `, a multiple of ${multipleOf}`;
  if (low !== undefined && high !== undefined)
    return ` in ${min === undefined ? "(" : "["}${low}, ${high}${max === undefined ? ")" : "]"}${multiple}`;
  if (low !== undefined) return `${min === undefined ? ` > ${low}` : ` ≥ ${low}`}${multiple}`;
  if (high !== undefined) return `${max === undefined ? ` < ${high}` : ` ≤ ${high}`}${multiple}`;
  return multiple;
}

const within = (x: number, { min, max, over, under, multipleOf }: Range): boolean =>
  (min === undefined || x >= min) &&
  (max === undefined || x <= max) &&
  (over === undefined || x > over) &&
  (under === undefined || x < under) &&
  (multipleOf === undefined || x % multipleOf === 0);

/** A number of one kind as it is kept: −0 becomes 0, which is what a JSON file keeps of it. */
const numeric =
  (valid: (x: unknown) => boolean) =>
  (range: Range, found: unknown): Outcome<number> => {
    if (typeof found !== "number") return wrongKind(found);
    return valid(found) && within(found, range) ? good(found + 0) : bad(String(found));
  };

const LEAST_MEMORY = 2 ** 20;

/** What one kind expects, and whether a value is one of its. */
interface Definition<N extends KindName> {
  /** Completes "expected …". */
  expected(kind: KindOf<N>): string;
  check(kind: KindOf<N>, found: unknown): Outcome<unknown>;
}

const textual = (valid: (found: string) => boolean) => (_: object, found: unknown) =>
  typeof found !== "string" ? wrongKind(found) : valid(found) ? good(found) : bad(found);

const DEFINITIONS: { readonly [N in KindName]: Definition<N> } = {
  number: {
    expected: (range) => `a finite number${rangeWords(range)}`,
    check: numeric(Number.isFinite),
  },
  integer: {
    expected: (range) => `an integer${rangeWords(range)}`,
    check: numeric(Number.isSafeInteger),
  },
  switch: {
    expected: () => "true or false",
    check: (_, found) => (typeof found === "boolean" ? good(found) : wrongKind(found)),
  },
  text: {
    expected: ({ hint }) => `text (${hint})`,
    check: textual((found) => found.trim() !== ""),
  },
  folder: {
    expected: () => "the name of a folder: letters, digits and -_.+=,@ with / between folders",
    check: textual((found) =>
      found.split("/").every((level) => /^[\p{L}\p{N}_.+=,@-]+$/u.test(level) && !/^\.+$/.test(level)),
    ),
  },
  memory: {
    expected: () => "an amount of memory of at least 1MiB, such as 512MiB",
    check: (_, found) =>
      typeof found !== "number"
        ? wrongKind(found)
        : Number.isSafeInteger(found) && found >= LEAST_MEMORY
          ? good(found)
          : bad(
              String(found),
              Number.isSafeInteger(found) && found > 0 ? `did you mean ${found}MiB?` : undefined,
            ),
  },
  choice: {
    expected: ({ names }) =>
      names.length === 1 ? names[0] : `${names.slice(0, -1).join(", ")} or ${names.at(-1)}`,
    check: ({ names }, found) => {
      if (typeof found !== "string") return wrongKind(found);
      const name = names.find((candidate) => sameName(candidate, found));
      return name === undefined ? bad(found) : good(name);
    },
  },
  either: {
    expected: ({ kind, word }) => `${expectedOf(kind)}, or ${word}`,
    check({ kind, word, meaning }, found) {
      const isWord = typeof found === "string" && typeof meaning !== "number";
      if (found === meaning || (isWord && sameName(found, word))) return good(meaning);
      const outcome = checkValue(kind, found);
      return isWord && !outcome.ok && outcome.wrongKind ? bad(found) : outcome;
    },
  },
  from: {
    expected: (kind) => `a step and ${expectedOf(number(kind.number))}, such as 120:0.1`,
    check(kind, found) {
      if (!Array.isArray(found) || found.length !== 2) return wrongKind(found);
      return together([checkValue(integer({ min: 0 }), found[0]), checkValue(number(kind.number), found[1])]);
    },
  },
  list: {
    expected: ({ item, least }) => `${least > 0 ? `at least ${least} of` : "a list of"}: ${expectedOf(item)}`,
    check: ({ item, least }, found) =>
      Array.isArray(found)
        ? atLeast(least, together(found.map((entry) => checkValue(item, entry))))
        : wrongKind(found),
  },
  set: {
    expected: ({ names }) => expectedOf(list(choice(...names), 1)),
    check: ({ names }, found) => {
      const members = checkValue(list(choice(...names), 1), found);
      return members.ok ? good(names.filter((name) => members.value.includes(name))) : members;
    },
  },
};

/** The values of all outcomes, or the first failure. */
export function together<V>(outcomes: readonly Outcome<V>[]): Outcome<readonly V[]> {
  const failed = outcomes.find((outcome) => !outcome.ok);
  return failed && !failed.ok ? failed : good(outcomes.map((outcome) => (outcome as { value: V }).value));
}

/** A list, if it is at least so long. */
export const atLeast = <V>(least: number, outcome: Outcome<readonly V[]>): Outcome<readonly V[]> =>
  outcome.ok && outcome.value.length < least ? bad("none") : outcome;

/** What a kind takes, worded to follow "expected". */
export const expectedOf = (kind: Kind): string =>
  (DEFINITIONS[kind.is] as Definition<KindName>).expected(kind as KindOf<KindName>);

/** The value as the kind keeps it, or what was found instead. */
export const checkValue = <V>(kind: Kind<V>, found: unknown): Outcome<V> =>
  (DEFINITIONS[kind.is] as Definition<KindName>).check(kind as KindOf<KindName>, found) as Outcome<V>;

/** The value, or an error that names `where`, what the kind expects and what was found. */
export function accepted<V>(kind: Kind<V>, where: string, outcome: Outcome<V>): V {
  if (outcome.ok) return outcome.value;
  throw (outcome.wrongKind ? kindError : valueError)(where, expectedOf(kind), outcome.got, outcome.advice);
}

/** One setting: what it may be, its default (absent: required) and the sentence that help prints. */
export interface Setting<V> {
  readonly kind: Kind<V>;
  readonly default?: V;
  readonly help: string;
  /** A value as words, to show where one is missing. */
  readonly example?: string;
  /** What of a run depends on it: its numbers (when absent), only how many rows it has, or neither. */
  readonly decides?: "numbers" | "length" | "nothing";
  /** Younger than the form of a run's digest, which leaves it out where it has its default. */
  readonly younger?: boolean;
  /** The flag, where it is not the key with hyphens. */
  readonly spelled?: string;
  /** Not a flag: found out by the run and kept in its config.json. */
  readonly recorded?: boolean;
}

/** A setting of the reference that changes nothing here: it is read, answered with a line, and in no type. */
export interface IgnoredSetting<V> extends Setting<V> {
  readonly default: V;
  /** Why, as a sentence without a full stop. */
  readonly ignored: string;
  /** Whether every value but the default is refused, because it asks for what is not here. */
  readonly only?: boolean;
}

/** Settings by camel-case name. */
export type Settings = Readonly<Record<string, Setting<unknown> | IgnoredSetting<unknown>>>;

type Kept<S extends Settings> = {
  [K in keyof S]: S[K] extends { readonly ignored: string } ? never : K;
}[keyof S];

/** The values of settings, complete. */
export type Values<S extends Settings> = {
  readonly [K in Kept<S>]: S[K] extends Setting<infer V> ? V : never;
};

/** What a caller gives: settings with a default may be left out. */
export type Given<S extends Settings> = {
  readonly [K in Kept<S> as S[K] extends { readonly default: unknown } ? never : K]: Values<S>[K];
} & { readonly [K in Kept<S> as S[K] extends { readonly default: unknown } ? K : never]?: Values<S>[K] };

/** How values of several settings do not go together, told of one of them; {name} in its sentences is another setting. */
export interface Complaint {
  /** The setting to change, by its camel-case name. */
  readonly setting: string;
  readonly expected: string;
  readonly got: string;
  readonly advice?: string;
}

/** What one example of a data set is, and a network reads. */
export type Inputs = "images" | "points" | "tokens";

/** An optimizer, a data set or a network, as it describes itself; each family adds how it is made. */
export interface Part<S extends Settings = Settings> {
  /** What the command line calls it: `opt:NAME`. */
  readonly name: string;
  /** The name of the reference's class, which config.json carries; a part in a file of the user's needs none. */
  readonly className?: string;
  /** What help says after the name. */
  readonly help: string;
  readonly settings: S;
  /** Checks how values that are each of their kind go together. */
  check?(values: Values<S>): Complaint | undefined;
}

/**
 * Complete values from given ones; a value that is undefined counts as left out. Ignored settings are checked and
 * dropped.
 *
 * @param where names the part in errors
 * @throws InputKindError or InputValueError for a name or value that the part does not take, or a missing one
 */
export function settle<S extends Settings>(
  where: string,
  part: Pick<Part<S>, "settings" | "check">,
  given: object = {},
): Values<S> {
  const { settings } = part;
  if (typeof given !== "object" || given === null)
    throw kindError(where, "an object of options", String(given));
  for (const name of Object.keys(given))
    if (!Object.hasOwn(settings, name))
      throw valueError(where, `options among ${Object.keys(settings).join(", ")}`, name);
  const values: Record<string, unknown> = {};
  for (const [name, setting] of Object.entries<Setting<unknown>>(settings)) {
    const found = (given as Readonly<Record<string, unknown>>)[name];
    if (found === undefined && !("default" in setting))
      throw valueError(`${where}.${name}`, expectedOf(setting.kind), "none", `set ${name}`);
    const settled =
      found === undefined
        ? setting.default
        : accepted(setting.kind, `${where}.${name}`, checkValue(setting.kind, found));
    if (isIgnored(setting)) checkIgnored(`${where}.${name}`, setting, settled);
    else values[name] = settled;
  }
  const complaint = part.check?.(values as Values<S>);
  if (complaint) throw complaintError(`${where}.${complaint.setting}`, complaint);
  return values as Values<S>;
}

/** Whether a setting is one that changes nothing. */
export const isIgnored = (setting: Setting<unknown>): setting is IgnoredSetting<unknown> =>
  "ignored" in setting;

/** Throws where the value of an ignored setting asks for what is not here. */
export function checkIgnored(where: string, setting: IgnoredSetting<unknown>, found: unknown): void {
  if (setting.only && found !== setting.default)
    throw valueError(where, String(setting.default), String(found), setting.ignored);
}

/**
 * The error (not thrown) for values that do not go together.
 *
 * @param where the setting as the reader knows it
 * @param spell how the reader knows another setting of the same part
 */
export function complaintError(
  where: string,
  { expected, got, advice }: Complaint,
  spell = (name: string): string => name,
): Error {
  const [first, second, third = ""] = [expected, got, advice].map((words) =>
    words?.replace(/\{(\w+)\}/g, (_, name) => spell(name)),
  );
  return valueError(where, String(first), String(second), third || undefined);
}

/** A list of parts by name. */
export type ByName<L extends readonly { readonly name: string }[]> = {
  readonly [P in L[number] as P["name"]]: P;
};

/** The parts of a list by name, in its order. */
export const byName = <const L extends readonly { readonly name: string }[]>(parts: L): ByName<L> =>
  Object.fromEntries(parts.map((part) => [part.name, part])) as unknown as ByName<L>;
