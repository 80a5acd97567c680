import { expect, test } from "vitest";
import { Stopped } from "../../../src/base/index.ts";
import {
  gradientDescent,
  heavyBall,
  PROCESSES,
  type Process,
  type ProcessSettings,
  type ProcessSetup,
  rmsProp,
  scalarRmsProp,
  warmStart,
} from "../../../src/flows/index.ts";
import { EIGEN, edgeExample, setupAt, takeSteps, twoEigenvalues } from "../problems.ts";

const SETTINGS: ProcessSettings = {
  central: { substeps: 4, criticalThreshold: 1.95, frequencyInSubsteps: false },
  stable: { minSubsteps: 4, maxSharpness: null },
};

const PROBLEMS: Readonly<Record<string, () => ProcessSetup>> = {
  "gd at the edge": () => setupAt(edgeExample(1, 0.02), gradientDescent({ lr: 0.3 }), [0.05, 6.7]),
  "RMSProp with two critical eigenvalues, by Lanczos": () =>
    setupAt(twoEigenvalues(0.01), rmsProp({ lr: 0.05, beta2: 0.9, eps: 1e-3 }), [0.02, 0.05, 1.2, 1.1, 0.1], {
      eigen: { ...EIGEN, solver: "lanczos" },
      rawEigenvalues: true,
    }),
  "scalar RMSProp": () =>
    setupAt(edgeExample(1, 0.02), scalarRmsProp({ lr: 0.1, beta2: 0.9 }), [0.2, 2], { rawEigenvalues: true }),
  "heavy ball": () => setupAt(edgeExample(1, 0.02), heavyBall({ lr: 0.06, beta1: 0.8 }), [0.05, 59.4]),
};

/** Answers true from its n-th call on. */
function countdown(n: number): { readonly shouldStop: () => boolean; readonly calls: () => number } {
  let calls = 0;
  return { shouldStop: () => ++calls > n, calls: () => calls };
}

const shown = ({ observation, status }: Process): unknown => ({
  status,
  observation: { ...observation, times: undefined },
});

test.each(Object.keys(PROBLEMS))("%s: a step stopped anywhere has not begun, in any process", (name) => {
  for (const entry of PROCESSES) {
    const setup = PROBLEMS[name]();
    const { objective, rule } = setup;
    const takes = {
      all: true,
      "no momentum": rule.rule.direction === undefined,
      squares: rule.rule.secondMoment !== undefined,
      "second moment": rule.rule.secondMoment !== undefined,
    };
    if (!takes[entry.rules]) continue;
    const [straight, stopped] = [entry.create(setup, SETTINGS), entry.create(setup, SETTINGS)];
    for (const process of [straight, stopped]) takeSteps(process, 3);
    straight.prepare();
    // What an attempt leaves in memory, inner products of old bases, is not looked for again: count the second.
    stopped.prepare();
    stopped.withdraw();
    const all = countdown(Number.POSITIVE_INFINITY);
    objective.shouldStop = all.shouldStop;
    stopped.prepare();
    stopped.withdraw();
    expect(all.calls(), entry.kind).toBeGreaterThan(0);
    const stride = Math.max(1, Math.floor(all.calls() / 40));
    for (let n = 0; n < all.calls(); n += stride) {
      const before = stopped.snapshot();
      objective.shouldStop = countdown(n).shouldStop;
      expect(() => stopped.prepare(), `${entry.kind} at ${n}`).toThrow(Stopped);
      expect(stopped.status.kind).toBe("running");
      expect(stopped.snapshot()).toEqual(before);
    }
    objective.shouldStop = undefined;
    stopped.prepare();
    expect(shown(stopped), entry.kind).toEqual(shown(straight));
  }
});

test("a warm start stopped anywhere stands at its last whole step, and goes on from there to the same bits", () => {
  const steps = 6;
  const { objective, rule, weights: start, state: first } = PROBLEMS["scalar RMSProp"]();
  const [weights, state] = [start.slice(), first.slice()];
  const all = countdown(Number.POSITIVE_INFINITY);
  objective.shouldStop = all.shouldStop;
  const seen: number[][] = [[...weights, ...state]];
  for (let step = 0; step < steps; step++) {
    warmStart(objective, rule, weights, state, 1);
    seen.push([...weights, ...state]);
  }
  for (let n = 0; n < all.calls(); n++) {
    const [w, s] = [start.slice(), first.slice()];
    objective.shouldStop = countdown(n).shouldStop;
    expect(() => warmStart(objective, rule, w, s, steps)).toThrow(Stopped);
    const reached = seen.findIndex((point) => point.join() === [...w, ...s].join());
    expect(reached).toBeGreaterThanOrEqual(0);
    objective.shouldStop = undefined;
    warmStart(objective, rule, w, s, steps - reached);
    expect([...w, ...s]).toEqual(seen[steps]);
  }
});
