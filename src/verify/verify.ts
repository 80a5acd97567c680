import type { Objective } from "../autodiff/index.ts";
import { isMisuse } from "../base/index.ts";
import { accuracy, architectureNames } from "../models/index.ts";
import { criterionOf, type EvaluationOptions, objectiveOf } from "./fixture-simulation.ts";
import { arrayOf, entriesOf, type FixtureCase, readFixture, vectorOf } from "./fixtures.ts";
import { verifyOptimizers } from "./optimizers.ts";
import { DERIVATIVE_RULES, type Rule } from "./tolerances.ts";
import { verifyTrajectory } from "./trajectories.ts";
import { type Check, judged, relativeError, type Verdict } from "./verdict.ts";

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
    return evaluate((objective) => verifyTrajectory(fixture, objective, options.steps, options.progress));
  return [{ case: fixture.name, skipped: "neither derivatives, a trajectory nor optimizers" }];
}

function verifyDerivatives(fixture: FixtureCase, objective: Objective): Check[] {
  const p = objective.dimension;
  objective.setWeights(vectorOf(fixture, "w", p));
  // A case cut to some entries of its derivatives may have left one direction out.
  const count = fixture.arrays.has("entries") && !fixture.arrays.has("v") ? 1 : 2;
  const directions = new Float64Array(count * p);
  directions.set(vectorOf(fixture, "u", p));
  if (count === 2) directions.set(vectorOf(fixture, "v", p), p);
  const products = new Float64Array(count * p);
  objective.hvp(directions, products, count);
  const third = new Float64Array(((count * (count + 1)) / 2) * p);
  objective.thirdDerivatives(directions, count, third);
  const { outputs, loss, gradient, product, third: thirdOrder, accuracy: exact } = DERIVATIVE_RULES;
  const right = accuracy(criterionOf(fixture), objective.outputs(), arrayOf(fixture, "labels").data);
  type Found = readonly [quantity: string, ours: ArrayLike<number>, rule: Rule];
  const Hv = products.subarray(p);
  const alongBoth = (): Found[] => [
    ["Hv", entriesOf(fixture, Hv), product],
    ["d3_uv", entriesOf(fixture, third.subarray(p, 2 * p)), thirdOrder],
    ["uHv", [innerProduct(directions.subarray(0, p), Hv)], product],
  ];
  const found: Found[] = [
    ["outputs", objective.outputs(), outputs],
    ["loss", [objective.loss()], loss],
    ["accuracy", [right], exact],
    ["gradient", entriesOf(fixture, objective.gradient()), gradient],
    ["Hu", entriesOf(fixture, products.subarray(0, p)), product],
    ["d3_uu", entriesOf(fixture, third.subarray(0, p)), thirdOrder],
    ...(count === 2 ? alongBoth() : []),
  ];
  return found.map(([quantity, ours, rule]) =>
    judged(fixture.name, quantity, relativeError(ours, vectorOf(fixture, quantity, ours.length)), rule),
  );
}

const innerProduct = (a: Float64Array, b: Float64Array): number =>
  a.reduce((total, entry, l) => total + entry * b[l], 0);

/** Verdicts of several cases; a case whose files are broken counts as failed, with the reason as its quantity. */
export function verifyAll(paths: readonly string[], options: VerifyOptions = {}): Verdict[] {
  return paths.flatMap((path) => {
    try {
      return verifyFixture(path, options);
    } catch (error) {
      if (!isMisuse(error)) throw error;
      return [
        judged(path, error.message, Number.POSITIVE_INFINITY, {
          tolerance: 0,
          text: "files that can be read",
        }),
      ];
    }
  });
}
