/**
 * The axes of a sweep: `flag=values`, its values separated by commas, each a word, a range of whole numbers `0..4` (both
 * ends belong to it), `a..b:n` (n numbers at equal distances) or `log:a..b:n` (n numbers at equal ratios).
 */
import { exp, log, valueError } from "../base/index.ts";
import { canonical, PART_NAMES } from "../settings/index.ts";

/** A flag and the values that a sweep gives it. */
export interface Axis {
  /** The flag without hyphens before it, or opt, data or arch. */
  readonly name: string;
  /** Words as they are typed after the flag. */
  readonly values: readonly string[];
}

/** Axes of one length that go side by side: value i of each together. Most often one axis alone. */
export type Dimension = readonly Axis[];

/** What the words of a sweep ask for. */
export interface SweepWords {
  /** The words that all points share. */
  readonly words: readonly string[];
  readonly dimensions: readonly Dimension[];
}

/** A sweep has at most so many points: a plan of them is read by every task. */
export const MOST_POINTS = 100_000;

const NUMBER = String.raw`[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?`;
const RANGE = new RegExp(`^(log:)?(${NUMBER})\\.\\.(${NUMBER})(?::(\\d+))?$`, "i");
/** What can only be meant as a range: a path may hold two points as well. */
const LIKE_A_RANGE = /^(?:log:|[-+]?\.?\d[^/]*\.\.)/i;
const AXIS = /^[A-Za-z][\w.-]*=/;

/**
 * Reads one axis.
 *
 * @param word `flag=values`
 * @throws InputValueError naming the value to change
 */
export function parseAxis(word: string, operation = "--sweep"): Axis {
  const at = word.indexOf("=");
  const advice = "for example opt.lr=0.1,0.2 or seed=0..4 or opt.lr=log:0.01..1:9";
  if (!AXIS.test(word)) throw valueError(operation, "flag=values", word || "an empty word", advice);
  const name = canonical(word.slice(0, at));
  const items = word.slice(at + 1).split(",");
  if (items.includes(""))
    throw valueError(`${operation} ${name}`, "values separated by commas", word, advice);
  const values = items.flatMap((item) => valuesOf(item, `${operation} ${name}`));
  const twice = values.find((value, i) => values.indexOf(value) !== i);
  if (twice !== undefined)
    throw valueError(`${operation} ${name}`, "every value once", `${twice} twice`, "keep one of them");
  return { name, values };
}

function valuesOf(item: string, operation: string): string[] {
  const range = RANGE.exec(item);
  if (!range) {
    if (LIKE_A_RANGE.test(item))
      throw valueError(operation, "a range 0..4, a..b:n or log:a..b:n", item, "for example log:0.01..1:9");
    return [item];
  }
  const [, logarithmic, first, last, many] = range;
  const [a, b] = [Number(first), Number(last)];
  const count = many === undefined ? b - a + 1 : Number(many);
  const whole = Number.isSafeInteger(a) && Number.isSafeInteger(b);
  if (many === undefined && (logarithmic || !whole))
    throw valueError(
      operation,
      "a number of values after a range that is not of whole numbers",
      item,
      `for example ${item}:5`,
    );
  if (!(a < b) && !(a === b && count === 1))
    throw valueError(operation, "a range from its least to its greatest value", item);
  if (logarithmic && !(a > 0)) throw valueError(operation, "a range of positive numbers after log:", item);
  if (many !== undefined && count < 2 && a !== b)
    throw valueError(operation, "two values or more in a range", item);
  if (count > MOST_POINTS) throw valueError(operation, `at most ${MOST_POINTS} values`, item);
  if (many === undefined) return Array.from({ length: count }, (_, i) => String(a + i));
  return spread(a, b, count, logarithmic !== undefined);
}

/** n numbers from a to b, as short as tells them apart, from six digits on; the ends are exact. */
function spread(a: number, b: number, n: number, logarithmic: boolean): string[] {
  const exact = Array.from({ length: n }, (_, i) => {
    if (i === 0 || i === n - 1) return i === 0 ? a : b;
    const t = i / (n - 1);
    return logarithmic ? exp(log(a) * (1 - t) + log(b) * t) : a * (1 - t) + b * t;
  });
  for (let digits = 6; digits < 17; digits++) {
    const words = exact.map((x, i) => String(i === 0 || i === n - 1 ? x : Number(x.toPrecision(digits))));
    if (new Set(words).size === n) return words;
  }
  throw valueError(
    "--sweep",
    `${n} different numbers between ${a} and ${b}`,
    "fewer",
    "choose a smaller number",
  );
}

/**
 * Takes the axes out of the words of a sweep: after `--sweep` each axis is a dimension of its own, after `--together` all
 * go side by side.
 *
 * @throws InputValueError where an axis is not as it should be, is given twice, or axes side by side differ in length
 */
export function parseSweepWords(argv: readonly string[]): SweepWords {
  const words: string[] = [];
  const dimensions: Dimension[] = [];
  for (let at = 0; at < argv.length; at++) {
    const [, flag, first] = /^--(sweep|together)(?:=(.*))?$/i.exec(argv[at]) ?? [];
    if (flag === undefined) {
      words.push(argv[at]);
      continue;
    }
    const given = first === undefined ? [] : [first];
    while (at + 1 < argv.length && AXIS.test(argv[at + 1])) given.push(argv[++at]);
    const operation = `--${flag.toLowerCase()}`;
    if (given.length === 0)
      throw valueError(operation, "flag=values after it", argv[at + 1] ?? "none", "for example seed=0..4");
    const axes = given.map((word) => parseAxis(word, operation));
    if (operation === "--sweep") dimensions.push(...axes.map((axis) => [axis]));
    else dimensions.push(sideBySide(axes));
  }
  const names = dimensions.flat().map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined)
    throw valueError("sweep", "every axis once", `${twice} twice`, "join their values with commas");
  return { words, dimensions };
}

function sideBySide(axes: readonly Axis[]): Dimension {
  if (axes.length < 2)
    throw valueError(
      "--together",
      "two axes or more",
      axes[0].name,
      `--sweep ${axes[0].name}=… takes one alone`,
    );
  const [first, ...others] = axes;
  const odd = others.find(({ values }) => values.length !== first.values.length);
  if (odd)
    throw valueError(
      "--together",
      "axes of one length",
      `${first.values.length} values of ${first.name} and ${odd.values.length} of ${odd.name}`,
      "--sweep takes every value with every other",
    );
  return axes;
}

/** A value of each axis, by name. */
export type Values = Readonly<Record<string, string>>;

/** Every value of every dimension with every other; the last dimension changes fastest. @throws InputValueError for too many */
export function gridOf(dimensions: readonly Dimension[]): Values[] {
  const size = dimensions.reduce((product, [{ values }]) => product * values.length, 1);
  if (size > MOST_POINTS) throw valueError("sweep", `at most ${MOST_POINTS} points`, String(size));
  return dimensions.reduce<Values[]>(
    (points, dimension) =>
      points.flatMap((point) =>
        dimension[0].values.map((_, i) => ({
          ...point,
          ...Object.fromEntries(dimension.map(({ name, values }) => [name, values[i]])),
        })),
      ),
    [{}],
  );
}

/** The words that give an axis a value. */
export const wordsOfAxis = (name: string, value: string): string =>
  (PART_NAMES as readonly string[]).includes(name) ? `${name}:${value}` : `--${name}=${value}`;
