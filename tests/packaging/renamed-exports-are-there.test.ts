import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { namesOf } from "../architecture/exports.ts";

const changelog = readFileSync(fileURLToPath(new URL("../../CHANGELOG.md", import.meta.url)), "utf8");
const section = /^### `central-flows\/experiment`[\s\S]*?(?=^## )/m.exec(changelog)?.[0] ?? "";
const exported = (subpath: string): Set<string> => new Set(namesOf(`src/${subpath}/index.ts`));

test("every name that moved out of experiment is where the changelog says", () => {
  const rows = [...section.matchAll(/^\| `central-flows\/(\w+)` \| (.*) \|$/gm)];
  expect(rows.length).toBeGreaterThanOrEqual(6);
  const missing = rows.flatMap(([, subpath, names]) =>
    [...names.matchAll(/`(\w+)`/g)]
      .map(([, name]) => name)
      .filter((name) => !exported(subpath).has(name))
      .map((name) => `central-flows/${subpath}: ${name}`),
  );
  expect(missing).toEqual([]);
});

test("what stands in place of a name that is gone is there", () => {
  const places = [...section.matchAll(/`(\w+)[^`]*` of `central-flows\/(\w+)`/g)];
  expect(places.length).toBeGreaterThan(2);
  expect(places.filter(([, name, subpath]) => !exported(subpath).has(name))).toEqual([]);
});
