/**
 * `npx tsx bench/central-step.ts [flags of run | FIXTURES]`: what one central step costs on four small problems of the
 * digits, on the one that the flags describe, or on the trajectories below a path: means over steps 50 to 110,
 * milliseconds and yardsticks.
 */

import { existsSync } from "node:fs";
import { STAGES } from "../src/autodiff/index.ts";
import { parseRun } from "../src/cli/parse.ts";
import { nodeHost } from "../src/run/index.ts";
import { type BuiltRun, buildRun, quantityData } from "../src/simulation/index.ts";
import { fixtureFiles, objectiveOf, readFixture, simulationOf } from "../src/verify/index.ts";
import { digits, measured, progress, Table } from "./table.ts";
import { compareTimes, machine, summary } from "./timing.ts";
import { yardstick } from "./yardstick.ts";

const FROM = 50;
const TO = 110;

const SMALL = "data:digits arch:mlp --eig.frequency 1 --eig.tol 1e-12 --no-eig.raw-eigenvalues";
const MSE = `${SMALL} --data.n 200 --data.classes 4 --data.criterion mse --arch.width 32`;
const PROBLEMS: Readonly<Record<string, string>> = {
  "gd, mse": `opt:gd --opt.lr 0.2 ${MSE}`,
  "scalar-rmsprop, mse": `opt:scalar-rmsprop --opt.lr 0.1 --opt.beta2 0.99 --opt.bias-correction true --warm-start 5 ${MSE}`,
  "rmsprop, mse": `opt:rmsprop --opt.lr 0.002 --opt.beta2 0.99 --opt.eps 1e-7 --opt.bias-correction true --warm-start 5 --eig.track-threshold 1.75 ${MSE}`,
  "gd, cross-entropy": `opt:gd --opt.lr 0.25 ${SMALL} --data.n 150 --data.classes 10 --data.criterion ce --arch.width 16`,
};

interface StepCost {
  readonly milliseconds: number;
  readonly spread: number;
  /** Milliseconds by part of a step, as processes name them. */
  readonly parts: Readonly<Record<string, number>>;
  /** Runs of each stage over all examples. */
  readonly runs: readonly number[];
  readonly weights: number;
  readonly critical: number;
}

type Start = () => Pick<BuiltRun, "simulation" | "objective">;

/** The central flow that the flags describe. */
const fromFlags = (flags: string): Start => {
  const { config } = parseRun([...flags.split(" "), "--runs", "central"]);
  return () => buildRun(config, nodeHost());
};

/** The central flows of the trajectories below a path, by name. */
function fromFixtures(path: string): Record<string, Start> {
  const trajectories = fixtureFiles(path)
    .map(readFixture)
    .filter(({ meta }) => "optimizer" in meta);
  return Object.fromEntries(
    trajectories.map((fixture) => [
      fixture.name,
      () => {
        const objective = objectiveOf(fixture);
        const built = simulationOf(fixture, objective, ["central"]);
        if (!built) throw new Error(`no optimizer "${fixture.meta.optimizer}" in this build`);
        return { objective, simulation: built.simulation };
      },
    ]),
  );
}

/** Runs a central flow. */
function stepCost(start: Start): StepCost {
  const { simulation, objective } = start();
  const durations: number[] = [];
  const parts: Record<string, number> = {};
  let critical = 0;
  const stageRuns = (): number[] => objective.profile().map(({ runs }) => runs);
  let before = stageRuns();
  const steps = TO - FROM;
  for (let step = 0; step < TO; step++) {
    if (step === FROM) before = stageRuns();
    const began = performance.now();
    const row = simulation.step();
    if (step < FROM) continue;
    durations.push(performance.now() - began);
    const variances = row["central/predicted_variances"];
    critical += variances ? quantityData(variances).length / steps : 0;
    for (const [key, value] of Object.entries(row))
      if (key.startsWith("central/times/"))
        parts[key.slice(14)] = (parts[key.slice(14)] ?? 0) + (1000 * Number(value)) / steps;
  }
  const { median, spread } = summary(durations);
  return {
    milliseconds: median,
    spread,
    parts,
    runs: stageRuns().map((count, stage) => (count - before[stage]) / steps / objective.chunks),
    weights: objective.dimension,
    critical,
  };
}

const given = process.argv.slice(2);
function problemsGiven(): Record<string, Start> {
  if (given.length === 1 && existsSync(given[0])) return fromFixtures(given[0]);
  const runs = given.length > 0 ? { "as given": given.join(" ") } : PROBLEMS;
  return Object.fromEntries(Object.entries(runs).map(([name, flags]) => [name, fromFlags(flags)]));
}
const table = new Table([
  "problem",
  "p",
  "k",
  "HVPs",
  "D³L[v,v,·]",
  "ms",
  "yardsticks",
  "gradient",
  "eigen",
  "third",
  "complementarity",
  "rest",
]);
const measure = yardstick();
const [{ median: unit }] = compareTimes([() => void measure()]);
for (const [name, start] of Object.entries(problemsGiven())) {
  progress(`central step, ${name} …`);
  const { milliseconds, spread, parts, runs, weights, critical } = stepCost(start);
  const { grad_and_value = 0, eig = 0, dH = 0, sdcp = 0 } = parts;
  const known = grad_and_value + eig + dH + sdcp;
  table.row(
    name,
    String(weights),
    digits(critical),
    measured(runs[STAGES.direction], "less"),
    measured(runs[STAGES.secondOrder], "less"),
    measured(milliseconds, "less", spread),
    digits(milliseconds / unit),
    ...[grad_and_value, eig, dH, sdcp, Math.max(0, milliseconds - known)].map(digits),
  );
}
console.log(
  `${machine()}. Central flow, steps ${FROM} to ${TO}; a yardstick, the plain gradient of a 64-64-64-10 tanh MLP on 500 examples, is ${digits(unit)} ms.`,
);
table.print();
