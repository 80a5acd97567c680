import { describe, expect, test } from "vitest";
import { COMMANDS, parseCommand } from "../../src/cli/flags.ts";
import { helpText } from "../../src/cli/help.ts";
import { ENTRIES, OVERRIDES, optionsOf, PART_NAMES, SECTIONS } from "../../src/settings/index.ts";

const parts = PART_NAMES.flatMap((part) => ENTRIES[part].map((entry) => ({ part, entry })));
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
    for (const { entry } of parts) {
      expect(help).toContain(`  ${entry.name} `);
      for (const option of entry.options) expect(help).toContain(`--${option.flag} `);
    }
  });

  test("sums up the settings of single processes", () => {
    expect(help).toContain("--{discrete,midpoint,central,stable}.eig.*");
    expect(OVERRIDES).toHaveLength(4 * 7);
  });

  test("is short enough to read", () => expect(help.split("\n").length).toBeLessThan(130));
});

describe("help of one name", () => {
  test.each(parts)("$part:$entry.name has each of its flags with a sentence", ({ part, entry }) => {
    const lines = helpText(`${part}:${entry.name}`).split("\n");
    for (const option of entry.options) {
      const at = lines.findIndex((line) => line.startsWith(`  --${option.flag} `));
      expect(lines[at], option.flag).toContain(option.field.help.slice(0, 20));
    }
  });
});

test("every option has a sentence, and an example where it is required", () => {
  const options = [
    ...parts.flatMap(({ entry }) => entry.options),
    ...optionsOf({ opt: "gd", data: "digits", arch: "mlp" }),
  ];
  for (const { flag, field } of options) {
    expect(field.help.length, flag).toBeGreaterThan(0);
    if ("default" in field)
      expect(field.kind.check(field.default), flag).toEqual({ ok: true, value: field.default });
    else if (flag !== "expid") expect(field.kind.read([field.example ?? ""]).ok, flag).toBe(true);
  }
});
