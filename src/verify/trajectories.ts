import type { Objective } from "../autodiff/index.ts";
import { valueError } from "../base/index.ts";
import { type Quantity, quantityData, type Simulation } from "../simulation/index.ts";
import { simulationOf } from "./fixture-simulation.ts";
import { type FixtureCase, rowsOf, vectorOf } from "./fixtures.ts";
import { finalWeightsRule, isLoggedName, type TrajectoryRule, trajectoryRule } from "./tolerances.ts";
import { type Check, judged, relativeError, type Skip, unjudged, type Verdict } from "./verdict.ts";

/** Worst error so far of one quantity of a trajectory. */
interface Tally {
  readonly key: string;
  error: number;
  readonly rule: TrajectoryRule;
  readonly late: boolean;
}

/** What the rows of one trajectory are compared with. */
interface Comparison {
  readonly fixture: FixtureCase;
  readonly steps: number;
  readonly trackThreshold: number;
  readonly tallies: Map<string, Tally>;
}

/** The fixtures' name of a quantity: dots are underscores there. */
const fixtureKey = (path: string): string => path.replaceAll(".", "_");

/**
 * Runs the processes of a trajectory and judges every quantity of every row, and the weights at the end.
 * @param limit steps at most
 * @throws InputValueError where the case is described or shaped otherwise than a trajectory is
 */
export function verifyTrajectory(
  fixture: FixtureCase,
  objective: Objective,
  limit: number | undefined,
  progress: ((fixture: string, step: number, steps: number) => void) | undefined,
): Verdict[] {
  const { meta, name } = fixture;
  const steps = Number(meta.steps);
  if (!(Number.isInteger(steps) && steps >= 1))
    throw valueError(`verify ${name}`, 'a whole number "steps" ≥ 1', String(meta.steps));
  const built = simulationOf(fixture, objective);
  if (!built) return [{ case: name, skipped: `no optimizer "${meta.optimizer}" in this build` }];
  const { simulation, kinds, runs, trackThreshold } = built;
  const logged = loggedKeys(fixture, kinds);
  for (const key of logged) rowsOf(fixture, key, steps);
  const comparison: Comparison = { fixture, steps, trackThreshold, tallies: new Map() };
  const taken = Math.min(limit ?? steps, steps);
  for (let step = 0; step < taken; step++) {
    const quantities = simulation.step();
    const { stable } = simulation.statuses();
    compareRow(comparison, step, logged, quantities, stable !== undefined && stable.kind !== "running");
    progress?.(name, step + 1, taken);
  }
  const compared = new Set([...comparison.tallies.values()].map(({ key }) => key));
  const skip = (what: string): Skip => ({ case: name, skipped: `no ${what} in this build` });
  return [
    ...checksOf(comparison),
    ...runs.filter((kind) => !kinds.some((known) => known === kind)).map((kind) => skip(`process "${kind}"`)),
    ...logged
      .filter((key) => !isLoggedName(key) && !compared.has(key))
      .map((key) => skip(`quantity "${key}"`)),
    ...(taken === steps && !isCut(fixture) ? finalWeights(fixture, simulation, steps) : []),
  ];
}

/** A case whose rows are the first of a longer run's has no final weights. */
const isCut = ({ meta, arrays }: FixtureCase): boolean =>
  "cut" in meta && ![...arrays.keys()].some((key) => key.startsWith("final_w/"));

const checksOf = ({ fixture, tallies }: Comparison): Check[] =>
  [...tallies].map(([quantity, { error, rule, late }]) =>
    late ? unjudged(fixture.name, quantity, error, rule) : judged(fixture.name, quantity, error, rule),
  );

/** The case's arrays with a row per step, of the processes that run. */
function loggedKeys({ arrays }: FixtureCase, kinds: readonly string[]): string[] {
  const run = (kind: string): boolean => kinds.includes(kind);
  return [...arrays.keys()].filter((key) => {
    const [section, name] = key.split("/");
    if (section === "distances") return name?.split("-").every(run);
    if (key === "deltas") return run("discrete") && run("central");
    if (key === "midpoint_deltas") return run("midpoint") && run("central");
    return name !== undefined && run(section);
  });
}

/** Judges one row: every quantity that the case has numbers of, whether or not this build logged it. */
function compareRow(
  { fixture, steps, trackThreshold, tallies }: Comparison,
  step: number,
  logged: readonly string[],
  quantities: Readonly<Record<string, Quantity>>,
  stopped: boolean,
): void {
  const ours = new Map(Object.entries(quantities).map(([path, quantity]) => [fixtureKey(path), quantity]));
  for (const key of logged) {
    const quantity = ours.get(key);
    const rows = rowsOf(fixture, key, steps);
    const theirs = rows.data.subarray(step * rows.width, (step + 1) * rows.width);
    if (quantity === undefined && (!isLoggedName(key) || theirs.every(Number.isNaN))) continue;
    const rule = trajectoryRule(key);
    if (rule.untilStop && stopped) continue;
    const late = step >= rule.steps;
    const name = key.replace("/opt_", "/opt.");
    const label = late ? `${name} (from step ${rule.steps} on)` : name;
    const tally = tallies.get(label) ?? { key, error: 0, rule, late };
    const data = padded(quantity === undefined ? [] : quantityData(quantity), theirs.length);
    const error = rowError(fixture, rule, { data, theirs, whole: rows.data, step, steps, trackThreshold });
    tally.error = Math.max(tally.error, error);
    tallies.set(label, tally);
  }
}

/** One row of one quantity, and what it is measured by. */
interface Row {
  readonly data: Float64Array;
  readonly theirs: Float64Array;
  /** The reference's rows of all steps. */
  readonly whole: Float64Array;
  readonly step: number;
  readonly steps: number;
  readonly trackThreshold: number;
}

/** Error of one row's quantity in the measure of its rule; ∞ where one has a number and the other has none. */
function rowError(fixture: FixtureCase, { measure }: TrajectoryRule, row: Row): number {
  const { data, theirs } = row;
  switch (measure) {
    case "relative":
      return relativeError(data, theirs);
    case "above-threshold": {
      // Descending; where one has an eigenvalue above, the other must have it too.
      const above = (values: Float64Array): number =>
        values.filter((value) => value >= row.trackThreshold).length;
      const kept = Math.max(above(data), above(theirs));
      return relativeError(data.subarray(0, kept), theirs.subarray(0, kept));
    }
    case "of-largest": {
      const difference = distance(data, theirs);
      return difference === 0 ? 0 : difference / largestOf(row.whole);
    }
    case "deltas": {
      const difference = distance(data.map(Math.abs), theirs.map(Math.abs));
      const free = difference < Number.POSITIVE_INFINITY && hasArbitraryBasis(fixture, row);
      return free ? 0 : difference;
    }
  }
}

const largestOf = (values: Float64Array): number =>
  values.reduce((most, x) => (Number.isNaN(x) ? most : Math.max(most, Math.abs(x))), 0);

/** Whether two of a step's variances are within 1 % of one another: their directions are arbitrary there. */
function hasArbitraryBasis(fixture: FixtureCase, { step, steps }: Row): boolean {
  if (!fixture.arrays.has("central/predicted_variances")) return false;
  const { data, width } = rowsOf(fixture, "central/predicted_variances", steps);
  const variances = data
    .slice(step * width, (step + 1) * width)
    .filter((value) => !Number.isNaN(value))
    .sort();
  return variances.some((value, i) => i > 0 && value - variances[i - 1] <= 0.01 * value);
}

/** ‖a − b‖ over the entries; entries where both are NaN agree, where one is they do not (∞). */
function distance(a: Float64Array, b: Float64Array): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let total = 0;
  for (let i = 0; i < b.length; i++)
    if (!Number.isNaN(a[i]) || !Number.isNaN(b[i])) total += (a[i] - b[i]) ** 2;
  return Number.isNaN(total) ? Number.POSITIVE_INFINITY : Math.sqrt(total);
}

function padded(values: ArrayLike<number>, length: number): Float64Array {
  return Float64Array.from({ length: Math.max(length, values.length) }, (_, i) => values[i] ?? Number.NaN);
}

/** Distance between final weights relative to the distance travelled. */
function finalWeights(fixture: FixtureCase, simulation: Simulation, steps: number): Check[] {
  return simulation.processes.map((process) => {
    const { kind } = process;
    const { w: weights } = process.snapshot();
    const theirs = vectorOf(fixture, `final_w/${kind}`, weights.length);
    const travelled = distance(vectorOf(fixture, "w0", weights.length), theirs);
    const difference = distance(weights, theirs);
    const error = difference === 0 ? 0 : difference / travelled;
    const { judged: isJudged, ...rule } = finalWeightsRule(kind, steps);
    return (isJudged ? judged : unjudged)(fixture.name, `final_w/${kind}`, error, rule);
  });
}
