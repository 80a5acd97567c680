import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import * as core from "../../src/index.ts";

const guide = readFileSync(fileURLToPath(new URL("../../docs/library.md", import.meta.url)), "utf8");
const [table] = /^\| numpy \| here \|\n\|[-| ]+\|\n(?:\|.*\n)+/m.exec(guide) ?? [""];
const rows = table
  .trim()
  .split("\n")
  .slice(2)
  .map((row) => row.split(/(?<!\\)\|/).slice(1, 3));

/** Functions that a cell names: words alone between backticks, and what is called or constructed. */
const named = (cell: string): string[] =>
  [...cell.matchAll(/`([^`]+)`/g)].flatMap(([, code]) =>
    /^\w+$/.test(code) ? [code] : [...code.matchAll(/(?<![.\w])([a-zA-Z]\w+)\(/g)].map(([, name]) => name),
  );

test("every name that the table of numpy's names gives is exported", () => {
  const given = rows.flatMap(([numpy, here]) => [
    ...named(here),
    ...(here.includes("the same") ? named(numpy) : []),
  ]);
  expect(given.length).toBeGreaterThan(50);
  const missing = given.filter((name) => !(name in core) && name !== "Float64Array");
  expect(missing).toEqual([]);
});
