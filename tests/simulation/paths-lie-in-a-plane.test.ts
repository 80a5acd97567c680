import { expect, test } from "vitest";
import { nodeHost } from "../../src/run/index.ts";
import { buildRun, quantityData, type Simulation, type StepRow } from "../../src/simulation/index.ts";
import { configOf, MOONS } from "../run/small-runs.ts";

const STRETCH = 50;

/** Rows of a simulation, and each process' weights beside them. */
function walk(simulation: Simulation, steps: number) {
  const rows: StepRow["quantities"][] = [];
  const weights: Record<string, Float64Array>[] = [];
  for (let i = 0; i < steps; i++) {
    rows.push(simulation.step());
    weights.push(
      Object.fromEntries(simulation.processes.map(({ kind, observation }) => [kind, observation!.weights])),
    );
  }
  return { rows, weights };
}

const config = configOf(...MOONS, "--steps", "60");

test("the logged coordinates are those of w in the frame that a checkpoint holds, which is orthonormal", () => {
  const { simulation, dispose } = buildRun(config, nodeHost());
  const { rows, weights } = walk(simulation, STRETCH + 4);
  const { origin, slow, fast, row } = simulation.plane.snapshot();
  dispose();
  const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, x, l) => sum + x * b[l], 0);
  const p = origin.length;
  expect(row[0]).toBe(STRETCH);
  for (const [value, wanted] of [
    [dot(slow, slow), 1],
    [dot(fast, fast), 1],
    [dot(slow, fast), 0],
  ])
    expect(Math.abs(value - wanted)).toBeLessThan(4 * p * Number.EPSILON);
  expect(origin).toEqual(weights[STRETCH].central);
  for (let i = STRETCH; i < rows.length; i++)
    for (const [kind, w] of Object.entries(weights[i])) {
      const away = w.map((x, l) => x - origin[l]);
      const [x, y] = quantityData(rows[i][`plane/${kind}`]) as Float64Array;
      expect(Math.abs(x - dot(away, slow))).toBeLessThan(4 * p * Number.EPSILON);
      expect(Math.abs(y - dot(away, fast))).toBeLessThan(4 * p * Number.EPSILON);
    }
  const chosen = rows.map((quantities) => quantityData(quantities["plane/row"])[0]);
  expect(chosen).toEqual(rows.map((_, i) => (i < STRETCH ? 0 : STRETCH)));
});

test("the fast direction is the central flow's top eigenvector", () => {
  const { simulation, dispose } = buildRun(config, nodeHost());
  walk(simulation, 1);
  const { fast } = simulation.plane.snapshot();
  const pairs = simulation.processes.find(({ kind }) => kind === "central")?.observation?.pairs;
  dispose();
  const top = pairs!.vectors.slice(0, fast.length);
  const length = Math.sqrt(top.reduce((sum, x) => sum + x * x, 0));
  top.forEach((x, l) => {
    expect(Math.abs(x / length - fast[l])).toBeLessThan(4 * Number.EPSILON);
  });
});

test("without eigenvectors there is no plane", () => {
  const words = MOONS.join(" ");
  const blind = words
    .replace("discrete midpoint central stable", "discrete")
    .replace("frequency 1", "frequency -1");
  const { simulation, dispose } = buildRun(configOf(...blind.split(" "), "--steps", "2"), nodeHost());
  const quantities = simulation.step();
  dispose();
  expect(Object.keys(quantities).filter((path) => path.startsWith("plane/"))).toEqual([]);
});
