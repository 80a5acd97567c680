import { isIgnored } from "../base/index.ts";
import { lastsTheRun } from "../flows/index.ts";
import { selectionOf } from "./checks.ts";
import { optionsOf, placeAt, slotsOf, valueAt } from "./table.ts";
import type { RunConfig } from "./types.ts";

/**
 * What two configurations must share to be the same run, as text: every setting that decides a number of a row, and the
 * length where the learning rate's schedule lasts the run. What a rule tells about itself is left out, and a setting that is
 * younger than this form where it has its default, so that runs of older versions can be resumed.
 */
export function sameRun(config: RunConfig): string {
  const shared: Record<string, unknown> = {};
  const selection = selectionOf(config);
  for (const [slot, { name }] of slotsOf(selection)) placeAt(shared, [slot, "name"], name);
  const length: Record<string, unknown> = {};
  for (const { path, setting } of optionsOf(selection)) {
    const { decides = "numbers", younger, default: usual } = setting;
    const ownWord = setting.recorded === true && "default" in setting;
    const value = isIgnored(setting) || ownWord ? usual : valueAt(config, path);
    if (decides === "nothing" || (younger && JSON.stringify(value) === JSON.stringify(usual))) continue;
    if (decides === "length") {
      if (lastsTheRun(config.opt)) placeAt(length, path, value);
    } else placeAt(shared, path, value);
  }
  return JSON.stringify({ ...shared, ...length });
}
