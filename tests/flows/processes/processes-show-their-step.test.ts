import { expect, test } from "vitest";
import { EPS, Random } from "../../../src/base/index.ts";
import {
  CentralProcess,
  DiscreteProcess,
  gradientDescent,
  MidpointProcess,
  rmsProp,
  StableProcess,
  warmStart,
} from "../../../src/flows/index.ts";
import {
  type Cubic,
  cubicGradient,
  cubicHessian,
  cubicObjective,
  edgeExample,
  effectiveSpectrum,
  quadratic,
  setupAt,
  takeSteps,
  weightsOf,
} from "../problems.ts";
import { plainRuleOf, type RuleCase, ruleOf } from "../rules/plain-rules.ts";

const CENTRAL = { substeps: 4, criticalThreshold: 1.95, frequencyInSubsteps: false };
const OPTIONS: RuleCase = {
  name: "rmsprop",
  beta1: 0,
  momentumForm: "average",
  weightDecay: 0,
  schedule: "constant",
  lr: 0.01,
  beta2: 0.9,
  eps: 1e-3,
  biasCorrection: true,
};

function mildCubic(seed: number): Cubic {
  const random = new Random(seed, "mild");
  const p = 4;
  const normal = (length: number): Float64Array => random.fillNormal(new Float64Array(length));
  const H = new Float64Array(p * p);
  for (let l = 0; l < p; l++) H[l * p + l] = 1 + l;
  return { p, H, g: normal(p), a: normal(3).map((entry) => 0.1 * entry), b: normal(3 * p) };
}

function close(found: ArrayLike<number> | undefined, exact: ArrayLike<number>): void {
  expect(found?.length).toBe(exact.length);
  const size = Math.max(1, ...Array.from(exact, Math.abs));
  for (let l = 0; l < exact.length; l++)
    expect(Math.abs((found ?? [])[l] - exact[l])).toBeLessThanOrEqual(1e6 * EPS * size);
}

test("discrete shows w with the updated state, midpoint shows w* = ¼(w₋₁ + 2w + w₊₁) with the state of w", () => {
  const cubic = mildCubic(1);
  const { p } = cubic;
  const start = [0.3, -0.4, 0.5, 0.2];
  const setup = setupAt(cubicObjective(cubic), ruleOf(OPTIONS), start, {
    eigen: { frequency: 1, trackThreshold: null, initialCount: 2, solver: "lobpcg", tolerance: 1e-12 },
    rawEigenvalues: true,
  });
  const plain = plainRuleOf(OPTIONS);
  const iterates = [Float64Array.from(start)];
  const states: Float64Array[] = [];
  let state = setup.state;
  for (let t = 0; t < 12; t++) {
    const w = iterates[t];
    const gradient = cubicGradient(cubic, w);
    state = plain.update(state, gradient);
    states.push(state);
    const P = plain.preconditioner(state, p);
    iterates.push(w.map((entry, l) => entry - gradient[l] / P[l]));
  }
  const discrete = new DiscreteProcess(setup);
  const midpoint = new MidpointProcess(setup);
  for (let t = 0; t < 11; t++) {
    discrete.prepare();
    midpoint.prepare();
    const P = plain.preconditioner(states[t], p);
    close(discrete.observation?.weights, iterates[t]);
    close(discrete.observation?.state, states[t]);
    close(discrete.observation?.gradient, cubicGradient(cubic, iterates[t]));
    close(discrete.observation?.preconditioner, P);
    const star = iterates[t].map((entry, l) =>
      t === 0 ? entry : 0.25 * (iterates[t - 1][l] + 2 * entry + iterates[t + 1][l]),
    );
    const H = cubicHessian(cubic, star);
    close(midpoint.observation?.weights, star);
    close(midpoint.observation?.state, states[t]);
    close(midpoint.observation?.preconditioner, P);
    close(midpoint.observation?.gradient, cubicGradient(cubic, star));
    close(midpoint.observation?.pairs?.values, effectiveSpectrum(H, P).slice(0, 2));
    close(midpoint.observation?.hessianValues, effectiveSpectrum(H, new Float64Array(p).fill(1)).slice(0, 2));
    close(
      midpoint.observation?.displacement,
      iterates[t].map((entry, l) => entry - star[l]),
    );
    if (t === 0) expect(midpoint.observation?.displacement?.every((entry) => entry === 0)).toBe(true);
    discrete.advance();
    midpoint.advance();
  }
  expect(weightsOf(discrete)).toEqual(weightsOf(midpoint));
});

test("an observation does not change when the shared objective moves on", () => {
  const cubic = mildCubic(2);
  const objective = cubicObjective(cubic);
  const process = new DiscreteProcess(setupAt(objective, ruleOf(OPTIONS), [0.3, -0.4, 0.5, 0.2]));
  process.prepare();
  const before = structuredClone(process.observation);
  objective.setWeights(new Float64Array(4));
  objective.gradient();
  process.advance();
  expect(process.observation).toEqual(before);
});

test("after a warm start of n steps every process' first row stands at t = n + 1, from the same weights", () => {
  const cubic = mildCubic(3);
  const n = 3;
  const objective = cubicObjective(cubic);
  const fresh = setupAt(objective, ruleOf(OPTIONS), [0.3, -0.4, 0.5, 0.2]);
  const weights = fresh.weights.slice();
  const state = fresh.state.slice();
  expect(warmStart(objective, fresh.rule, weights, state, n)).toBe(n);
  const plain = plainRuleOf(OPTIONS);
  let w: Float64Array = fresh.weights.slice();
  let s: Float64Array = fresh.state.slice();
  for (let t = 0; t < n; t++) {
    const gradient = cubicGradient(cubic, w);
    s = plain.update(s, gradient);
    const P = plain.preconditioner(s, cubic.p);
    w = w.map((entry, l) => entry - gradient[l] / P[l]);
  }
  close(weights, w);
  close(state, s);
  const setup = { ...fresh, weights, state };
  const processes = [
    new DiscreteProcess(setup),
    new MidpointProcess(setup),
    new StableProcess(setup, { minSubsteps: 4, maxSharpness: 100 }),
    new CentralProcess(setup, CENTRAL),
  ];
  for (const process of processes) {
    process.prepare();
    expect(process.observation?.state[0]).toBe(n + 1);
    close(process.observation?.weights, w);
    // One plain update, without the factor 1/β2 of continuous time.
    close(process.observation?.state, plain.update(s, cubicGradient(cubic, w)));
  }
});

test("a warm start ends before the step whose loss is not finite", () => {
  const objective = quadratic(Float64Array.of(10), new Float64Array(1));
  const { rule, state } = setupAt(objective, gradientDescent({ lr: 1e160 }), [1]);
  const weights = Float64Array.of(1);
  expect(warmStart(objective, rule, weights, state, 10)).toBe(1);
  expect(() => warmStart(objective, rule, new Float64Array(2), state, 1)).toThrow(/1 weights, got 2/);
});

test("a warm start ends where its loss has exploded against that at its start, long before it is infinite", () => {
  // w ← −9w on 5w²: the loss grows 81 times a step, and passes 10⁵(1 + 5w²) in the third.
  const objective = quadratic(Float64Array.of(10), new Float64Array(1));
  const { rule, state } = setupAt(objective, gradientDescent({ lr: 1 }), [1]);
  for (const w of [1, 1000]) expect(warmStart(objective, rule, Float64Array.of(w), state, 10)).toBe(3);
});

test("the stable flow takes max(min, ⌈2·S_eff⌉) substeps, each one Euler's", () => {
  for (const [lr, minSubsteps] of [
    [0.1, 4],
    [1.3, 4],
    [3.7, 4],
    [0.1, 9],
  ]) {
    const H = Float64Array.of(3, 0.5, 0.5, 1);
    const [largest] = effectiveSpectrum(H, new Float64Array(2).fill(1 / lr));
    const process = new StableProcess(
      setupAt(quadratic(H, new Float64Array(2)), gradientDescent({ lr }), [1, 2]),
      {
        minSubsteps,
        maxSharpness: 100,
      },
    );
    takeSteps(process, 1);
    const substeps = Math.max(minSubsteps, Math.ceil(2 * largest));
    expect(process.observation?.substeps).toBe(substeps);
    const w = [1, 2];
    for (let i = 0; i < substeps; i++) {
      const gradient = [H[0] * w[0] + H[1] * w[1], H[2] * w[0] + H[3] * w[1]];
      gradient.forEach((entry, l) => {
        w[l] -= (lr * entry) / substeps;
      });
    }
    close(weightsOf(process), w);
  }
});

test("the stable flow stops for good where the sharpness passes the bound, and goes on showing where it stands", () => {
  // From y = 6 the sharpness climbs by about ηε a step; the bound lies a few steps on.
  const objective = edgeExample(1, 0.1);
  const setup = setupAt(objective, gradientDescent({ lr: 0.3 }), [0, 6]);
  const process = new StableProcess(setup, { minSubsteps: 4, maxSharpness: 1.85 });
  let stoppedAt = -1;
  takeSteps(process, 30, (step) => {
    if (process.status.kind === "stopped" && stoppedAt < 0) stoppedAt = step;
  });
  expect(stoppedAt).toBeGreaterThan(0);
  expect(process.status).toMatchObject({ kind: "stopped", ending: { code: "sharpness", bound: 1.85 } });
  expect(process.observation?.pairs?.values[0]).toBeGreaterThan(1.85);
  expect(process.observation?.substeps).toBeUndefined();
  expect(weightsOf(process)).toEqual(process.observation?.weights);
  const frozen = structuredClone(process.observation);
  takeSteps(process, 5);
  expect(process.observation).toEqual(frozen);
});

test("without eigenvalues the stable flow takes the least number of substeps and the central flow is refused", () => {
  const off = {
    frequency: -1,
    trackThreshold: 1.5,
    initialCount: 1,
    solver: "lobpcg",
    tolerance: 1e-10,
  } as const;
  const setup = setupAt(edgeExample(1, 0.1), rmsProp({ lr: 0.01, beta2: 0.9 }), [0.1, 6], { eigen: off });
  const process = new StableProcess(setup, { minSubsteps: 5, maxSharpness: 1 });
  process.prepare();
  expect(process.observation?.substeps).toBe(5);
  expect(process.observation?.pairs).toBeUndefined();
  expect(() => new CentralProcess(setup, CENTRAL)).toThrow(/eigenpairs computed every 1, 2/);
});
