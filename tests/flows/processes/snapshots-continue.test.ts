import fc from "fast-check";
import { expect, test } from "vitest";
import {
  adam,
  CentralProcess,
  DiscreteProcess,
  EdgeFlowProcess,
  gradientDescent,
  heavyBall,
  MidpointProcess,
  type Process,
  type ProcessSetup,
  RodProcess,
  rmsProp,
  StableProcess,
  StationaryProcess,
  scalarRmsProp,
  stepSchedule,
  TwoStepProcess,
} from "../../../src/flows/index.ts";
import { EIGEN, edgeExample, quadratic, setupAt, takeSteps, twoEigenvalues } from "../problems.ts";

const H = Float64Array.of(4, 1, 0, 1, 3, 0.5, 0, 0.5, 2);
const STEPS = 16;

/** Problems on which processes live through everything that can happen to them. */
const PROBLEMS: Record<string, (eigen: ProcessSetup["eigen"]) => ProcessSetup> = {
  "the edge is reached": (eigen) =>
    setupAt(edgeExample(1, 0.02), gradientDescent({ lr: 0.3 }), [0.05, 6.6], { eigen }),
  "two eigenvalues, RMSProp": (eigen) =>
    setupAt(twoEigenvalues(0.01), rmsProp({ lr: 0.05, beta2: 0.9, eps: 1e-3 }), [0.02, 0.05, 1.2, 1.1, 0.1], {
      eigen,
      rawEigenvalues: true,
    }),
  "scalar RMSProp": (eigen) =>
    setupAt(edgeExample(1, 0.02), scalarRmsProp({ lr: 0.1, beta2: 0.9, biasCorrection: true }), [0.2, 2], {
      eigen,
    }),
  "heavy ball": (eigen) =>
    setupAt(edgeExample(1, 0.02), heavyBall({ lr: 0.06, beta1: 0.8 }), [0.05, 59.4], { eigen }),
  "Adam with decay": (eigen) =>
    setupAt(
      edgeExample(1, 0.02),
      adam({ lr: 0.1, beta1: 0.8, beta2: 0.9, eps: 1e-2, biasCorrection: true, weightDecay: 0.01 }),
      [0.2, 4],
      { eigen },
    ),
  // The learning rate triples at step 6: central fails there, the stable flow passes its bound, discrete runs away.
  "a quadratic that passes the edge": (eigen) =>
    setupAt(quadratic(H, new Float64Array(3)), gradientDescent({ lr: stepSchedule(0.2, 6, 3) }), [1, 2, 3], {
      eigen,
    }),
};

const CENTRAL = { substeps: 4, criticalThreshold: 1.95, frequencyInSubsteps: false };
const KINDS: Record<string, (setup: ProcessSetup) => Process> = {
  discrete: (setup) => new DiscreteProcess(setup),
  midpoint: (setup) => new MidpointProcess(setup),
  stable: (setup) => new StableProcess(setup, { minSubsteps: 4, maxSharpness: 2.5 }),
  central: (setup) => new CentralProcess(setup, CENTRAL),
  ablated: (setup) => new CentralProcess(setup, CENTRAL, "ablated"),
  noisy: (setup) =>
    new CentralProcess(setup, CENTRAL, "noisy-central", {
      variance: 1e-4,
      terms: ["gradient", "sharpness"],
      form: "full",
    }),
  stationary: (setup) => new StationaryProcess(setup, CENTRAL),
  "two-step": (setup) => new TwoStepProcess(setup, CENTRAL),
  closure: (setup) => new TwoStepProcess(setup, CENTRAL, { seed: 1e-3, start: "seed" }, "closure"),
  rod: (setup) => new RodProcess(setup, CENTRAL),
  "rod-each": (setup) => new RodProcess(setup, CENTRAL, { rank: 3 }, "rod-each"),
  "edge-flow": (setup) => new EdgeFlowProcess(setup, CENTRAL),
};

/** Whether a kind takes the rule: two need a second moment, two the gradient itself. */
const takes = (kind: string, { rule }: ProcessSetup): boolean =>
  kind === "stationary" || kind === "ablated"
    ? rule.rule.secondMoment !== undefined
    : (kind !== "edge-flow" && kind !== "noisy") || rule.directionIsGradient;

/** All that a process shows, but for the times. */
function shown(process: Process): unknown {
  const { status, observation } = process;
  if (status.kind === "failed") return { status };
  return { status, observation: { ...observation, times: undefined }, snapshot: process.snapshot() };
}

const endings = new Set<string>();

test.each(Object.keys(PROBLEMS))("%s: restored at any step, any process goes on to the same bits", (name) => {
  fc.assert(
    fc.property(
      fc.constantFrom(...Object.keys(KINDS)),
      fc.nat(STEPS - 1),
      fc.constantFrom("lobpcg" as const, "lanczos" as const),
      fc.integer({ min: 1, max: 3 }),
      (kind, cut, solver, frequency) => {
        const setup = PROBLEMS[name]({ ...EIGEN, solver, frequency });
        fc.pre(takes(kind, setup));
        const whole = KINDS[kind](setup);
        takeSteps(whole, cut);
        const saved = structuredClone(whole.snapshot());
        const resumed = KINDS[kind](setup);
        resumed.restore(saved);
        for (let step = cut; step < STEPS; step++) {
          whole.prepare();
          const expected = shown(whole);
          whole.advance();
          resumed.prepare();
          expect(shown(resumed)).toEqual(expected);
          resumed.advance();
        }
        expect(resumed.snapshot()).toEqual(whole.snapshot());
        endings.add(`${kind} ${whole.status.kind}`);
      },
    ),
    { numRuns: 60 },
  );
});

test("among them a stable flow that stopped and a central flow that failed", () => {
  expect([...endings]).toEqual(
    expect.arrayContaining(["stable stopped", "central failed", "central running"]),
  );
});

test("a step that is taken back, or that the objective breaks off anywhere, has not been: it comes to the same bits", () => {
  const statuses = new Set<string>();
  for (const kind of Object.keys(KINDS))
    for (const name of ["two eigenvalues, RMSProp", "a quadratic that passes the edge"]) {
      const setup = PROBLEMS[name](EIGEN);
      if (!takes(kind, setup)) continue;
      const [straight, broken] = [KINDS[kind](setup), KINDS[kind](setup)];
      const { setWeights } = setup.objective;
      for (let step = 0; step < 9; step++) {
        straight.prepare();
        for (let left = step; left >= 0; left--) {
          let calls = left;
          setup.objective.setWeights = function (w) {
            if (calls-- === 0) throw new Error("broken off");
            setWeights.call(this, w);
          };
          try {
            broken.prepare();
            broken.withdraw();
          } catch (error) {
            expect(error).toEqual(new Error("broken off"));
          }
          setup.objective.setWeights = setWeights;
        }
        broken.prepare();
        expect(shown(broken)).toEqual(shown(straight));
        straight.advance();
        broken.advance();
        statuses.add(straight.status.kind);
      }
    }
  expect([...statuses].sort()).toEqual(["failed", "running", "stopped"]);
});

test("a snapshot is a copy: stepping on does not change it", () => {
  for (const create of Object.values(KINDS)) {
    const process = create(PROBLEMS["two eigenvalues, RMSProp"](EIGEN));
    takeSteps(process, 3);
    const saved = process.snapshot();
    const copy = structuredClone(saved);
    takeSteps(process, 3);
    expect(saved).toEqual(copy);
  }
});
