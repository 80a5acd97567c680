import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { parseCommand } from "../../src/cli/parse.ts";
import { settingsOf } from "../../src/settings/index.ts";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const generated = join(root, "tests", "documents", "generated");
const documents = [
  "README.md",
  "docs/sweeps.md",
  "docs/guide.md",
  "docs/library.md",
  "docs/own-rule.md",
  "docs/own-network.md",
];

/** The blocks of a language, but for the two files of the recipe with a worker, which bundlers build and a browser runs. */
function blocks(file: string, language: string): string[] {
  const text = readFileSync(join(root, file), "utf8");
  return [...text.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, "g"))]
    .map(([, code]) => code)
    .filter((code) => !/^\/\/ (worker|page)\.ts\n/.test(code));
}

afterAll(() => rmSync(generated, { recursive: true, force: true }));

describe.each(documents)("%s", (file) => {
  test.each(blocks(file, "ts").map((code, i) => [i, code] as const))(
    "code block %i runs",
    async (i, code) => {
      mkdirSync(generated, { recursive: true });
      const path = join(generated, `${file.replaceAll(/\W/g, "-")}-${i}.ts`);
      const local = code.replaceAll(
        /"central-flows(\/\w+)?"/g,
        (_, layer = "") => `"${join(root, `src${layer}`, "index.ts")}"`,
      );
      const said: unknown[] = [];
      writeFileSync(
        path,
        `const console = { log: (...words: unknown[]) => said.push(...words) };\nexport const said: unknown[] = [];\n${local}`,
      );
      const module = (await import(/* @vite-ignore */ pathToFileURL(path).href)) as { said: unknown[] };
      said.push(...module.said);
      for (const value of said.flatMap((word) => (word instanceof Float64Array ? [...word] : [word])))
        expect(value).toSatisfy((x) => typeof x === "number" && Number.isFinite(x));
    },
  );

  test.each(
    blocks(file, "sh")
      .flatMap((block) => block.split("\n"))
      .filter((line) => /^(npx )?central-flows /.test(line)),
  )("command parses: %s", (line) => {
    const words = line
      .replace(/\s+#.*$/, "")
      .replace(/^(npx )?central-flows /, "")
      .split(/\s+/);
    const loadFile = () => ({
      sha256: "0",
      settings: settingsOf({
        lr: 0.1,
        beta: 0.5,
        blend: 0.5,
        width: 4,
        blocks: 1,
        n: 20,
        noise: 0.1,
        start: 3,
      }),
    });
    expect(parseCommand(words, { loadFile }).command).toBe(words[0]);
  });
});
