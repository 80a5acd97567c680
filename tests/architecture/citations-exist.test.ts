import { existsSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { filesBelow } from "./sources.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

const settings = ["vitest.config.ts", ".ci/run", "package.json"].map((path) => ({
  path,
  text: readFileSync(join(ROOT, path), "utf8"),
}));
const code = ["src", "tests", "tools", "bench", "examples"].flatMap((folder) =>
  filesBelow(folder, ".ts", ".js", ".mjs", ".py"),
);
const documents = [
  "README.md",
  "ARCHITECTURE.md",
  ...["docs", "tests"].flatMap((folder) => filesBelow(folder, ".md").map(({ path }) => path)),
].map((path) => ({ path, text: readFileSync(join(ROOT, path), "utf8") }));

/** Documents of others, cited as theirs. */
const FOREIGN = new Set(["docs/minimal.md"]);
/** What is made on a machine and is not in the repository. */
const MADE = /\/\.venv\b/;
/** The changelog is not among them: it tells of names that are gone. */
const cited = [...code, ...settings, ...documents];

const exists = (path: string): boolean => existsSync(join(ROOT, path));
const documentAt = (name: string): string | undefined =>
  [name, join("docs", name)].find((path) => exists(path) && path.endsWith(".md"));

/** What a heading is called in a link, as GitHub has it. */
const slug = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, "")
    .trim()
    .replace(/\s/g, "-");

const headingsOf = (path: string): string[] =>
  [...readFileSync(join(ROOT, path), "utf8").matchAll(/^#+ (.+)$/gm)].map(([, heading]) => heading);

test("every document that is cited exists, and so does every section", () => {
  const wrong = cited.flatMap(({ path, text }) =>
    // A comment's lines begin with a star, which stands between a document and its section too.
    [
      ...text.matchAll(
        /(?<![\w/.-])([\w./-]+\.md)\b(?:`?,?[\s*]+sections?[\s*]+(\d+(?:(?:,| and| to)[\s*]+\d+)*))?/g,
      ),
    ].flatMap(([whole, name, sections]) => {
      if (FOREIGN.has(name) || name.startsWith("..")) return [];
      const document = documentAt(name);
      if (document === undefined) return [`${path}: ${name}`];
      const numbers = headingsOf(document).map((heading) => /^(\d+)\./.exec(heading)?.[1]);
      const missing = (sections?.match(/\d+/g) ?? []).filter((number) => !numbers.includes(number));
      return missing.map((number) => `${path}: ${whole}: no section ${number}`);
    }),
  );
  expect(wrong).toEqual([]);
});

test("every file and folder of ours that is cited exists", () => {
  const wrong = cited.flatMap(({ path, text }) =>
    [...text.matchAll(/(?<![\w/.@-])(?:src|tests|docs|bench|tools|examples|\.ci)\/[\w./-]*\w/g)]
      .map(([name]) => name)
      .filter((name) => !exists(name) && !FOREIGN.has(name) && !MADE.test(name))
      .map((name) => `${path}: ${name}`),
  );
  expect(wrong).toEqual([]);
});

test("every file that a document names by a path below src exists", () => {
  const wrong = documents.flatMap(({ path, text }) =>
    [...text.matchAll(/`([\w-]+(?:\/[\w.-]+)+\.(?:ts|js|mjs|css|py))`/g)]
      .map(([, name]) => name)
      .filter((name) => !exists(name) && !exists(join("src", name)) && !exists(join(dirname(path), name)))
      .map((name) => `${path}: ${name}`),
  );
  expect(wrong).toEqual([]);
});

test("every relative link of a document leads to a file and to a heading in it", () => {
  const links = documents.flatMap(({ path, text }) =>
    [...text.matchAll(/\]\((?!\w+:)([^)#\s]*)(?:#([^)\s]+))?\)/g)].map(([, target, anchor]) => ({
      path,
      target: target === "" ? path : normalize(join(dirname(path), target)),
      anchor,
    })),
  );
  expect(links.length).toBeGreaterThan(10);
  const wrong = links.filter(
    ({ target, anchor }) =>
      !exists(target) || (anchor !== undefined && !headingsOf(target).map(slug).includes(anchor)),
  );
  expect(wrong).toEqual([]);
});
