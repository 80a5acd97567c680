import {
  optionsOf,
  PART_NAMES,
  parseRun,
  type RunConfig,
  selectionOf,
  toFlags,
  wordsOf,
} from "../../settings/index.ts";

/** A run as the parts and flags that a link has: `opt` → `gd`, `opt.lr` → `0.3`. In their order; nothing but text. */
export type Pairs = ReadonlyMap<string, string>;

const isPart = (key: string): boolean => PART_NAMES.some((part) => part === key);

/** The words after `central-flows run` that pairs stand for. */
export const argvOf = (pairs: Pairs): string[] =>
  Array.from(pairs, ([key, value]) => (isPart(key) ? `${key}:${value}` : `--${key}=${value}`));

/** Reads pairs by the code that reads the command line. @throws InputKindError or InputValueError naming the flag */
export function readPairs(pairs: Pairs): { readonly config: RunConfig; readonly notices: readonly string[] } {
  const { config, notices } = parseRun(argvOf(pairs), { newExpid: () => "lab" });
  return { config, notices: notices.filter((line) => !line.startsWith("--eig.frequency is 1")) };
}

/** The shortest pairs of a configuration: its parts, and what is not its default. */
export function pairsOf(config: RunConfig): Map<string, string> {
  const pairs = new Map<string, string>();
  let open: string | undefined;
  for (const word of toFlags(config)) {
    const [, part, name] = /^(opt|data|arch):(.*)$/.exec(word) ?? [];
    const [, flag, value] = /^--([^=]+)(?:=(.*))?$/s.exec(word) ?? [];
    if (part !== undefined) pairs.set(part, name);
    else if (flag !== undefined) {
      pairs.set(flag, value ?? "");
      open = value === undefined ? flag : undefined;
    } else if (open !== undefined) pairs.set(open, [pairs.get(open), word].filter((each) => each).join(","));
  }
  pairs.delete("expid");
  // Where flows need eigenvalues it is what it would be without a word.
  const silent = new Map(pairs);
  silent.delete("eig.frequency");
  return runs(silent)?.eig.frequency === config.eig.frequency ? silent : pairs;
}

/** The configuration of pairs; undefined where they are no run. */
function runs(pairs: Pairs): RunConfig | undefined {
  try {
    return readPairs(pairs).config;
  } catch {
    return undefined;
  }
}

/** Pairs with one of them set; another part takes the flags of the one before with it. */
export function withPair(pairs: Pairs, key: string, value: string | undefined): Map<string, string> {
  const next = new Map(pairs);
  if (isPart(key) && pairs.get(key) !== value)
    for (const flag of pairs.keys()) if (flag.startsWith(`${key}.`)) next.delete(flag);
  if (value === undefined) next.delete(key);
  else next.set(key, value);
  return next;
}

/** What a run has otherwise than the first: pairs that, over those of the first, give its own. */
export function differenceOf(first: Pairs, run: Pairs): Map<string, string> {
  const parts = PART_NAMES.filter((part) => run.get(part) !== first.get(part));
  const replaced = (key: string): boolean => parts.some((part) => key.startsWith(`${part}.`));
  const difference = new Map<string, string>();
  for (const [key, value] of run) if (replaced(key) || first.get(key) !== value) difference.set(key, value);
  const missing = [...first.keys()].filter((key) => !run.has(key) && !replaced(key));
  if (missing.length > 0) {
    const { config } = readPairs(run);
    for (const option of optionsOf(selectionOf(config))) {
      if (!missing.includes(option.flag)) continue;
      let value: unknown = config;
      for (const key of option.path) value = (value as Record<string, unknown>)[key];
      difference.set(option.flag, wordsOf(option, value).join(","));
    }
  }
  return difference;
}

/** The pairs of a run that is told as a difference from the first. */
export function withDifference(first: Pairs, difference: Pairs): Map<string, string> {
  let run = new Map(first);
  for (const part of PART_NAMES) if (difference.has(part)) run = withPair(run, part, difference.get(part));
  for (const [key, value] of difference) run.set(key, value);
  return run;
}

/** The command that computes a run anywhere, for a POSIX shell. */
export const commandOf = (pairs: Pairs): string =>
  ["npx central-flows run", ...argvOf(pairs).map(quoted)].join(" ");

const quoted = (word: string): string =>
  /^[\w=:.,@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
