import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { beforeAll, expect, test } from "vitest";
import { configOf, MOONS, resumeRun, rowsDifference, runWords, temporaryFolder } from "./small-runs.ts";

const base = temporaryFolder();
const words = (backend: string): string[] => [
  ...MOONS,
  "--backend",
  backend,
  "--threads",
  "1",
  "--steps",
  "8",
];

beforeAll(() => {
  // Node 20 has relaxed SIMD behind a flag, later ones without.
  if (Number(process.versions.node.split(".")[0]) < 22)
    setFlagsFromString("--experimental-wasm-relaxed-simd");
});

/** Stops a run after a few steps and puts another backend into its config.json. */
async function interrupted(folder: string, from: string, to: string): Promise<void> {
  let asked = 0;
  await runWords(folder, words(from), { interrupted: () => asked++ === 3 });
  const path = join(folder, "config.json");
  const config = JSON.parse(readFileSync(path, "utf8"));
  expect(config.backend).toBe(from);
  writeFileSync(path, JSON.stringify({ ...config, backend: to }));
}

test.each([
  ["wasm", "wasm-fma"],
  ["wasm-fma", "wasm"],
  ["auto", "wasm-fma"],
])("a run begun with %s does not go on with %s, and says why", async (from, to) => {
  const folder = join(base, `${from} ${to}`);
  await interrupted(folder, from, to);
  await expect(resumeRun(folder, null)).rejects.toThrow(
    new RegExp(
      `backend ${from}, which computed the rows of the journal, got ${to} .*rounds sums of products`,
    ),
  );
});

test("a run of wasm-fma that is resumed has the rows of one that was not, and others than wasm's", async () => {
  const whole = await runWords(join(base, "whole"), words("wasm-fma"));
  expect(whole.backend).toBe("wasm-fma");
  const folder = join(base, "resumed");
  await interrupted(folder, "wasm-fma", "wasm-fma");
  const resumed = await resumeRun(folder, null);
  expect(rowsDifference(whole.rows, resumed.rows)).toBeUndefined();
  const separate = await runWords(join(base, "separate"), words("wasm"));
  expect(rowsDifference(whole.rows, separate.rows)).toBeDefined();
  expect(configOf(...words("wasm-fma")).backend).toBe("wasm-fma");
});
