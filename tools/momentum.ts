/**
 * The evidence for the flows with momentum (docs/beyond.md), as a table:
 *
 *     npx tsx tools/momentum.ts [--variants] [PRESET…]
 *
 * Runs the presets and prints where the runs end: distances from the midpoints, steps at the edge, predicted and measured
 * loss, and the distance of the central flow from itself with half the substep. With --variants also the flow with
 * other integrators and substeps, each by its distance from leapfrog with eight.
 */
import { parseArgs } from "node:util";
import { parseRun } from "../src/cli/parse.ts";
import { nodeHost } from "../src/run/index.ts";
import { endingSentence } from "../src/settings/index.ts";
import { buildRun, type Quantity, quantityData } from "../src/simulation/index.ts";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { variants: { type: "boolean", default: false } },
});
const NAMES = ["mlp-digits-heavy-ball", "mlp-digits-nesterov", "mlp-digits-adam"];
/** Losses are averaged over this many steps, and the edge counts within 2 %. */
const WINDOW = 50;
const EDGE = 0.02;

/** Where the flow predicts what the optimizer does, not what rounding does. */
const IN_FLOAT64 = ["--discrete.precision", "float64"];

type Row = Record<string, Quantity>;
const first = (row: Row, name: string): number => Number(quantityData(row[name] ?? Number.NaN)[0]);

function run(words: readonly string[]): { rows: Row[]; c: number; end: Record<string, Float64Array> } {
  const { config } = parseRun([...words, "--eig.raw-eigenvalues", "false", ...IN_FLOAT64]);
  const { simulation, criticalValue } = buildRun(config, nodeHost());
  const rows: Row[] = [];
  for (let step = 0; step < config.steps && simulation.running; step++) rows.push(simulation.step());
  for (const [kind, status] of Object.entries(simulation.statuses()))
    if (status.kind !== "running") console.log(endingSentence(kind, status.ending));
  const end = Object.fromEntries(simulation.processes.map((process) => [process.kind, process.snapshot().w]));
  return { rows, c: criticalValue, end };
}

function distance(x: Float64Array, y: Float64Array): number {
  return Math.sqrt(x.reduce((total, entry, l) => total + (entry - y[l]) ** 2, 0));
}

for (const name of positionals.length > 0 ? positionals : NAMES) {
  const { rows, c, end } = run(["--preset", name]);
  const last = rows[rows.length - 1];
  const sharpness = rows.map((row) => first(row, "central/effective_hessian_eigs") / c);
  const atEdge = sharpness.filter((value) => Math.abs(value - 1) <= EDGE).length;
  const mean = (path: string): number =>
    rows.slice(-WINDOW).reduce((total, row) => total + first(row, path), 0) / Math.min(WINDOW, rows.length);
  const central = first(last, "distances/central-midpoint");
  const stable = first(last, "distances/midpoint-stable");
  const measured = mean("discrete/train_loss");
  const predicted = mean("central/predicted_loss");
  console.log(`${name}: c = ${c.toFixed(2)}, ${rows.length} steps, ${atEdge} of them at the edge`);
  console.log(
    `  distance from the midpoints: central ${central.toFixed(4)}, stable ${stable.toFixed(4)}, ratio ${(central / stable).toFixed(3)}`,
  );
  console.log(
    `  effective sharpness over c, last ${WINDOW} steps: midpoints ${(mean("midpoint/effective_hessian_eigs") / c).toFixed(3)}, central ${(mean("central/effective_hessian_eigs") / c).toFixed(3)}, stable ${(mean("stable/effective_hessian_eigs") / c).toFixed(3)}`,
  );
  console.log(
    `  loss, last ${WINDOW} steps: measured ${measured.toExponential(4)}, predicted ${predicted.toExponential(4)} (${((predicted / measured - 1) * 100).toFixed(2)} %), central ${mean("central/train_loss").toExponential(4)}, stable ${mean("stable/train_loss").toExponential(4)}`,
  );
  const only = ["--preset", name, "--runs", "central"];
  const halved = run([...only, "--central.nsubsteps", "8"]).end.central;
  const error = distance(end.central, halved);
  console.log(
    `  the flow with half the substep: ${error.toExponential(2)} away, ${(error / central).toFixed(3)} of central's distance`,
  );
  if (!values.variants) continue;
  for (const [integrator, substeps] of [
    ["euler", "4"],
    ["euler", "16"],
    ["leapfrog", "2"],
  ]) {
    const other = run([...only, "--central.integrator", integrator, "--central.nsubsteps", substeps]).end
      .central;
    console.log(
      `  ${integrator} with ${substeps} substeps: ${distance(other, halved).toExponential(2)} away`,
    );
  }
}
