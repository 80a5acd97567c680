import { expect, test } from "vitest";
import { columnsOf, edgeSummary } from "../../src/report/index.ts";
import { nodeHost } from "../../src/run/index.ts";
import { buildRun, type StepRow } from "../../src/simulation/index.ts";
import { configOf } from "./small-runs.ts";

/** The rows of the default run from another seed. */
function rowsOf(seed: number): StepRow[] {
  const config = configOf("--seed", String(seed));
  const { simulation, dispose } = buildRun(config, nodeHost());
  const rows = Array.from({ length: config.steps }, (_, index) => ({
    index,
    step: simulation.initialStep + index,
    quantities: simulation.step(),
  }));
  dispose();
  return rows;
}

test("the optimizer follows the central flow, not the stable flow, with a second eigenvalue at the edge", () => {
  const rows = rowsOf(0);
  const edge = edgeSummary(rows, 2)!;
  expect(edge.rows.length).toBeGreaterThanOrEqual(150);
  expect(edge.several).toBeGreaterThanOrEqual(50);
  expect(edge.nearer).toBeGreaterThanOrEqual(0.95);
  expect(edge.from).toBe("midpoint");
  expect(edge.ratio).toBeLessThanOrEqual(0.1);
  const [sharpness] = columnsOf(rows, "midpoint/effective_hessian_eigs");
  expect(Math.max(...sharpness.slice(6))).toBeLessThanOrEqual(2.35);
});

test.each([1, 2])("it does so from seed %i, too", (seed) => {
  const { nearer, ratio } = edgeSummary(rowsOf(seed), 2)!;
  expect(nearer).toBeGreaterThanOrEqual(0.95);
  expect(ratio).toBeLessThanOrEqual(0.15);
});
