import { readFileSync } from "node:fs";
import { accepted, type Settings, type Values, valueError } from "../../base/index.ts";
import { loadOwnFile } from "../../custom/index.ts";
import {
  arityOf,
  didYouMean,
  hyphenated,
  nearest,
  parseRun as parseRunWords,
  readWords,
  type Surroundings,
  tokensOf,
} from "../../settings/index.ts";

const IN_NODE: Partial<Surroundings> = {
  readFile: (path) => readFileSync(path, "utf8"),
  loadFile: loadOwnFile,
};

/** Reads the words after `run`, with Node's files. */
export const parseRun = (argv: readonly string[], surroundings: Partial<Surroundings> = {}) =>
  parseRunWords(argv, { ...IN_NODE, ...surroundings });

/** One command, as it describes itself: what is parsed and what help says come from here. */
export interface Command<S extends Settings = Settings, W = unknown> {
  readonly name: string;
  /** What stands after the name in help: words, then flags. */
  readonly usage: string;
  /** What the overview says. */
  readonly summary: string;
  /** The paragraph of its own help. */
  readonly about: readonly string[];
  readonly settings: S;
  /** A whole command line, without the program's name. */
  readonly example: string;
  /** What the words that belong to no flag mean. @throws InputValueError for words that it does not take */
  words(positionals: readonly string[]): W;
  /** Reads all words itself, in place of `settings` and `words`: for words that are another command's. */
  read?(argv: readonly string[]): Values<S> & W;
  /** Commands within this one, which help lists. */
  readonly parts?: readonly Command[];
  /** Does it; returns the exit status. */
  run(asked: Values<S> & W): number | Promise<number>;
}

/** Declares a command; what it does is checked against its settings by the compiler. */
export const command = <const N extends string, const S extends Settings, W>(
  definition: Command<S, W> & { readonly name: N },
): Command<S, W> & { readonly name: N } => definition;

/** What the words after a command ask of it. @throws InputKindError or InputValueError naming the word to change */
export function readCommand<S extends Settings, W>(
  definition: Command<S, W>,
  argv: readonly string[],
): Values<S> & W {
  const { name, settings, words } = definition;
  if (definition.read) return definition.read(argv);
  const flags = new Map(Object.keys(settings).map((key) => [hyphenated(key), key]));
  const arities = [...flags].map(([flag, key]) => [flag, arityOf(settings[key].kind)] as const);
  const given = tokensOf(name, argv, new Map(arities));
  if (given.unknown.length > 0) {
    const known = [...flags.keys()].map((flag) => `--${flag}`);
    const advice = didYouMean(nearest(given.unknown[0], known));
    throw valueError(name, known.join(" or ") || "no flags", given.unknown[0], advice);
  }
  const values = [...flags].map(([flag, key]) => {
    const { kind, default: usual } = settings[key];
    const typed = given.flags.get(flag);
    return [key, typed ? accepted(kind, `--${flag}`, readWords(kind, typed.words)) : usual];
  });
  return { ...(Object.fromEntries(values) as Values<S>), ...words(given.positionals) };
}

/** The words of a command that takes one folder of a run. */
export function oneFolder(name: string, positionals: readonly string[]): { readonly dir: string } {
  if (positionals.length === 1) return { dir: positionals[0] };
  throw valueError(
    name,
    "one folder of a run",
    positionals.join(" ") || "none",
    `for example central-flows ${name} experiments/my-run`,
  );
}

/** The words of a command that takes none. */
export function noWords(name: string, positionals: readonly string[]): object {
  if (positionals.length > 0) throw valueError(name, "no further words", positionals.join(" "));
  return {};
}
