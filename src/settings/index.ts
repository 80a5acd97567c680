/** The configuration of a run: its settings, from which types, flags, defaults, checks and config.json are derived. */
export { endingSentence, warmStartSentence } from "./advice.ts";
export { checkRun, eigOf, selectionOf } from "./checks.ts";
export { parseRun, partNames, RUN_FLAGS, type Surroundings } from "./command-line/parse-run.ts";
export { didYouMean, nearest } from "./command-line/suggest.ts";
export { canonical, SELECTOR, tokensOf } from "./command-line/tokens.ts";
export {
  checkedOptions,
  checkedSettings,
  fileWord,
  isOwnFile,
  OWN,
  ownFiles,
  settingsOf,
} from "./custom.ts";
export { REFERENCE_PROCESSES } from "./general.ts";
export { fromConfigJson, type Provenance, readConfigJson, toConfigJson } from "./json.ts";
export {
  CLAIM_PRESET_NAMES,
  PRESETS,
  presetSettings,
  SMALL_PRESET_NAMES,
} from "./presets/preset-settings.ts";
export type { Preset } from "./presets/types.ts";
export {
  defaultRun,
  randomExpid,
  resolveRun,
  type Settings,
  startingSettings,
  toFlags,
} from "./resolve.ts";
export { sameRun } from "./same-run.ts";
export {
  FAMILIES,
  type Families,
  hyphenated,
  IGNORED,
  type Option,
  OVERRIDES,
  optionsOf,
  optionsOfAll,
  PART_NAMES,
  partOptions,
  SECTIONS,
  type Section,
  slotsOf,
  valuesOf,
  wordsOf,
} from "./table.ts";
export * from "./types.ts";
export { arityOf, hintOf, readWords, writeWords } from "./words.ts";
