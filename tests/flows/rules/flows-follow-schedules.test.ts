import { expect, test } from "vitest";
import { EPS } from "../../../src/base/index.ts";
import { parseRun } from "../../../src/settings/index.ts";
import { buildRun } from "../../../src/simulation/index.ts";

const STEPS = 12;

/** η in every row, by process. */
function ratesOf(flags: string): Map<string, number[]> {
  const words = `data:moons --data.n=12 arch:mlp --arch.width=3 --steps=${STEPS} --backend=js ${flags}`;
  const { simulation } = buildRun(parseRun(words.split(" ")).config, {});
  const rows = Array.from({ length: STEPS }, () => simulation.step());
  const rates = ["discrete", "midpoint", "central", "stable"].map((process): [string, number[]] => [
    process,
    rows.map((row) => row[`${process}/opt.lr`] as number),
  ]);
  return new Map(rates);
}

test.each(
  [
    "opt:scalar-rmsprop --opt.lr=0.02 --opt.beta2=0.8",
    "opt:rmsprop --opt.lr=0.01 --opt.beta2=0.9 --opt.bias-correction",
    "opt:adam --opt.lr=0.01 --opt.beta2=0.8",
  ].flatMap((rule) => [
    `${rule} --opt.schedule=warmup --opt.warmup-steps=8`,
    `${rule} --opt.schedule=cosine --opt.warmup-steps=3`,
    `${rule} --opt.schedule=step --opt.step-every=5 --opt.step-factor=0.5`,
    `${rule} --opt.schedule=step --opt.step-every=5 --opt.step-factor=0.5 --central.nsubsteps=3`,
  ]),
)("%s: flows have η of the step that they are at, whatever the time scale of the averages", (flags) => {
  const rates = ratesOf(flags);
  const own = rates.get("discrete") as number[];
  expect(new Set(own).size).toBeGreaterThan(2);
  // t is a sum of fractions of steps, each rounded; of the cosine near its end the relative error grows, not the absolute.
  const rounding = 100 * STEPS * EPS * Math.max(...own);
  for (const [process, found] of rates)
    for (const [row, rate] of found.entries())
      expect(Math.abs(rate - own[row]), `${process}, row ${row}`).toBeLessThanOrEqual(rounding);
});
