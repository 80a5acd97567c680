import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { runCommandLine } from "../../src/cli/command-line.ts";
import { parseCommand } from "../../src/cli/parse.ts";
import { openRun } from "../../src/run/index.ts";
import { temporaryFolder } from "../run/small-runs.ts";
import { ROOT } from "../support/build.ts";
import { findPython } from "../support/python.ts";

const guide = readFileSync(join(ROOT, "docs", "researchers.md"), "utf8");
const blocksIn = (language: string): string[] =>
  [...guide.matchAll(new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\`$`, "gm"))].map(([, text]) => text);
const commands = blocksIn("sh").flatMap((block) => block.trim().split("\n"));

/** Data that are not here. */
const needsFiles = (line: string): boolean => line.includes("data:cifar10");

const folder = temporaryFolder();
const experiments = join(folder, "experiments");

let output = "";
beforeEach(() => {
  output = "";
  vi.stubEnv("EXPERIMENT_DIR", experiments);
  for (const stream of [process.stdout, process.stderr])
    vi.spyOn(stream, "write").mockImplementation((words) => {
      output += words;
      return true;
    });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

/** Few steps in place of many. */
const STEPS: Readonly<Record<string, string>> = { "100": "12", "120": "14", "30": "3" };

/** The words of a command with its files in the folder, and few steps. */
const tiny = (line: string): string[] =>
  line
    .split(" ")
    .slice(1)
    .map((word, i, words) => {
      if (words[i - 1] === "--steps") return STEPS[word];
      const isPath = /^(experiments|theirs)(\/|$)|\.(npz|safetensors|html)$/.test(word);
      return isPath ? join(folder, word) : word;
    });

test("a command line of the reference is read, and what it has without effect is said", () => {
  const lines = commands.filter(needsFiles);
  expect(lines).toHaveLength(1);
  const asked = parseCommand(lines[0].split(" ").slice(1));
  expect(asked).toMatchObject({
    command: "run",
    config: {
      opt: { name: "gd", lr: 0.02 },
      data: { name: "cifar10", classes: 4, n: 1000, criterion: "mse" },
      runs: ["discrete"],
      steps: 1000,
    },
  });
  expect("notices" in asked && asked.notices.join("\n")).toContain("--device");
});

test("the other commands run one after the other, and Python reads what they leave", async () => {
  const lines = commands.filter((line) => !needsFiles(line));
  expect(new Set(lines.map((line) => line.split(" ")[1]))).toEqual(
    new Set(["run", "export", "compare", "resume"]),
  );
  mkdirSync(join(folder, "theirs"));
  copyFileSync(
    join(ROOT, "tests", "settings", "reference-config.json"),
    join(folder, "theirs", "config.json"),
  );
  for (const line of lines) {
    expect(line).toMatch(/^central-flows /);
    output = "";
    const status = await runCommandLine(tiny(line));
    expect(status, `${line}\n${output}`).toBe(0);
  }
  const rowsOf = async (name: string): Promise<number> =>
    [...(await openRun(join(experiments, name), "test")).rows()].length;
  expect(await rowsOf("mine")).toBe(14);
  expect(await rowsOf("from-theirs")).toBe(3);

  const python = findPython("h5py", "numpy");
  if (!python) return;
  const script = `${blocksIn("python").join("\n")}
import json
print(json.dumps([len(step), loss.tolist(), predicted.tolist(), bool(tracked.min() >= 1), variances.shape[0],
  bool(np.isnan(outputs).any()), distance.tolist(), sum(array.size for array in state_dict.values()), weights["w"].size]))`;
  const seen = JSON.parse(execFileSync(python, ["-c", script], { cwd: folder, encoding: "utf8" }));
  const rows = [...(await openRun(join(experiments, "mine"), "test")).rows()];
  const column = (path: string) => rows.map(({ quantities }) => quantities[path]);
  // The network: 2 inputs, two layers of 8, one output.
  const count = 2 * 8 + 8 + 8 * 8 + 8 + 8 + 1;
  expect(seen).toEqual([
    rows.length,
    column("discrete/train_loss"),
    column("central/predicted_loss"),
    true,
    rows.length,
    false,
    column("distances/central-discrete"),
    count,
    count,
  ]);
});
