import { describe, expect, test } from "vitest";
import { datasets } from "../../src/data/index.ts";
import { ENTRIES, partOptions } from "../../src/settings/index.ts";

describe("the table of settings says of each data set what the data layer says", () => {
  test("the same names", () => {
    expect(ENTRIES.data.map(({ name }) => name).sort()).toEqual(Object.keys(datasets).sort());
  });

  test.each(ENTRIES.data)("$name: the same options, defaults and requirements", ({ name, options }) => {
    const ours = options.map(({ path, field }) => [
      path[1],
      { default: field.default ?? undefined, required: !("default" in field) },
    ]);
    const theirs = Object.entries(datasets[name as keyof typeof datasets].options).map(([option, spec]) => [
      option,
      { default: spec.default, required: spec.required },
    ]);
    expect(Object.fromEntries(ours)).toEqual(Object.fromEntries(theirs));
  });
});

test("options of a part leave out its name and what is null", () => {
  expect(partOptions({ name: "npz", path: "a", classes: null } as { name: string })).toEqual({ path: "a" });
});
