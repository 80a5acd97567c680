import { flattened } from "./facts.ts";
import { plainNumber } from "./format.ts";

/** A setting in which runs differ: its name, and each run's value as words. */
export interface Difference {
  /** As short as the others allow: `lr`, or `opt.lr` where another is called so. */
  readonly name: string;
  readonly values: readonly string[];
}

/** What says where a run came from or how it was computed, and nothing about its numbers but, for the backend wasm-fma, their bits. */
const BESIDE_THE_POINT =
  /^(expid|cmd|git_hash|version|device|out|quiet|json|profile|backend|threads|memory|chunk|checkpointer\..*|.*\.class_name|.*\.sha256|.*critical_value)$/;

/**
 * The settings in which runs differ, in the order of config.json.
 *
 * @param configs in the structure of config.json, one per run
 */
export function differencesOf(configs: readonly Readonly<Record<string, unknown>>[]): Difference[] {
  const leaves = configs.map(
    (config) => new Map(flattened(config).map(({ label, value }) => [label, value])),
  );
  const keys = [...new Set(leaves.flatMap((each) => [...each.keys()]))].filter(
    (key) =>
      !BESIDE_THE_POINT.test(key) || leaves.some((each) => key === "backend" && each.get(key) === "wasm-fma"),
  );
  const differing = keys.filter((key) => new Set(leaves.map((each) => each.get(key))).size > 1);
  const short = (key: string): string => key.slice(key.lastIndexOf(".") + 1);
  return differing.map((key) => ({
    name: differing.filter((other) => short(other) === short(key)).length > 1 ? key : short(key),
    values: leaves.map((each) => words(each.get(key))),
  }));
}

/** A value as words; a dash where a run has no such setting. */
function words(value: string | undefined): string {
  if (value === undefined) return "–";
  const number = Number(value);
  return value !== "" && Number.isFinite(number) ? plainNumber(number) : value;
}

/** The order of two values: by number where both are numbers. */
export function compareValues(a: string, b: string): number {
  const [x, y] = [Number(a.replace("−", "-")), Number(b.replace("−", "-"))];
  if (Number.isFinite(x) && Number.isFinite(y)) return x - y;
  return a < b ? -1 : a > b ? 1 : 0;
}
