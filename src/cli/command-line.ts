import { isMisuse } from "../base/index.ts";
import { version } from "./terminal/version.ts";

const VERSION: readonly string[] = ["--version", "-V"];
const HELP: readonly string[] = ["--help", "-h"];

/** Loads what the command needs and no more: half the time to a run's first step is loading modules. */
async function execute(argv: readonly string[]): Promise<number> {
  const [first, ...rest] = argv;
  if (first === "run" && !rest.some((word) => HELP.includes(word))) {
    const { runWords } = await import("./commands/run.ts");
    return runWords(rest);
  }
  if (VERSION.includes(first)) {
    process.stdout.write(`${version()}\n`);
    return 0;
  }
  const { anyCommand } = await import("./any-command.ts");
  return anyCommand(argv);
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
