import { accepted, checkValue, isIgnored, kindError, valueError } from "../base/index.ts";
import { selectionOf } from "./checks.ts";
import { checkedOptions, fileKindOfClass, NO_DATA_CLASS, noData, ownPart } from "./custom.ts";
import { resolveRun, type Settings, startingSettings } from "./resolve.ts";
import { FAMILIES, type Families, optionsOf, PART_NAMES, placeAt, slotsOf, valueAt } from "./table.ts";
import type { AnyPart, RunConfig, Selection, SlotName } from "./types.ts";

type Json = Readonly<Record<string, unknown>>;

/** Where a run came from. */
export interface Provenance {
  /** The command line. */
  readonly cmd: string;
  /** The commit of the code, null where unknown. */
  readonly gitHash: string | null;
  /** The version of this package. */
  readonly version: string;
}

/** The groups of config.json in the order in which the reference writes them, with the classes it names. */
const GROUPS: Readonly<Record<string, string | undefined>> = {
  opt: undefined,
  data: undefined,
  arch: undefined,
  runs: undefined,
  eig_config: "EigConfig",
  discrete_config: "DiscreteProcessConfig",
  midpoint_config: "MidpointProcessConfig",
  stable_config: "StableFlowConfig",
  central_config: "CentralFlowConfig",
  checkpointer: "Checkpointer",
  load: "LoadOptions",
};

/** Keys that say where a run came from and settle nothing about it. */
const PROVENANCE_KEYS: readonly string[] = ["git_hash", "cmd", "version"];

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * The object that config.json holds: the reference's structure and names, and at its end the settings that the
 * reference does not have.
 */
export function toConfigJson(
  config: RunConfig,
  { cmd, gitHash, version }: Provenance,
  families: Families = FAMILIES,
): Record<string, unknown> {
  const json: Record<string, unknown> = {};
  const selection = selectionOf(config, families);
  for (const { json: path, path: from, setting } of optionsOf(selection)) {
    const value = isIgnored(setting) ? setting.default : valueAt(config, from);
    placeAt(json, path, Array.isArray(value) ? [...value] : value);
  }
  const classes: Record<string, string | undefined> = { ...GROUPS };
  for (const [slot, { className }] of slotsOf(selection)) classes[slot] = className;
  for (const [group, className] of Object.entries(classes))
    if (className !== undefined) placeAt(json, [group, "class"], className);

  const { warm_start, steps, device, seed, expid } = json;
  const reference = { warm_start, steps, device, seed, expid, git_hash: gitHash, cmd };
  const groups = Object.fromEntries(Object.keys(GROUPS).map((group) => [group, json[group]]));
  const own = Object.fromEntries(
    Object.entries(json).filter(([key]) => !(key in groups || key in reference)),
  );
  return { ...groups, ...reference, ...own, version };
}

/** The part that a config.json has; undefined if it has none. */
function partIn(json: Json, part: SlotName, label: string, families: Families): AnyPart | undefined {
  const group = json[part];
  if (group === undefined) return undefined;
  if (!isObject(group)) throw kindError(`${label} ${part}`, "an object", JSON.stringify(group));
  const kind = fileKindOfClass(part, group.class);
  if (kind !== undefined)
    return ownPart(kind, checkedOptions(`${label} ${part}.options`, group.options ?? {}, kind));
  if (part === "data" && group.class === NO_DATA_CLASS) return noData;
  const parts = part === "observe" ? [] : Object.values(families[part]);
  const found = parts.find(({ className }) => className !== undefined && className === group.class);
  if (found !== undefined) return found;
  const known = parts.map(({ className }) => className).join(", ") || "OwnQuantity";
  throw valueError(`${label} ${part}.class`, `one of ${known}`, JSON.stringify(group.class) ?? "nothing");
}

/** The paths of everything in an object that is not an object itself. */
const leaves = (json: Json, path: readonly string[] = []): string[][] =>
  Object.entries(json).flatMap(([key, value]) =>
    isObject(value) ? leaves(value, [...path, key]) : [[...path, key]],
  );

function refuseUnknown(json: Json, selection: Selection, label: string): void {
  const known = new Set(optionsOf(selection).map((option) => option.json.join(".")));
  for (const path of leaves(json)) {
    if (known.has(path.join(".")) || path.at(-1) === "class") continue;
    if (path.length === 1 && PROVENANCE_KEYS.includes(path[0])) continue;
    const group = path.slice(0, -1).join(".");
    const siblings = optionsOf(selection)
      .filter((option) => option.json.slice(0, -1).join(".") === group)
      .map((option) => option.json.at(-1));
    throw valueError(
      label,
      siblings.length > 0 ? `under ${group || "the top"} only ${siblings.join(", ")}` : "known keys",
      path.join("."),
      "remove it or mend its name",
    );
  }
}

/**
 * The settings that the object of a config.json holds, ours or the reference's. Keys that are absent, and a null
 * expid, are settings not given.
 *
 * @param label names the file in errors
 * @throws InputKindError or InputValueError naming the key
 */
export function readConfigJson(
  json: unknown,
  label = "config.json",
  families: Families = FAMILIES,
): Settings {
  if (!isObject(json)) throw kindError(label, "a JSON object", JSON.stringify(json) ?? "nothing");
  const named: { -readonly [S in SlotName]?: AnyPart } = {};
  for (const part of [...PART_NAMES, "observe"] as const) {
    const found = partIn(json, part, label, families);
    if (found !== undefined) named[part] = found;
  }
  const start = startingSettings(named);
  refuseUnknown(json, start.selection, label);
  const values = new Map(start.values);
  for (const { flag, json: path, setting } of optionsOf(start.selection)) {
    const value = valueAt(json, path);
    if (value === undefined || (value === null && flag === "expid")) continue;
    values.set(flag, accepted(setting.kind, `${label} ${path.join(".")}`, checkValue(setting.kind, value)));
  }
  return { selection: start.selection, values };
}

/**
 * The configuration that the object of a config.json describes; `fromConfigJson(toConfigJson(c, p))` equals c.
 *
 * @throws InputKindError or InputValueError naming the key or the flag
 */
export const fromConfigJson = (json: unknown): RunConfig => resolveRun(readConfigJson(json)).config;
