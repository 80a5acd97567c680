import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { parseCommand } from "../../src/cli/parse.ts";
import { summaryTable, summaryText } from "../../src/report/index.ts";
import { openRun, startRun } from "../../src/run/index.ts";
import { PROVENANCE, temporaryFolder } from "../run/small-runs.ts";
import { ROOT } from "../support/build.ts";

const guide = readFileSync(join(ROOT, "docs", "own-rule.md"), "utf8");
const blocks = [...guide.matchAll(/^```(ts|sh|text)\n([\s\S]*?)^```$/gm)].map(([, language, text]) => ({
  language,
  text,
}));
const rules = new Map(
  blocks.flatMap(({ language, text }) => {
    const [, name] = /^\/\/ (\S+\.ts)\n/.exec(text) ?? [];
    return language === "ts" && name ? [[name, text] as const] : [];
  }),
);
const commands = blocks.flatMap(({ language, text }, i) =>
  language === "sh" ? text.split("\n").map((line) => ({ line, shown: blocks[i + 1]?.text ?? "" })) : [],
);

const folder = temporaryFolder();
beforeAll(() => {
  for (const [name, text] of rules) writeFileSync(join(folder, name), text);
});

/** What a run of a command line in the guide shows at its end, and its notices. */
async function outcomeOf(line: string, expid: string): Promise<{ shown: string; notices: string[] }> {
  const words = line.replace("opt:./", `opt:${folder}/`).split(" ").slice(1);
  const command = parseCommand(words);
  if (command.command !== "run") throw new Error("not a run");
  const notices: string[] = [];
  const events = { notice: (notice: string) => notices.push(notice) };
  await startRun(command.config, join(folder, expid), PROVENANCE, events);
  const rows = [...(await openRun(join(folder, expid), "test")).rows()];
  return { shown: summaryText(summaryTable(rows)), notices };
}

test("the guide has rules, commands and what they show", () => {
  expect([...rules.keys()]).toEqual(["descent.ts", "blended-rmsprop.ts", "heavy-ball.ts"]);
  expect(commands.filter(({ line }) => line !== "").length).toBeGreaterThan(3);
});

test.each(["blended-rmsprop.ts", "heavy-ball.ts"])("%s is the one in examples", (name) => {
  expect(rules.get(name)).toBe(readFileSync(join(ROOT, "examples", "own-rule", name), "utf8"));
});

const shownRuns = commands.filter(
  ({ line, shown }) => line.includes("--steps 100") && shown.startsWith("step"),
);
test.each(shownRuns.map(({ line, shown }, i) => [line, shown, i] as const))("%s", async (line, shown, i) => {
  const { shown: found } = await outcomeOf(line, `shown-${i}`);
  // The same words, and numbers as near as an equally good integrator of the flows would have them.
  const NUMBER = /\d[\d.]*/g;
  const words = (text: string) => text.trim().replaceAll(NUMBER, "0").replaceAll(/ +/g, " ");
  expect(words(found)).toBe(words(shown));
  const numbers = (text: string) => (text.match(NUMBER) ?? []).map(Number);
  for (const [j, number] of numbers(found).entries())
    expect(Math.abs(number / numbers(shown)[j] - 1), found).toBeLessThan(0.1);
});

test("the other commands run as well", async () => {
  const others = commands.filter(({ line }) => line !== "" && !line.includes("--steps 100"));
  for (const [i, { line }] of others.entries()) {
    const { shown } = await outcomeOf(line.replace(/--steps \d+/, "--steps 2"), `other-${i}`);
    expect(shown).toMatch(/^step/);
  }
});

describe("a sentence in the guide is what the program says of heavy-ball.ts with one thing otherwise", () => {
  const AVERAGE = "add(multiply(m, beta), multiply(gradient, 1 - beta))";
  test.each<[string, string, string]>([
    ["expected 6", "criticalValue: (2 * (1 + beta)) / (1 - beta)", "criticalValue: 2"],
    ["a file that compiles", "multiply(m, beta)", "multiply(m beta)"],
    ["a function that runs", AVERAGE, "add(multiply(m, beta), multiply(grad, 1 - beta))"],
    ["expected a tensor", AVERAGE, "beta * m + (1 - beta) * gradient"],
    ["preconditioner: expected finite", "1 / lr", "-1 / lr"],
    ["steady gradient", AVERAGE, "add(multiply(m, beta), gradient)"],
    ["expected an average", "({ m }) => m", "({ m }) => divide(m, sqrt(sum(square(m))))"],
    [
      "unstable first",
      "direction: ({ m }) => m",
      "direction: ({ m }, gradient) => add(multiply(m, 2), multiply(gradient, -1))",
    ],
    ["timeScale", "timeScale: { m: 1 / beta },", ""],
  ])("%s", async (words, from, to) => {
    const text = (rules.get("heavy-ball.ts") ?? "").replace(
      "import {",
      "import { divide, sqrt, square, sum,",
    );
    expect(text).toContain(from);
    writeFileSync(join(folder, "heavy-ball.ts"), text.replace(from, to));
    const line =
      "central-flows run opt:./heavy-ball.ts data:moons arch:mlp --data.n 10 --arch.width 2 --steps 1";
    const said = await outcomeOf(line, words).then(
      ({ notices }) => notices.join("\n"),
      (error: Error) => error.message.replaceAll(`${folder}/`, "./"),
    );
    expect(blocks.map((block) => block.text.trim())).toContain(said);
  });

  test("an option that is not declared", () => {
    writeFileSync(join(folder, "heavy-ball.ts"), rules.get("heavy-ball.ts") ?? "");
    const words = `run opt:${folder}/heavy-ball.ts --opt.momentum 0.9`.split(" ");
    let said = "";
    try {
      parseCommand(words);
    } catch (error) {
      said = (error as Error).message;
    }
    expect(blocks.map(({ text }) => text.trim())).toContain(said);
  });
});
