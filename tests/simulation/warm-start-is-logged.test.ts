import { expect, test } from "vitest";
import { nodeHost } from "../../src/run/index.ts";
import type { RunConfig } from "../../src/settings/index.ts";
import { buildRun, quantityData } from "../../src/simulation/index.ts";
import { configOf } from "../run/small-runs.ts";

const WORDS =
  "opt:gd data:moons arch:mlp --data.n 20 --arch.width 6 --opt.lr 0.3 --runs discrete --eig.frequency 1".split(
    " ",
  );

const words = (warmStart: number, steps: number, frequency = 1): RunConfig => {
  const config = configOf(...WORDS, `--warm-start=${warmStart}`, `--steps=${steps}`);
  return { ...config, eig: { ...config.eig, frequency } };
};

test("each logged point of a warm start has the loss and the sharpness that a run without one has there", () => {
  const late = buildRun(words(40, 40), nodeHost());
  const early = buildRun(words(-1, 45), nodeHost());
  const full = Array.from({ length: 45 }, () => early.simulation.step());
  let points = 0;
  for (let row = 0; row < 40; row++) {
    const quantities = late.simulation.step();
    // After the warm start both take the same steps.
    if (row < 5) expect(quantities["discrete/train_loss"]).toBe(full[40 + row]["discrete/train_loss"]);
    const step = quantities["warm_start/step"];
    if (step === undefined) continue;
    points++;
    const there = full[step as number];
    expect(quantities["warm_start/train_loss"]).toBe(there["discrete/train_loss"]);
    const sharpness = quantityData(there["discrete/effective_hessian_eigs"])[0];
    expect(Math.abs((quantities["warm_start/sharpness"] as number) / sharpness - 1)).toBeLessThan(1e-3);
  }
  late.dispose();
  early.dispose();
  expect(points).toBe(20);
});

test("a run without warm start logs none, one without eigenvalues only losses", () => {
  for (const [config, paths] of [
    [words(-1, 1), []],
    [words(3, 1, -1), ["warm_start/step", "warm_start/train_loss"]],
  ] as const) {
    const { simulation, dispose } = buildRun(config, nodeHost());
    const logged = Object.keys(simulation.step()).filter((path) => path.startsWith("warm_start/"));
    dispose();
    expect(logged).toEqual([...paths]);
  }
});
