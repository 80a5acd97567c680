import { describe, expect, test } from "vitest";
import { checkValue, isIgnored } from "../../src/base/index.ts";
import { helpText } from "../../src/cli/help.ts";
import { COMMANDS, parseCommand } from "../../src/cli/parse.ts";
import {
  FAMILIES,
  IGNORED,
  OVERRIDES,
  optionsOfAll,
  PART_NAMES,
  partOptions,
  readWords,
  SECTIONS,
} from "../../src/settings/index.ts";

const parts = PART_NAMES.flatMap((part) =>
  Object.values(FAMILIES[part]).map((entry) => ({ part, entry, options: partOptions(part, entry) })),
);
const topics = [null, ...COMMANDS, ...parts.map(({ part, entry }) => `${part}:${entry.name}`)];
const readFile = () => "{}";

describe.each(topics)("help %s", (topic) => {
  const help = helpText(topic);

  test("fits a page 100 columns wide and has no ragged ends", () => {
    for (const line of help.split("\n")) {
      expect(line.length, line).toBeLessThanOrEqual(100);
      expect(line).toBe(line.trimEnd());
    }
  });

  test("has an example that is read without complaint", () => {
    const example = /Example\n {2}central-flows (.+)$/m.exec(help)?.[1];
    expect(example).toBeDefined();
    expect(() => parseCommand((example ?? "").split(" "), { readFile })).not.toThrow();
  });
});

describe("help run", () => {
  const help = helpText("run");

  test("names every flag of every run", () => {
    for (const option of SECTIONS.flatMap(({ options }) => options))
      expect(help).toContain(`--${option.flag} `);
    for (const { entry, options } of parts) {
      expect(help).toContain(`  ${entry.name} `);
      for (const option of options) expect(help).toContain(`--${option.flag} `);
    }
  });

  test("sums up the settings of single processes", () => {
    expect(help).toContain("--{discrete,midpoint,central,stable}.eig.*");
    expect(OVERRIDES).toHaveLength(4 * 7);
  });

  test("is short enough to read", () => expect(help.split("\n").length).toBeLessThan(140));
});

describe("help of one name", () => {
  test.each(parts)("$part:$entry.name has each of its flags with a sentence", ({ part, entry, options }) => {
    const lines = helpText(`${part}:${entry.name}`).split("\n");
    for (const option of options) {
      const at = lines.findIndex((line) => line.startsWith(`  --${option.flag} `));
      expect(lines[at], option.flag).toContain(option.setting.help.slice(0, 20));
    }
  });
});

test("every option has a sentence, a default that it takes, and an example where it is required", () => {
  for (const { flag, setting } of optionsOfAll()) {
    expect(setting.help.length, flag).toBeGreaterThan(0);
    if ("default" in setting)
      expect(checkValue(setting.kind, setting.default), flag).toEqual({ ok: true, value: setting.default });
    else if (flag !== "expid") expect(readWords(setting.kind, [setting.example ?? ""]).ok, flag).toBe(true);
  }
});

test("what is read and ignored says why, and stands apart from what has an effect", () => {
  const [effective, ignored] = helpText("run").split("Read and ignored: ");
  const used = new Set(optionsOfAll().flatMap(({ flag, setting }) => (isIgnored(setting) ? [] : [flag])));
  for (const { flag, setting } of optionsOfAll().filter(
    ({ flag }) => !OVERRIDES.some((each) => each.flag === flag),
  ))
    if (isIgnored(setting) && !used.has(flag))
      expect(ignored.replaceAll("\n", " "), flag).toContain(`--${flag} (${IGNORED.get(flag)})`);
    else expect(effective, flag).toContain(`--${flag} `);
});
