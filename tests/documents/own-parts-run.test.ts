import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { configOf, runConfig, temporaryFolder } from "../run/small-runs.ts";

const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const page = readFileSync(at("docs/own-network.md"), "utf8");
const files = [...page.matchAll(/```ts\n\/\/ (\S+)\n([\s\S]*?)```/g)].map(([, name, text]) => ({
  name,
  text,
}));
const commands = [...page.matchAll(/^central-flows run (.*)$/gm)].map(([, words]) => words);
const folder = temporaryFolder();

test("the page's files are those of examples/own-network", () => {
  expect(files.length).toBeGreaterThan(4);
  for (const { name, text } of files)
    expect(readFileSync(at(`examples/own-network/${name}`), "utf8"), name).toBe(text);
});

test.each(commands)("its command runs: %s", async (line) => {
  mkdirSync(folder, { recursive: true });
  for (const { name, text } of files) writeFileSync(join(folder, name), text);
  const words = line.replaceAll("./", `${folder}/`).split(" ");
  const config = { ...configOf(...words), steps: 3 };
  const { ending, rows } = await runConfig(join(folder, String(commands.indexOf(line))), config);
  expect([ending, rows.length]).toEqual(["finished", 3]);
});
