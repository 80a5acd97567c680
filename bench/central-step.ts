// What one central step costs, steps 50 to 110, on the digits with a small MLP (the setting of the reference's gd_mlp).
// Run: npx tsx bench/central-step.ts [flags of `run` in place of the default ones]
import { cpus } from "node:os";
import { STAGES } from "../src/autodiff/index.ts";
import { parseRun } from "../src/cli/flags.ts";
import { buildRun, quantityData } from "../src/experiment/index.ts";

const FROM = 50;
const TO = 110;
const DEFAULT =
  "opt:gd data:digits arch:mlp --opt.lr 0.2 --data.n 200 --data.classes 4 --data.criterion mse --arch.width 32 --eig.frequency 1 --eig.tol 1e-12";

const given = process.argv.slice(2);
const { config } = parseRun([...(given.length > 0 ? given : DEFAULT.split(" ")), "--runs", "central"]);
const { simulation, objective, backend } = buildRun(config);
const median = (values: number[]): number => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];

const durations: number[] = [];
const parts: Record<string, number> = {};
let k = 0;
let before = { runs: objective.stageRuns(), cost: objective.executed() };
for (let step = 0; step < TO; step++) {
  if (step === FROM) before = { runs: objective.stageRuns(), cost: objective.executed() };
  const start = performance.now();
  const row = simulation.step();
  if (step < FROM) continue;
  durations.push(performance.now() - start);
  const variances = row["central/predicted_variances"];
  k += variances ? quantityData(variances).length / (TO - FROM) : 0;
  for (const [key, value] of Object.entries(row))
    if (key.startsWith("central/times/"))
      parts[key.slice(14)] = (parts[key.slice(14)] ?? 0) + (1000 * Number(value)) / (TO - FROM);
}
const steps = TO - FROM;
const runs = objective.stageRuns().map((count, stage) => (count - before.runs[stage]) / steps);
const cost = objective.executed().map(({ flops, products }, stage) => ({
  flops: (flops - before.cost[stage].flops) / steps,
  products: (products - before.cost[stage].products) / steps,
}));
const total = cost.reduce((sum, { flops, products }) => ({
  flops: sum.flops + flops,
  products: sum.products + products,
}));
const milliseconds = median(durations);
const show = (name: string, value: number, unit = ""): void =>
  console.log(`${name.padEnd(34)} ${value.toPrecision(4).padStart(9)} ${unit}`);

console.log(
  `${cpus()[0]?.model.trim()}, Node ${process.versions.node}, ${backend} backend; means per central step, steps ${FROM} to ${TO}`,
);
show("weights p", objective.dimension);
show("critical eigenvalues", k);
show("gradients", runs[STAGES.gradient] / objective.chunks);
show("Hessian-vector products", runs[STAGES.direction] / objective.chunks);
show("D³L[v,v,·]", runs[STAGES.secondOrder] / objective.chunks);
show("matrix products", total.products);
show("Mflop", total.flops / 1e6);
show("time, median", milliseconds, "ms");
show("rate", total.flops / milliseconds / 1e6, "GFLOP/s");
for (const [part, value] of Object.entries(parts)) show(`  of it ${part}`, value, "ms");
