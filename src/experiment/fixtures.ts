import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { valueError } from "../base/index.ts";
import { type NpyArray, readNpz } from "../data/index.ts";

/** One reference case: NAME.json says what it is, NAME.npz holds the numbers. */
export interface FixtureCase {
  /** The folder's name and the file's, `derivatives/mlp_mse`. */
  readonly name: string;
  readonly meta: Readonly<Record<string, unknown>>;
  readonly arrays: ReadonlyMap<string, NpyArray>;
}

/** The .json files with a .npz beside them, at or below a path (a folder, or one of the two files), sorted. */
export function fixtureFiles(path: string): string[] {
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
    if (entry.isDirectory()) return fixtureFiles(child);
    return entry.name.endsWith(".json") ? [child] : [];
  });
  return found.sort();
}

/** Reads one case. Throws with the file's name when either file is missing or broken. */
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
  let meta: unknown;
  try {
    meta = JSON.parse(new TextDecoder().decode(read(jsonPath)));
  } catch (error) {
    if (error instanceof SyntaxError) throw valueError(`verify ${name}`, "JSON that parses", error.message);
    throw error;
  }
  if (meta === null || typeof meta !== "object" || Array.isArray(meta))
    throw valueError(`verify ${name}`, "a JSON object", JSON.stringify(meta).slice(0, 40));
  return {
    name,
    meta: meta as Record<string, unknown>,
    arrays: readNpz(read(`${stem}.npz`), `verify ${name}`),
  };
}

/** An array of the case by name; throws when it is missing. */
export function arrayOf(fixture: FixtureCase, name: string): NpyArray {
  const found = fixture.arrays.get(name);
  if (!found)
    throw valueError(`verify ${fixture.name}`, `an array "${name}"`, [...fixture.arrays.keys()].join(", "));
  return found;
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
