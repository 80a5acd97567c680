import { isMisuse } from "../base/index.ts";
import { summaryText } from "../report/index.ts";
import { claimCommand } from "./commands/claim.ts";
import { compareCommand } from "./commands/compare.ts";
import { exportCommand } from "./commands/export.ts";
import { infoCommand } from "./commands/info.ts";
import { followReport, reportOf } from "./commands/report.ts";
import { resumeCommand, runCommand } from "./commands/run.ts";
import { verifyCommand } from "./commands/verify.ts";
import { parseCommand } from "./flags.ts";
import { helpText } from "./help.ts";
import { version } from "./version.ts";

async function execute(argv: readonly string[]): Promise<number> {
  const command = parseCommand(argv);
  switch (command.command) {
    case "run":
      return runCommand(command.config, command.notices, ["central-flows", ...argv].join(" "));
    case "resume":
      return resumeCommand(command.dir, command.steps, command);
    case "verify":
      return verifyCommand(command);
    case "compare":
      return compareCommand(command);
    case "report": {
      if (command.follow) return followReport(command.dir, (line) => process.stderr.write(`${line}\n`));
      const { path, summary, notice } = await reportOf(command.dir);
      if (notice !== undefined) process.stderr.write(`${notice}\n`);
      process.stdout.write(`${summaryText(summary)}\nreport ${path}\n`);
      return 0;
    }
    case "export":
      return exportCommand(command.dir, command.output, command);
    case "claim":
      return claimCommand(command);
    case "info":
      return infoCommand(command.json);
    case "help":
      process.stdout.write(helpText(command.topic));
      return 0;
    case "version":
      process.stdout.write(`${version()}\n`);
      return 0;
  }
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
