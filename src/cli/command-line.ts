import { isMisuse } from "../base/index.ts";
import { runCommand } from "./commands/run.ts";
import { helpText } from "./help.ts";
import { parseCommand } from "./parse.ts";
import { SMALL_COMMANDS } from "./small-commands.ts";
import { version } from "./terminal/version.ts";

async function execute(argv: readonly string[]): Promise<number> {
  const asked = parseCommand(argv);
  if ("config" in asked) return runCommand(asked.config, asked.notices, ["central-flows", ...argv].join(" "));
  const small = SMALL_COMMANDS.find(({ name }) => name === asked.command);
  if (small) return small.run(asked);
  process.stdout.write(`${"topic" in asked ? helpText(asked.topic) : version()}\n`);
  return 0;
}

/** A failure in words; the stack only for what nobody foresaw. */
function explain(error: unknown): string {
  if (isMisuse(error)) return error.message;
  if (!(error instanceof Error)) return String(error);
  return error.constructor === Error ? error.message : (error.stack ?? error.message);
}

/** Runs one command line; returns the exit status: 0 done, 1 failed, 2 misused, 130 interrupted. */
export async function runCommandLine(argv: readonly string[]): Promise<number> {
  try {
    return await execute(argv);
  } catch (error) {
    process.stderr.write(`${explain(error)}\n`);
    return isMisuse(error) ? 2 : 1;
  }
}
