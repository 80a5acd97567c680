import type { Settings } from "../resolve.ts";
import { FAMILIES, optionsOf, valueAt } from "../table.ts";
import { CLAIM_PRESETS } from "./claims.ts";
import { REFERENCE_PRESETS } from "./reference.ts";
import { SMALL_PRESETS } from "./small.ts";
import type { Preset } from "./types.ts";

/** Every preset by its name, the small ones first. */
export const PRESETS: ReadonlyMap<string, Preset> = new Map(
  Object.entries<Preset>({ ...SMALL_PRESETS, ...CLAIM_PRESETS, ...REFERENCE_PRESETS }),
);

/** The names of the presets that need no file and no patience: what the gallery shows. */
export const SMALL_PRESET_NAMES: readonly string[] = Object.keys(SMALL_PRESETS);

/** The names of the presets behind the claims. */
export const CLAIM_PRESET_NAMES: readonly string[] = Object.keys(CLAIM_PRESETS);

/** What a preset says, by flag, as if it had been given on the command line. */
export function presetSettings(preset: Preset): Settings {
  const selection = {
    opt: FAMILIES.opt[preset.opt.name],
    data: FAMILIES.data[preset.data.name],
    arch: FAMILIES.arch[preset.arch.name],
  };
  const given = optionsOf(selection).flatMap(({ flag, path }) => {
    const value = valueAt(preset, path);
    return value === undefined ? [] : [[flag, value] as const];
  });
  return { selection, values: new Map(given) };
}
