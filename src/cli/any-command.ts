import { runCommand } from "./commands/run.ts";
import { helpText } from "./help.ts";
import { parseCommand } from "./parse.ts";
import { SMALL_COMMANDS } from "./small-commands.ts";
import { version } from "./terminal/version.ts";

/** Runs a command line whatever its command is, with all commands loaded; returns the exit status. */
export async function anyCommand(argv: readonly string[]): Promise<number> {
  const asked = parseCommand(argv);
  if ("config" in asked) return runCommand(asked.config, asked.notices, ["central-flows", ...argv].join(" "));
  const small = SMALL_COMMANDS.find(({ name }) => name === asked.command);
  if (small) return small.run(asked);
  process.stdout.write(`${"topic" in asked ? helpText(asked.topic) : version()}\n`);
  return 0;
}
