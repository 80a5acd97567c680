import fc from "fast-check";
import { expect, test } from "vitest";
import { CentralProcess, DiscreteProcess, type Process, StableProcess } from "../../../src/flows/index.ts";
import { edgeExample, setupAt, takeSteps, weightsOf } from "../problems.ts";
import { AVERAGES, arbitraryRule, MOMENT, type RuleCase, ruleOf } from "./plain-rules.ts";

const PLAIN = { none: "gd", scalar: "scalar-rmsprop", each: "rmsprop" } as const;

/** The processes of one rule at the edge example, near enough to its edge to reach it. */
function ends(options: RuleCase): Float64Array[] {
  const setup = setupAt(edgeExample(1, 0.02), ruleOf(options), [0.05, 6.58]);
  const processes: Process[] = [
    new DiscreteProcess(setup),
    new StableProcess(setup, { minSubsteps: 4, maxSharpness: 100 }),
    new CentralProcess(setup, { substeps: 4, criticalThreshold: 1.95, frequencyInSubsteps: false }),
  ];
  return processes.flatMap((process) => {
    takeSteps(process, 12);
    return [weightsOf(process), process.snapshot().state];
  });
}

test("with β1 = 0 every rule is the one without momentum, bit for bit, in every process", () => {
  fc.assert(
    fc.property(
      arbitraryRule.filter(({ name }) => AVERAGES[name] !== "none"),
      (drawn) => {
        const options: RuleCase = {
          ...drawn,
          beta1: 0,
          lr: 0.3,
          eps: 1e-2,
          schedule: "constant",
          weightDecay: 0.01,
        };
        expect(ends(options)).toEqual(
          ends({ ...options, name: PLAIN[MOMENT[options.name] as keyof typeof PLAIN] }),
        );
      },
    ),
    { numRuns: 20 },
  );
});
