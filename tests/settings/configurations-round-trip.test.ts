import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseRun } from "../../src/cli/parse.ts";
import {
  fromConfigJson,
  optionsOf,
  optionsOfAll,
  readWords,
  selectionOf,
  toConfigJson,
  toFlags,
  writeWords,
} from "../../src/settings/index.ts";
import { optionValues, runConfigs } from "./run-configs.ts";

const PROVENANCE = { cmd: "central-flows run", gitHash: null, version: "0.1.0" };
const never = (): string => {
  throw new Error("the name of the run is given");
};

describe("a configuration comes back", () => {
  test("from its flags", () => {
    fc.assert(
      fc.property(runConfigs, (config) => {
        expect(parseRun(toFlags(config), { newExpid: never }).config).toEqual(config);
      }),
      { numRuns: 300 },
    );
  });

  test("from config.json", () => {
    fc.assert(
      fc.property(runConfigs, (config) => {
        const file = JSON.parse(JSON.stringify(toConfigJson(config, PROVENANCE)));
        expect(fromConfigJson(file)).toEqual(config);
      }),
      { numRuns: 300 },
    );
  });

  test("from --config, with flags in place of what the file says", () => {
    fc.assert(
      fc.property(runConfigs, fc.integer({ min: 1, max: 999 }), (config, seed) => {
        const readFile = () => JSON.stringify(toConfigJson(config, PROVENANCE));
        const again = parseRun(["--config", "a.json", "--seed", String(seed)], { readFile, newExpid: never });
        expect(again.config).toEqual({ ...config, seed });
      }),
      { numRuns: 100 },
    );
  });
});

test("each value of each option is read from the words it is written as", () => {
  for (const option of optionsOfAll()) {
    const { kind } = option.setting;
    fc.assert(
      fc.property(optionValues(option), (value) => {
        expect(readWords(kind, writeWords(kind, value)), option.flag).toEqual({ ok: true, value });
      }),
      { numRuns: 25 },
    );
  }
});

test("config.json has a key for each option of the run, and no other but where it came from", () => {
  fc.assert(
    fc.property(runConfigs, (config) => {
      const leaves = (value: object, path: string): string[] =>
        Object.entries(value).flatMap(([key, inner]) =>
          typeof inner === "object" && inner !== null && !Array.isArray(inner)
            ? leaves(inner, `${path}${key}.`)
            : [path + key],
        );
      const keys = leaves(toConfigJson(config, PROVENANCE), "").filter((key) => !key.endsWith("class"));
      const known = optionsOf(selectionOf(config)).map(({ json }) => json.join("."));
      expect(keys.sort()).toEqual([...known, "git_hash", "cmd", "version"].sort());
    }),
    { numRuns: 50 },
  );
});

describe("the reference's config.json", () => {
  const path = fileURLToPath(new URL("reference-config.json", import.meta.url));
  const reference = JSON.parse(readFileSync(path, "utf8"));

  test("is read, and written again with the same keys, order and values, followed by our own", () => {
    const config = fromConfigJson(reference);
    const written = toConfigJson(config, {
      cmd: reference.cmd,
      gitHash: reference.git_hash,
      version: "0.1.0",
    });
    expect(Object.keys(written).slice(0, Object.keys(reference).length)).toEqual(Object.keys(reference));
    expect(written).toMatchObject({ ...reference, runs: ["discrete", "midpoint", "central", "stable"] });
    expect(config.opt).toMatchObject({
      name: "rmsprop",
      lr: 0.02,
      beta2: 0.95,
      eps: 1e-7,
      biasCorrection: true,
    });
  });

  test("is the configuration of the command line it records", () => {
    const words = (reference.cmd as string).split(" ").slice(1);
    expect(parseRun(words).config).toEqual(fromConfigJson(reference));
  });

  test("takes a null expid as not given", () => {
    expect(fromConfigJson({ ...reference, expid: null }).expid).toMatch(/^[0-9a-f]{16}$/);
  });
});
