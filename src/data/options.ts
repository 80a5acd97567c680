import { kindError, sizeOf, valueError } from "../base/index.ts";
import type { ClassChoice } from "./dataset.ts";

/** One option of a data set: what it accepts, in words and as tests, and its default. */
export interface OptionSpec<T> {
  /** What is accepted, worded to follow "expected": `an integer from 1 to 10`. */
  readonly expected: string;
  /** What a command line should make of the text it was given; a value of another kind is a TypeError. */
  readonly kind: "number" | "text" | "number or text";
  /** Whether a value of the right kind is acceptable. */
  readonly accepts: (value: unknown) => boolean;
  /** Value of an option that is left out. */
  readonly default: T | undefined;
  /** Whether leaving the option out is an error. */
  readonly required: boolean;
}

/** The options of a data set by camel-case name. */
export type OptionSpecs = Readonly<Record<string, OptionSpec<unknown>>>;

/** What a data set reads after its options were checked and defaults filled in. */
export type OptionValues<S extends OptionSpecs> = {
  readonly [K in keyof S]: S[K] extends OptionSpec<infer T> ? T : never;
};

/** What a caller may give; options without a default are checked when the data set is loaded. */
export type GivenOptions<S extends OptionSpecs> = { readonly [K in keyof S]?: OptionValues<S>[K] };

/** Bound on every count, far above any real data set, so that products of two counts stay exact integers. */
const MOST = 2 ** 26;

/** An integer from `min` to `max`; required when no default is given. */
export function integer(min: number, fallback?: number, max: number = MOST): OptionSpec<number> {
  return {
    expected: max === MOST ? `an integer ≥ ${min}` : `an integer from ${min} to ${max}`,
    kind: "number",
    accepts: (value) => Number.isInteger(value) && (value as number) >= min && (value as number) <= max,
    default: fallback,
    required: fallback === undefined,
  };
}

/** A seed of random numbers, in numpy's range. */
export function seedOption(fallback: number): OptionSpec<number> {
  return integer(0, fallback, 2 ** 32 - 1);
}

/** A finite number with `min ≤ value < below`. */
export function real(
  min: number,
  fallback: number,
  below: number = Number.POSITIVE_INFINITY,
): OptionSpec<number> {
  return {
    expected:
      below === Number.POSITIVE_INFINITY ? `a finite number ≥ ${min}` : `a number ≥ ${min} and < ${below}`,
    kind: "number",
    accepts: (value) => (value as number) >= min && (value as number) < below,
    default: fallback,
    required: false,
  };
}

/** One of the given words; required when no default is given. */
export function oneOf<const W extends string>(words: readonly W[], fallback?: W): OptionSpec<W> {
  return {
    expected: words.map((word) => `"${word}"`).join(" or "),
    kind: "text",
    accepts: (value) => words.some((word) => word === value),
    default: fallback,
    required: fallback === undefined,
  };
}

/** A non-empty text; required when no default is given. */
export function text(meaning: string, fallback?: string): OptionSpec<string> {
  return {
    expected: meaning,
    kind: "text",
    accepts: (value) => value !== "",
    default: fallback,
    required: fallback === undefined,
  };
}

/** A number of classes from 2 to `most`, or "binary". */
export function classChoice(most: number, fallback: ClassChoice): OptionSpec<ClassChoice> {
  return {
    expected: `a number of classes from 2 to ${most}, or "binary"`,
    kind: "number or text",
    accepts: (value) =>
      value === "binary" || (Number.isInteger(value) && (value as number) >= 2 && (value as number) <= most),
    default: fallback,
    required: false,
  };
}

/** The same option, but leaving it out means undefined. */
export function optional<T>(spec: OptionSpec<T>): OptionSpec<T | undefined> {
  return { ...spec, default: undefined, required: false };
}

/**
 * Options every data set has. `ghostBatchSize` bounds the examples evaluated at once (−1: no bound) and
 * changes no result; `cacheDir` is the folder that holds files of data sets that are not built in.
 */
export const commonOptions = {
  ghostBatchSize: {
    ...integer(1, -1),
    expected: "−1 or an integer ≥ 1",
    accepts: (value) => value === -1 || (Number.isInteger(value) && (value as number) >= 1),
  } as OptionSpec<number>,
  cacheDir: text("the path of a folder", "data_cache"),
};

/**
 * Checks given options against their specification and fills in defaults. An option whose value is
 * undefined counts as left out.
 *
 * @throws InputKindError for a value of the wrong kind; InputValueError for one out of range, a missing
 * required option, or a name the data set does not have
 */
export function readOptions<S extends OptionSpecs>(
  operation: string,
  specs: S,
  given: Readonly<Record<string, unknown>>,
): OptionValues<S> {
  const names = Object.keys(specs);
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(specs, name))
      throw valueError(operation, `options among ${names.join(", ")}`, `"${name}"`);
  }
  const values = names.map((name) => [name, readOption(operation, name, specs[name], given[name])]);
  return Object.fromEntries(values) as OptionValues<S>;
}

function readOption(operation: string, name: string, spec: OptionSpec<unknown>, value: unknown): unknown {
  if (value === undefined) {
    if (spec.required) throw valueError(operation, `${name}: ${spec.expected}`, "none", `set ${name}`);
    return spec.default;
  }
  if (!isOfKind(spec.kind, value)) throw kindError(operation, `${name}: ${spec.expected}`, show(value));
  if (!spec.accepts(value)) throw valueError(operation, `${name}: ${spec.expected}`, show(value));
  return value;
}

/**
 * Refuses a data set whose arrays would not fit in memory, before anything is allocated.
 *
 * @param n number of examples
 * @param shape shape of one example
 */
export function checkSize(operation: string, n: number, shape: readonly number[]): void {
  const most = 2 ** 30;
  if (n * sizeOf(shape) > most)
    throw valueError(
      operation,
      `at most ${most} numbers in all`,
      `${n} × [${shape}]`,
      "ask for fewer examples",
    );
}

function isOfKind(kind: OptionSpec<unknown>["kind"], value: unknown): boolean {
  return (kind !== "text" && typeof value === "number") || (kind !== "number" && typeof value === "string");
}

function show(value: unknown): string {
  return typeof value === "string" ? `"${value}"` : String(value);
}
