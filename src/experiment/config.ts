/** The configuration of a run: its type, its table of settings, defaults, checks, and config.json. */
export { checkRun, eigOf, selectionOf } from "./config-checks.ts";
export { fromConfigJson, type Provenance, readConfigJson, toConfigJson } from "./config-json.ts";
export { accepted, choice, flag, integer, type Kind, type Outcome, orWord, text } from "./config-kinds.ts";
export { isRuleFile, OWN } from "./config-own-rule.ts";
export type { Field } from "./config-parts.ts";
export {
  defaultRun,
  partOptions,
  randomExpid,
  resolveRun,
  type Settings,
  startingSettings,
  toFlags,
} from "./config-resolve.ts";
export {
  ENTRIES,
  type Entry,
  OPTIONS,
  type Option,
  OVERRIDES,
  optionsOf,
  PART_NAMES,
  SECTIONS,
  type Section,
  wordsOf,
} from "./config-table.ts";
export * from "./config-types.ts";
export { CLAIM_PRESET_NAMES, PRESETS, presetSettings, SMALL_PRESET_NAMES } from "./preset-settings.ts";
export type { Preset } from "./preset-types.ts";
