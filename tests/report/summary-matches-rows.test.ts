import { expect, test } from "vitest";
import { summaryTable, summaryText } from "../../src/report/index.ts";
import type { StepRow } from "../../src/simulation/index.ts";
import { syntheticRun } from "./synthetic-run.ts";

test("the summary holds the last logged value of each quantity", () => {
  const rows = syntheticRun(100);
  const tail: StepRow = {
    index: 100,
    step: 105,
    quantities: { "central/train_loss": 0.125, "stable/train_loss": NaN },
  };
  const summary = summaryTable([...rows, tail]);
  const last = rows[99].quantities;
  expect(summary.step).toBe(105);
  expect(summary.processes.map(({ process }) => process)).toEqual([
    "discrete",
    "midpoint",
    "central",
    "stable",
  ]);
  expect(summary.processes.map(({ loss }) => loss)).toEqual([
    last["discrete/train_loss"],
    last["midpoint/train_loss"],
    0.125,
    last["stable/train_loss"],
  ]);
  for (const { process, sharpness } of summary.processes)
    expect([sharpness, 0]).toContain(
      (last[`${process}/effective_hessian_eigs`] as { data: Float64Array }).data[0],
    );
  expect(summary.distances.map(({ between, distance }) => [between.join("-"), distance])).toEqual([
    ["central-discrete", last["distances/central-discrete"]],
    ["discrete-stable", last["distances/discrete-stable"]],
    ["central-stable", last["distances/central-stable"]],
  ]);
});

test("the text has aligned columns, a line per process and per distance", () => {
  const lines = summaryText(summaryTable(syntheticRun(100))).split("\n");
  expect(lines[0]).toMatch(/^step 104 +loss +sharpness +accuracy$/);
  expect(lines.slice(1, 5).map((line) => line.slice(0, 12).trim())).toEqual([
    "optimizer",
    "midpoints",
    "central flow",
    "stable flow",
  ]);
  expect(new Set(lines.slice(0, 5).map((line) => line.length)).size).toBe(1);
  expect(lines[6]).toBe("distance");
  expect(lines.slice(7, 10).every((line) => / to .* \S+$/.test(line))).toBe(true);
});

test("what was not logged is a dash, and a run without rows says so", () => {
  const row: StepRow = { index: 0, step: 0, quantities: { "discrete/train_loss": 1e-9 } };
  expect(summaryText(summaryTable([row]))).toMatch(/optimizer +1\.00e−9 +– +–\n$/);
  expect(summaryText(summaryTable([]))).toBe("no steps logged\n");
});
