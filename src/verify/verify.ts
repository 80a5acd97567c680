import type { Objective } from "../autodiff/index.ts";
import { isMisuse, valueError } from "../base/index.ts";
import type { ProcessKind } from "../flows/index.ts";
import { accuracy, architectureNames } from "../models/index.ts";
import { type Quantity, quantityData, quantityShape, type Simulation } from "../simulation/index.ts";
import { criterionOf, type EvaluationOptions, objectiveOf, simulationOf } from "./fixture-simulation.ts";
import { arrayOf, entriesOf, type FixtureCase, readFixture } from "./fixtures.ts";
import { verifyOptimizers } from "./optimizers.ts";
import { type Check, relativeError, type Skip, type Verdict } from "./verdict.ts";

/** How fixtures are compared. */
export interface VerifyOptions extends EvaluationOptions {
  /** Steps of each trajectory at most. */
  readonly steps?: number;
  /** Called after each step of a trajectory. */
  readonly progress?: (fixture: string, step: number, steps: number) => void;
}

/** Compares the engine with one reference case. A case this build has no code for comes back skipped. */
function verifyFixture(jsonPath: string, options: VerifyOptions = {}): Verdict[] {
  const fixture = readFixture(jsonPath);
  const { meta } = fixture;
  if (!("architecture" in meta))
    return [{ case: fixture.name, skipped: "not a fixture: its JSON names no architecture" }];
  const architecture = String(meta.architecture);
  if (!architectureNames().some((name) => name === architecture))
    return [{ case: fixture.name, skipped: `no architecture "${architecture}" in this build` }];
  const evaluate = (work: (objective: Objective) => Verdict[]): Verdict[] => {
    const objective = objectiveOf(fixture, options);
    try {
      return work(objective);
    } finally {
      objective.dispose();
    }
  };
  if ("third_derivative_vs_finite_difference" in meta)
    return evaluate((objective) => verifyDerivatives(fixture, objective));
  if ("optimizers" in meta) return evaluate((objective) => verifyOptimizers(fixture, objective));
  if ("optimizer" in meta && "runs" in meta)
    return evaluate((objective) => verifyTrajectory(fixture, objective, options));
  return [{ case: fixture.name, skipped: "neither derivatives, a trajectory nor optimizers" }];
}

function judge(name: string, quantity: string, error: number, tolerance: number): Check {
  return { case: name, quantity, error, tolerance, pass: error <= tolerance };
}

function verifyDerivatives(fixture: FixtureCase, objective: Objective): Check[] {
  const { name } = fixture;
  const array = (key: string): Float64Array => arrayOf(fixture, key).data;
  const p = objective.dimension;
  objective.setWeights(array("w"));
  // A case cut to some entries of its derivatives may have left one direction out.
  const count = fixture.arrays.has("entries") && !fixture.arrays.has("v") ? 1 : 2;
  const directions = new Float64Array(count * p);
  directions.set(array("u"));
  if (count === 2) directions.set(array("v"), p);
  const products = new Float64Array(count * p);
  objective.hvp(directions, products, count);
  const third = new Float64Array(((count * (count + 1)) / 2) * p);
  objective.thirdDerivatives(directions, count, third);
  const right = accuracy(criterionOf(fixture), objective.outputs(), array("labels"));
  type Found = [quantity: string, ours: ArrayLike<number>, tolerance: number];
  const Hv = products.subarray(p);
  const alongBoth: Found[] =
    count === 1
      ? []
      : [
          ["Hv", entriesOf(fixture, Hv), 1e-10],
          ["d3_uv", entriesOf(fixture, third.subarray(p, 2 * p)), 1e-9],
        ];
  const found: Found[] = [
    ["outputs", objective.outputs(), 1e-10],
    ["loss", [objective.loss()], 1e-10],
    ["accuracy", [right], 0],
    ["gradient", entriesOf(fixture, objective.gradient()), 1e-10],
    ["Hu", entriesOf(fixture, products.subarray(0, p)), 1e-10],
    ...alongBoth,
    ["d3_uu", entriesOf(fixture, third.subarray(0, p)), 1e-9],
  ];
  const checks = found.map(([key, ours, tolerance]) =>
    judge(name, key, relativeError(ours, array(key)), tolerance),
  );
  if (count === 1) return checks;
  // uᵀHv may cancel to nearly nothing, so it is judged beside the size of its terms.
  let uHv = 0;
  for (let l = 0; l < p; l++) uHv += directions[l] * Hv[l];
  const scale = Math.sqrt(Hv.reduce((total, entry) => total + entry * entry, 0));
  return [...checks, judge(name, "uHv", Math.abs(uHv - array("uHv")[0]) / scale, 1e-10)];
}

/** Steps for which the discrete processes are judged: beyond, they are chaotic at the edge of stability. */
const JUDGED_DISCRETE_STEPS = 40;

/** Worst error so far of one quantity of a trajectory. */
interface Tally {
  error: number;
  readonly tolerance: number;
  readonly judged: boolean;
}

function verifyTrajectory(
  fixture: FixtureCase,
  objective: Objective,
  { steps: limit, progress }: VerifyOptions,
): Verdict[] {
  const { meta, name } = fixture;
  const built = simulationOf(fixture, objective);
  if (!built) return [{ case: name, skipped: `no optimizer "${meta.optimizer}" in this build` }];
  const { simulation, kinds, runs, trackThreshold } = built;
  const total = Number(meta.steps);
  if (!(total >= 1)) throw valueError(`verify ${name}`, 'a number "steps" ≥ 1', String(meta.steps));
  const steps = Math.min(limit ?? total, total);
  const tallies = new Map<string, Tally>();
  for (let step = 0; step < steps; step++) {
    const quantities = simulation.step();
    compareRow(fixture, step, quantities, trackThreshold, tallies);
    progress?.(name, step + 1, steps);
  }
  const checks = [...tallies].map(
    ([quantity, { error, tolerance, judged }]): Check => ({
      case: name,
      quantity,
      error,
      tolerance,
      pass: judged ? error <= tolerance : null,
    }),
  );
  const skips = [
    ...runs.filter((kind) => !kinds.includes(kind as ProcessKind)).map((kind) => `process "${kind}"`),
    ...unknownQuantities(fixture, kinds, tallies).map((key) => `quantity "${key}"`),
  ].map((what): Skip => ({ case: name, skipped: `no ${what} in this build` }));
  return [
    ...checks,
    ...skips,
    ...(steps === total && !isCut(fixture) ? finalWeights(fixture, simulation) : []),
  ];
}

/** A case whose rows are the first of a longer run's has no final weights. */
const isCut = ({ meta, arrays }: FixtureCase): boolean =>
  "cut" in meta && ![...arrays.keys()].some((key) => key.startsWith("final_w/"));

/** Per-step arrays of the processes that ran which no row had. */
function unknownQuantities(
  { arrays }: FixtureCase,
  kinds: readonly string[],
  tallies: ReadonlyMap<string, Tally>,
): string[] {
  const compared = new Set([...tallies.keys()].map(fixtureKey));
  return [...arrays.keys()].filter(
    (key) => kinds.includes(key.slice(0, key.indexOf("/"))) && !compared.has(key),
  );
}

/** The fixtures' name of a quantity: dots are underscores there. */
function fixtureKey(path: string): string {
  return path.replaceAll(".", "_");
}

function compareRow(
  fixture: FixtureCase,
  step: number,
  quantities: Readonly<Record<string, Quantity>>,
  trackThreshold: number,
  tallies: Map<string, Tally>,
): void {
  const present = new Set(Object.keys(quantities).map(fixtureKey));
  for (const [path, tally] of tallies) {
    const reference = fixture.arrays.get(fixtureKey(path));
    if (present.has(fixtureKey(path)) || !reference) continue;
    const width = reference.shape[1] ?? 1;
    const theirs = reference.data.subarray(step * width, (step + 1) * width);
    // A quantity that was there and is gone while the reference has it: the process has failed.
    if (theirs.some((value) => !Number.isNaN(value))) tally.error = Number.POSITIVE_INFINITY;
  }
  for (const [path, quantity] of Object.entries(quantities)) {
    const reference = fixture.arrays.get(fixtureKey(path));
    if (!reference || reference.shape.length > 2) continue;
    const width = reference.shape[1] ?? 1;
    const theirs = reference.data.subarray(step * width, (step + 1) * width);
    const found = compareQuantity(path, quantity, theirs, reference.data, trackThreshold);
    const discrete =
      !path.startsWith("central/") && !path.startsWith("stable/") && path !== "distances/central-stable";
    const late = discrete && step >= JUDGED_DISCRETE_STEPS;
    const key = late ? `${path} (from step ${JUDGED_DISCRETE_STEPS} on)` : path;
    const sensitive = discrete && (path.endsWith("/train_loss") || path.endsWith("/effective_hessian_eigs"));
    const tally = tallies.get(key) ?? {
      error: 0,
      tolerance: sensitive ? 1e-8 : found.tolerance,
      judged: !late,
    };
    tally.error = Math.max(tally.error, found.error);
    tallies.set(key, tally);
  }
}

/**
 * Error of one row's quantity and what it may be. Loss, eigenvalues and variances have the fixtures' own tolerances;
 * what else a row holds follows from them and is held to 1e-5, which a wrong formula never meets. Deltas have
 * arbitrary signs and grow from nothing: their magnitudes are compared on the scale of the whole run's.
 */
function compareQuantity(
  path: string,
  quantity: Quantity,
  theirs: Float64Array,
  whole: Float64Array,
  trackThreshold: number,
): { error: number; tolerance: number } {
  const key = path.slice(path.lastIndexOf("/") + 1);
  const ours =
    quantityShape(quantity).length === 0
      ? quantityData(quantity)
      : padded(quantityData(quantity), theirs.length);
  if (key === "effective_hessian_eigs") {
    const above = theirs.findIndex((value) => !(value >= trackThreshold));
    const kept = above < 0 ? theirs.length : above;
    const head = Float64Array.from({ length: kept }, (_, i) => ours[i] ?? Number.NaN);
    return { error: relativeError(head, theirs.subarray(0, kept)), tolerance: 1e-6 };
  }
  if (key === "predicted_variances") {
    const largest = whole.reduce((most, value) => (Number.isNaN(value) ? most : Math.max(most, value)), 0);
    let difference = 0;
    for (let i = 0; i < theirs.length; i++) {
      if (Number.isNaN(ours[i]) && Number.isNaN(theirs[i])) continue;
      difference = Math.max(
        difference,
        Number.isNaN(ours[i] - theirs[i]) ? Number.POSITIVE_INFINITY : Math.abs(ours[i] - theirs[i]),
      );
    }
    return { error: largest > 0 ? difference / largest : difference, tolerance: 1e-4 };
  }
  if (key.endsWith("deltas")) {
    const magnitudes = (values: ArrayLike<number>): Float64Array => Float64Array.from(values, Math.abs);
    const scale = Math.sqrt(
      whole.reduce((most, value) => Math.max(most, Number.isNaN(value) ? 0 : value * value), 0),
    );
    const error = relativeError(magnitudes(ours), magnitudes(theirs));
    return {
      error: scale > 0 && error < Number.POSITIVE_INFINITY ? absoluteError(ours, theirs) / scale : error,
      tolerance: 1e-4,
    };
  }
  if (key === "train_acc") return { error: relativeError(ours, theirs), tolerance: 0 };
  if (key === "train_loss") return { error: relativeError(ours, theirs), tolerance: 1e-7 };
  return { error: relativeError(ours, theirs), tolerance: 1e-5 };
}

function absoluteError(ours: ArrayLike<number>, theirs: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < theirs.length; i++)
    if (!Number.isNaN(theirs[i])) total += (Math.abs(ours[i]) - Math.abs(theirs[i])) ** 2;
  return Math.sqrt(total);
}

function padded(values: ArrayLike<number>, length: number): Float64Array {
  return Float64Array.from({ length: Math.max(length, values.length) }, (_, i) => values[i] ?? Number.NaN);
}

/** Distance between final weights relative to the distance travelled; discrete and midpoint are reported unjudged. */
function finalWeights(fixture: FixtureCase, simulation: Simulation): Check[] {
  const start = arrayOf(fixture, "w0").data;
  return simulation.processes.map((process) => {
    const theirs = arrayOf(fixture, `final_w/${process.kind}`).data;
    const ours = process.snapshot().w;
    const travelled = relativeError(start, theirs);
    const error = relativeError(ours, theirs) / travelled;
    const judged = process.kind === "central" || process.kind === "stable";
    return {
      case: fixture.name,
      quantity: `final_w/${process.kind}`,
      error,
      tolerance: 1e-6,
      pass: judged ? error <= 1e-6 : null,
    };
  });
}

/** Verdicts of several cases; a case whose files are broken counts as failed, with the reason as its quantity. */
export function verifyAll(paths: readonly string[], options: VerifyOptions = {}): Verdict[] {
  return paths.flatMap((path) => {
    try {
      return verifyFixture(path, options);
    } catch (error) {
      if (!isMisuse(error)) throw error;
      return [
        { case: path, quantity: error.message, error: Number.POSITIVE_INFINITY, tolerance: 0, pass: false },
      ];
    }
  });
}
