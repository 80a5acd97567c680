import { analyse } from "./analyse.ts";
import { claim } from "./claim.ts";
import type { Command } from "./command.ts";
import { compare } from "./compare.ts";
import { exportWeightsCommand } from "./export.ts";
import { info } from "./info.ts";
import { report } from "./report.ts";
import { resume } from "./run.ts";
import { sweep } from "./sweep.ts";
import { verify } from "./verify.ts";

const commands = [
  verify,
  report,
  compare,
  analyse,
  sweep,
  resume,
  exportWeightsCommand,
  claim,
  info,
] as const;

/** The names of the commands that are read by their settings. */
export type SmallName = (typeof commands)[number]["name"];

/** The commands that are read by their settings, in the order of the overview: a new one is its own file and a word here. */
export const SMALL_COMMANDS: readonly Command[] = commands as readonly unknown[] as readonly Command[];
