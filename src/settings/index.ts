/** The configuration of a run: its type, its table of settings, defaults, checks, and config.json. */
export { endingSentence } from "./advice.ts";
export { checkRun, eigOf, selectionOf } from "./checks.ts";
export { checkedOptions, isRuleFile, OWN } from "./custom.ts";
export { fromConfigJson, type Provenance, readConfigJson, toConfigJson } from "./json.ts";
export { accepted, choice, flag, integer, type Kind, type Outcome, orWord, text } from "./kinds.ts";
export type { Field } from "./parts.ts";
export {
  CLAIM_PRESET_NAMES,
  PRESETS,
  presetSettings,
  SMALL_PRESET_NAMES,
} from "./presets/preset-settings.ts";
export type { Preset } from "./presets/types.ts";
export {
  defaultRun,
  partOptions,
  randomExpid,
  resolveRun,
  type Settings,
  startingSettings,
  toFlags,
} from "./resolve.ts";
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
} from "./table.ts";
export * from "./types.ts";
