/**
 * `npx tsx bench/integrators.ts FIXTURES [INTEGRATOR:SUBSTEPS …]`: error against work of the central flow's integrators, on
 * the reference's trajectories below a path. The flow that errors are taken from is leapfrog with eight substeps.
 */
import { STAGES } from "../src/autodiff/index.ts";
import { valueError } from "../src/base/index.ts";
import type { Integrator } from "../src/flows/index.ts";
import { fixtureFiles, objectiveOf, readFixture, simulationOf } from "../src/verify/index.ts";
import { digits, progress, Table } from "./table.ts";

const STEPS = 110;

interface Method {
  readonly integrator: Integrator;
  readonly substeps: number;
}

const EXACT: Method = { integrator: "leapfrog", substeps: 8 };
const USUAL = "euler:1 euler:2 euler:4 euler:8 leapfrog:1 leapfrog:2 leapfrog:4";

interface Path {
  /** After every step. */
  readonly weights: readonly Float64Array[];
  readonly losses: readonly number[];
  /** Of a step: gradients, Hessian-vector products and third derivatives over all examples, milliseconds of processor time. */
  readonly gradients: number;
  readonly products: number;
  readonly thirds: number;
  readonly milliseconds: number;
}

function methodOf(word: string): Method {
  const [integrator, count] = word.split(":");
  const substeps = Number(count);
  if (
    (integrator !== "euler" && integrator !== "leapfrog") ||
    !Number.isSafeInteger(substeps) ||
    substeps < 1
  )
    throw valueError("integrators", "euler:SUBSTEPS or leapfrog:SUBSTEPS", word);
  return { integrator, substeps };
}

/** The central flow of a trajectory, taken by a method. One thread: processor time is the step's. */
function pathOf(file: string, { integrator, substeps }: Method): Path {
  const fixture = readFixture(file);
  const objective = objectiveOf(fixture, { threads: 1 });
  const built = simulationOf(fixture, objective, ["central"], { integrator, substeps });
  if (!built) throw valueError("integrators", "a trajectory of an optimizer that is here", file);
  const { simulation } = built;
  const [central] = simulation.processes;
  const runs = (): number[] => objective.profile().map((stage) => stage.runs / objective.chunks);
  const [before, since] = [runs(), process.cpuUsage()];
  const weights: Float64Array[] = [];
  const losses: number[] = [];
  for (let step = 0; step < STEPS; step++) {
    const row = simulation.step();
    if (central.status.kind !== "running")
      throw new Error(`${file}: the flow ended at step ${step} (${central.status.ending.code})`);
    losses.push(Number(row["central/train_loss"]));
    weights.push(central.snapshot().w);
  }
  const { user, system } = process.cpuUsage(since);
  const perStep = runs().map((count, stage) => (count - before[stage]) / STEPS);
  objective.dispose();
  return {
    ...{ weights, losses, gradients: perStep[STAGES.gradient], products: perStep[STAGES.direction] },
    ...{ thirds: perStep[STAGES.secondOrder], milliseconds: (user + system) / 1000 / STEPS },
  };
}

const distance = (a: Float64Array, b: Float64Array): number =>
  Math.sqrt(a.reduce((total, entry, l) => total + (entry - b[l]) ** 2, 0));

const [folder, ...given] = process.argv.slice(2);
if (folder === undefined) throw valueError("integrators", "a folder of trajectories", "none");
const words = given.length > 0 ? given : USUAL.split(" ");
const methods = words.map(methodOf);
const table = new Table([
  "trajectory",
  "method",
  "error of w",
  "of the loss",
  "gradients",
  "HVPs",
  "D³L[v,v,·]",
  "ms",
]);
for (const file of fixtureFiles(folder)) {
  const { name, meta } = readFixture(file);
  if (!("optimizer" in meta)) continue;
  progress(`${name}, the flow itself`);
  const exact = pathOf(file, EXACT);
  const way = distance(exact.weights[0], exact.weights[STEPS - 1]);
  methods.forEach((method, i) => {
    progress(`${name}, ${words[i]}`);
    const path = pathOf(file, method);
    const most = (gap: (step: number) => number): string =>
      Math.max(...path.losses.map((_, step) => gap(step))).toExponential(1);
    table.row(
      name,
      words[i],
      most((step) => distance(path.weights[step], exact.weights[step]) / way),
      most((step) => Math.abs(path.losses[step] / exact.losses[step] - 1)),
      ...[path.gradients, path.products, path.thirds, path.milliseconds].map(digits),
    );
  });
}
console.log(
  `Central flow, ${STEPS} steps. Errors against leapfrog with ${EXACT.substeps} substeps, the largest of all steps: of w over the way that`,
);
console.log(
  "the flow takes, of the loss relative to it. Work per step; milliseconds of processor time on one thread.\n",
);
table.print();
