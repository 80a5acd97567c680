import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { citationWith, fieldsOf, repositoryAddress } from "../../tools/address.mjs";
import { agreements } from "../../tools/release.mjs";
import { ROOT } from "../support/build.ts";

const read = (file: string): string => readFileSync(join(ROOT, file), "utf8");
const manifest = JSON.parse(read("package.json")) as Record<string, unknown>;
const lock = JSON.parse(read("package-lock.json")) as Record<string, unknown>;
const changelog = read("CHANGELOG.md");
const citation = read("CITATION.cff");

/** What is wrong, without what only somebody who releases can set: the date and the address. */
const wrong = (changed: Partial<Parameters<typeof agreements>[0]> = {}): string[] =>
  agreements({ manifest, lock, changelog, citation, ...changed })
    .filter(([what, why]) => why && !/has a date|is set$/.test(what))
    .map(([what, why]) => `${what}: ${why}`);

test("versions and addresses agree wherever they stand", () => {
  expect(wrong()).toEqual([]);
});

test.each([
  ["another version in the changelog", { changelog: "## 9.9.9 (2030-01-01)\n" }, /it is 9\.9\.9's/],
  ["another version in the lock", { lock: { ...lock, version: "9.9.9" } }, /it has 9\.9\.9/],
  [
    "another version in the citation",
    { citation: citation.replace(/^version: .*$/m, "version: 9.9.9") },
    /CITATION/,
  ],
  [
    "another page for bugs",
    { manifest: { ...manifest, bugs: { url: "https://a.example/b" } } },
    /bugs does not/,
  ],
  [
    "another address in the citation",
    { citation: citationWith(citation, "https://a.example/b") },
    /CITATION.cff does/,
  ],
])("%s is seen", (_, changed, message) => {
  expect(wrong(changed).join("\n")).toMatch(message);
});

test("an address that is set is everywhere, and nothing is wrong but the date", () => {
  const address = "https://code.example/someone/central-flows";
  const found = agreements({
    manifest: { ...manifest, ...fieldsOf(address) },
    lock,
    changelog,
    citation: citationWith(citation, address),
  }).filter(([, why]) => why);
  expect(found.filter(([what]) => what !== "it has a date")).toEqual([]);
  expect(manifest).toMatchObject(fieldsOf(repositoryAddress()));
});

test("an unreleased changelog and an address that is nobody's keep a release back", () => {
  const unset = { manifest: { ...manifest, ...fieldsOf("https://example.org/central-flows") } };
  const texts = {
    lock,
    citation,
    ...unset,
    changelog: changelog.replace(/^(## \S+) \(.*\)$/m, "$1 (unreleased)"),
  };
  const found = agreements(texts).map(([what, why]) => why && what);
  expect(found).toEqual(expect.arrayContaining(["it has a date", "the address of the repository is set"]));
});
