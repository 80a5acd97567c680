import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { parseJson, valueError } from "../base/index.ts";
import { type NpyArray, readNpz } from "../data/index.ts";

/** One reference case: NAME.json says what it is, NAME.npz holds the numbers. */
export interface FixtureCase {
  /** The folder's name and the file's, `derivatives/mlp_mse`. */
  readonly name: string;
  readonly meta: Readonly<Record<string, unknown>>;
  readonly arrays: ReadonlyMap<string, NpyArray>;
}

/**
 * The .json files of cases at or below a path (a folder, or one of a case's two files), sorted.
 * Throws when the path does not exist or has none.
 */
export function fixtureFiles(path: string): string[] {
  const found = jsonFiles(path);
  if (found.length === 0)
    throw valueError("verify", "a folder with fixtures, NAME.json and NAME.npz", `${path}, which has none`);
  return found.sort();
}

function jsonFiles(path: string): string[] {
  let stats: ReturnType<typeof statSync>;
  try {
    stats = statSync(path);
  } catch {
    throw valueError("verify", "a folder of fixtures or one fixture's file", `${path}, which does not exist`);
  }
  if (!stats.isDirectory()) {
    const stem = path.replace(/\.(json|npz)$/, "");
    return [`${stem}.json`];
  }
  const found = readdirSync(path, { withFileTypes: true }).flatMap((entry) => {
    const child = join(path, entry.name);
    if (entry.isDirectory()) return jsonFiles(child);
    return entry.name.endsWith(".json") ? [child] : [];
  });
  return found;
}

/**
 * Reads one case; a JSON file that names no architecture is none, and its arrays are not read.
 * Throws with the file's name when either file is missing or broken.
 */
export function readFixture(jsonPath: string): FixtureCase {
  const stem = jsonPath.replace(/\.json$/, "");
  const name = `${basename(dirname(jsonPath))}/${basename(stem)}`;
  const read = (path: string): Uint8Array => {
    try {
      return readFileSync(path);
    } catch {
      throw valueError(`verify ${name}`, `the file ${path}`, "none that can be read");
    }
  };
  const meta = parseJson(new TextDecoder().decode(read(jsonPath)), `verify ${name}`, "JSON that parses");
  if (meta === null || typeof meta !== "object" || Array.isArray(meta))
    throw valueError(`verify ${name}`, "a JSON object", JSON.stringify(meta).slice(0, 40));
  return {
    name,
    meta: meta as Record<string, unknown>,
    arrays: "architecture" in meta ? readNpz(read(`${stem}.npz`), `verify ${name}`) : new Map(),
  };
}

/** An array of the case by name; throws when it is missing. */
export function arrayOf(fixture: FixtureCase, name: string): NpyArray {
  const found = fixture.arrays.get(name);
  if (!found)
    throw valueError(`verify ${fixture.name}`, `an array "${name}"`, [...fixture.arrays.keys()].join(", "));
  return found;
}

/** The entries of an array of the case; throws when it is missing or has another number of them. */
export function vectorOf(fixture: FixtureCase, name: string, length: number): Float64Array {
  const { shape, data } = arrayOf(fixture, name);
  if (data.length === length) return data;
  throw valueError(`verify ${fixture.name}`, `${length} entries in "${name}"`, `shape [${shape.join(", ")}]`);
}

/** An array with one row per step, and how many entries a row has; throws when its first axis is another. */
export function rowsOf(
  fixture: FixtureCase,
  name: string,
  steps: number,
): { readonly data: Float64Array; readonly width: number } {
  const { shape, data } = arrayOf(fixture, name);
  if (shape[0] === steps) return { data, width: data.length / steps };
  const expected = `${steps} rows, one per step, in "${name}"`;
  throw valueError(`verify ${fixture.name}`, expected, `shape [${shape.join(", ")}]`);
}

/** A vector as long as the weights, or those of its entries that the case's array `entries` names, where there is one. */
export function entriesOf({ arrays }: FixtureCase, vector: Float64Array): Float64Array {
  const entries = arrays.get("entries");
  return entries ? entries.data.map((l) => vector[l]) : vector;
}

/** A field of the case's description that must be an object; throws when it is none. */
export function objectOf(fixture: FixtureCase, key: string): Readonly<Record<string, unknown>> {
  const value = fixture.meta[key];
  if (value === null || typeof value !== "object" || Array.isArray(value))
    throw valueError(`verify ${fixture.name}`, `an object "${key}"`, JSON.stringify(value) ?? "none");
  return value as Readonly<Record<string, unknown>>;
}

/** A field of the case's description that must be a list; throws when it is none. */
export function listOf(fixture: FixtureCase, key: string): readonly unknown[] {
  const value = fixture.meta[key];
  if (!Array.isArray(value))
    throw valueError(`verify ${fixture.name}`, `a list "${key}"`, JSON.stringify(value) ?? "none");
  return value;
}

/** Options with their keys in camel case: mlp_dim → mlpDim. */
export function camelCased(options: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(options).map(([key, value]) => [
      key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
      value,
    ]),
  );
}
