import { expect, test } from "vitest";
import { nodeHost } from "../../src/run/index.ts";
import { buildRun } from "../../src/simulation/index.ts";
import { configOf, MOONS } from "../run/small-runs.ts";

const built = (precision: "float32" | "float64", warmStart: number) =>
  buildRun(
    { ...configOf(...MOONS, "--steps", "10", "--discrete.precision", precision), warmStart },
    nodeHost(),
  );

test("with float32 the optimizer's weights are float32 numbers from the warm start on, the flows' are not", () => {
  const { simulation, dispose } = built("float32", 3);
  for (let row = 0; row < 8; row++) {
    simulation.step();
    const rounded = (kind: string) => {
      const process = simulation.processes.find((each) => each.kind === kind)!;
      return process.snapshot().w.every((x) => Math.fround(x) === x);
    };
    expect(rounded("discrete")).toBe(true);
    expect(rounded("midpoint")).toBe(true);
    expect(rounded("central")).toBe(false);
    expect(rounded("stable")).toBe(false);
  }
  dispose();
});

test("the first rounded step is the exact one, rounded", () => {
  const exact = built("float64", 0);
  const single = built("float32", 0);
  for (const { simulation } of [exact, single]) simulation.step();
  const weights = [exact, single].map(({ simulation }) => simulation.processes[0].snapshot().w);
  expect(weights[1]).toEqual(weights[0].map(Math.fround));
  exact.dispose();
  single.dispose();
});
