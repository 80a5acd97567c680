import { analyse } from "./commands/analyse.ts";
import { claim } from "./commands/claim.ts";
import type { Command } from "./commands/command.ts";
import { compare } from "./commands/compare.ts";
import { exportWeightsCommand } from "./commands/export.ts";
import { info } from "./commands/info.ts";
import { report } from "./commands/report.ts";
import { resume } from "./commands/run.ts";
import { study } from "./commands/study.ts";
import { sweep } from "./commands/sweep.ts";
import { verify } from "./commands/verify.ts";
import { contest } from "./contest.ts";
import { lab } from "./lab.ts";

const commands = [
  verify,
  report,
  lab,
  compare,
  analyse,
  sweep,
  resume,
  exportWeightsCommand,
  claim,
  study,
  contest,
  info,
] as const;

/** The names of the commands that are read by their settings. */
export type SmallName = (typeof commands)[number]["name"];

/** The commands that are read by their settings, in the order of the overview: a new one is its own file and a word here. */
export const SMALL_COMMANDS: readonly Command[] = commands as readonly unknown[] as readonly Command[];
