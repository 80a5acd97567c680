import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { compare } from "../../src/cli/commands/compare.ts";
import { followReport, reportOf } from "../../src/cli/commands/report.ts";
import { parseCommand } from "../../src/cli/parse.ts";
import { MOONS, runWords } from "../run/small-runs.ts";

const folder = mkdtempSync(join(tmpdir(), "compare-"));
const [first, second] = ["first", "second"].map((name) => join(folder, "runs", name));

beforeAll(async () => {
  await runWords(first, [...MOONS, "--steps", "6"]);
  // Stopped before its end.
  let asked = 0;
  await runWords(second, [...MOONS, "--steps", "9"], { interrupted: () => asked++ === 4 });
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What a command prints. */
async function printed(work: () => Promise<number>): Promise<string> {
  let text = "";
  const spy = vi.spyOn(process.stdout, "write").mockImplementation((words) => {
    text += words;
    return true;
  });
  try {
    expect(await work()).toBe(0);
  } finally {
    spy.mockRestore();
  }
  return text;
}

test("a folder of runs is the runs in it; the table is printed and the page written", async () => {
  const output = join(folder, "comparison.html");
  const command = { dirs: [join(folder, "runs")], by: "step" as const, output, json: false };
  const text = await printed(async () => compare.run(command));
  expect(text.split("\n").filter((line) => line.startsWith("first"))).toHaveLength(4);
  expect(text).toContain(`page ${output}`);
  expect(readFileSync(output, "utf8")).toContain("2 runs beside one another");
  const json = JSON.parse(await printed(async () => compare.run({ ...command, json: true })));
  expect(json.rows).toHaveLength(8);
  expect(json.rows[0]).toMatchObject({ run: "first", process: "Optimizer" });
  await expect(async () => compare.run({ ...command, dirs: [join(folder, "nowhere")] })).rejects.toThrow(
    /compare: expected folders of runs/,
  );
});

test("the command line of compare", () => {
  expect(parseCommand(["compare", "a", "b", "--by", "time", "--output=c.html", "--json"])).toEqual({
    command: "compare",
    dirs: ["a", "b"],
    by: "time",
    output: "c.html",
    json: true,
  });
  expect(parseCommand(["compare", "a"])).toMatchObject({
    by: "step",
    output: "comparison.html",
    json: false,
  });
  expect(() => parseCommand(["compare"])).toThrow(/compare: expected folders of runs, got none/);
  expect(parseCommand(["report", "a", "--follow"])).toEqual({ command: "report", dir: "a", follow: true });
});

test("the page of a run that still goes loads itself again, that of a finished one does not", async () => {
  const live = (directory: string) =>
    /<html[^>]* data-reload="/.test(readFileSync(join(directory, "report.html"), "utf8"));
  expect((await reportOf(second, true)).finished).toBe(false);
  expect(live(second)).toBe(true);
  await reportOf(second);
  expect(live(second)).toBe(false);
  const said: string[] = [];
  expect(await followReport(first, (line) => said.push(line))).toBe(0);
  expect(said).toHaveLength(1);
  expect(existsSync(join(first, "report.html"))).toBe(true);
  expect(live(first)).toBe(false);
});

test("errors of report and compare begin with the command", async () => {
  await expect(reportOf(join(folder, "nowhere"))).rejects.toThrow(/^report: /);
});
