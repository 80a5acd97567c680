import { valueError } from "../base/index.ts";
import {
  canonical,
  didYouMean,
  nearest,
  PART_NAMES,
  partNames,
  type RunConfig,
  SELECTOR,
  type Surroundings,
} from "../settings/index.ts";
import { noWords, parseRun, readCommand } from "./commands/command.ts";
import { SMALL_COMMANDS, type SmallName } from "./small-commands.ts";

/** What the command line asks for: a command by name, with what it is asked. */
export type Asked =
  | { readonly command: "run"; readonly config: RunConfig; readonly notices: readonly string[] }
  | { readonly command: "help"; readonly topic: string | null }
  | { readonly command: "version" }
  | { readonly command: SmallName };

/** The names of all commands, in the order of the overview. */
export const COMMANDS: readonly string[] = [
  "run",
  ...SMALL_COMMANDS.map(({ name }) => name),
  "help",
  "version",
];

export { parseRun };

/**
 * Reads the command line.
 *
 * @param argv the words after the program's name; none asks for help
 * @throws InputKindError or InputValueError naming the word to change
 */
export function parseCommand(argv: readonly string[], surroundings: Partial<Surroundings> = {}): Asked {
  const [first, ...rest] = argv;
  if (first === undefined || first === "--help" || first === "-h") return { command: "help", topic: null };
  if (first === "--version" || first === "-V") return { command: "version" };
  const name = COMMANDS.find((known) => known === first);
  if (name === undefined) throw unknownCommand(first, argv);
  if (name !== "help" && rest.some((word) => word === "--help" || word === "-h"))
    return { command: "help", topic: name };
  if (name === "run") return { command: name, ...parseRun(rest, surroundings) };
  if (name === "help") return { command: name, topic: helpTopic(rest) };
  const small = SMALL_COMMANDS.find((each) => each.name === name);
  if (small) return { command: small.name as SmallName, ...(readCommand(small, rest) as object) };
  noWords(name, rest);
  return { command: "version" };
}

function unknownCommand(first: string, argv: readonly string[]): Error {
  const meansRun = first.startsWith("--") || SELECTOR.test(first);
  return valueError(
    "central-flows",
    `a command (${COMMANDS.join(", ")})`,
    first,
    meansRun ? `did you mean central-flows run ${argv.join(" ")}?` : didYouMean(nearest(first, COMMANDS)),
  );
}

function helpTopic(words: readonly string[]): string | null {
  if (words.length === 0) return null;
  const topics = [...COMMANDS, "presets", ...PART_NAMES.flatMap((part) => partNames(part))];
  const topic = topics.find((name) => name === canonical(words[0]));
  if (topic === undefined || words.length > 1)
    throw valueError(
      "help",
      "a command, presets, or one of the names after opt:, data: or arch:",
      words.join(" "),
      didYouMean(nearest(words[0], topics)),
    );
  return topic;
}
