import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { InputValueError } from "../../src/base/index.ts";
import { helpText } from "../../src/cli/help.ts";
import { parseCommand, parseRun } from "../../src/cli/parse.ts";
import { startRun } from "../../src/run/index.ts";
import {
  fromConfigJson,
  PRESETS,
  presetSettings,
  SMALL_PRESET_NAMES,
  toConfigJson,
  toFlags,
} from "../../src/settings/index.ts";

const NAMES = [...PRESETS.keys()];
const PROVENANCE = { cmd: "test", gitHash: null, version: "0" };
const newExpid = () => "a-run";
const configOf = (...words: string[]) => parseRun(words, { newExpid }).config;

describe.each(NAMES)("%s", (name) => {
  const config = configOf("--preset", name);

  test("has the values of its table entry and defaults besides", () => {
    const { help, ...entry } = PRESETS.get(name)!;
    expect(config).toMatchObject(entry);
    expect(help.length).toBeGreaterThan(0);
  });

  test("is the same run from its flags and from its config.json", () => {
    expect(configOf(...toFlags(config))).toEqual(config);
    expect(fromConfigJson(JSON.parse(JSON.stringify(toConfigJson(config, PROVENANCE))))).toEqual(config);
  });

  test("is listed by help", () => {
    expect(helpText("presets")).toContain(`\n  ${name} `);
  });
});

describe("flags override a preset", () => {
  const preset = configOf("--preset", "mlp-digits");

  test("one at a time, before or after it", () => {
    expect(configOf("--preset", "mlp-digits", "--opt.lr", "0.01")).toEqual({
      ...preset,
      opt: { ...preset.opt, lr: 0.01 },
    });
    expect(configOf("--steps=3", "--preset", "MLP_digits")).toEqual({ ...preset, steps: 3 });
  });

  test("and a part in place of another takes that one's settings away", () => {
    const { arch, opt, data } = configOf("--preset", "mlp-digits", "arch:cnn");
    expect(arch).toEqual(configOf("arch:cnn").arch);
    expect({ opt, data }).toEqual({ opt: preset.opt, data: preset.data });
  });
});

test.each([
  ["run --preset mlp-digts", "did you mean mlp-digits?"],
  ["run --preset nonsense-beyond-all-names", "central-flows help presets"],
  ["run --preset __proto__", "central-flows help presets"],
  ["run --preset", "a value after it"],
  ["run --preset mlp-digits --config a.json", "either a preset or a --config"],
  ["run --preset mlp-digits --preset mlp-digits", "once"],
  ["run --preset mlp-digits --opt.beta2 0.9", "--opt.beta2 belongs to"],
  ["help preset", "did you mean presets?"],
])("misuse is explained: %s", (line, named) => {
  const attempt = () => parseCommand(line.split(" "), { readFile: () => "{}" });
  expect(attempt).toThrow(InputValueError);
  expect(attempt).toThrow(named);
});

test("help presets fits its page and its example is read", () => {
  const help = helpText("presets");
  for (const line of help.split("\n")) {
    expect(line.length, line).toBeLessThanOrEqual(100);
    expect(line).toBe(line.trimEnd());
  }
  const example = /Example\n {2}central-flows (.+)$/m.exec(help)?.[1] ?? "";
  expect(parseCommand(example.split(" ")).command).toBe("run");
});

test("small presets cover every network, and every optimizer on three kinds of it, without a file", () => {
  const configs = SMALL_PRESET_NAMES.map((name) => configOf("--preset", name));
  const archs = new Set(configs.map(({ arch }) => arch.name));
  expect(archs).toEqual(new Set(["mlp", "cnn", "resnet", "vit", "lstm", "transformer", "mamba"]));
  for (const arch of ["cnn", "vit", "transformer"])
    expect(
      new Set(configs.flatMap((config) => (config.arch.name === arch ? [config.opt.name] : []))),
    ).toEqual(new Set(["gd", "scalar-rmsprop", "rmsprop"]));
  for (const { data } of configs) expect(["digits", "moons", "sorting", "copying"]).toContain(data.name);
});

test("a reference preset without its data says which file it needs", async () => {
  const folder = mkdtempSync(join(tmpdir(), "presets-"));
  try {
    for (const name of ["reference-mlp-gd", "reference-sst2-transformer-rmsprop"]) {
      const config = configOf("--preset", name, "--data.cache-dir", folder);
      await expect(startRun(config, join(folder, "run"), PROVENANCE)).rejects.toThrow(folder);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("what a preset says is what its settings hold, no more and no less", () => {
  const { selection, values } = presetSettings({
    help: "",
    opt: { name: "gd", lr: 0.5 },
    data: { name: "moons", noise: 0 },
    arch: { name: "mlp" },
    steps: 3,
    eig: { frequency: 2 },
  });
  expect([selection.opt.name, selection.data.name, selection.arch.name]).toEqual(["gd", "moons", "mlp"]);
  expect(Object.fromEntries(values)).toEqual({
    "opt.lr": 0.5,
    "data.noise": 0,
    steps: 3,
    "eig.frequency": 2,
  });
});
