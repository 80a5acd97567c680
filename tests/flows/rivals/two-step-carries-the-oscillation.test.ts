import { describe, expect, test } from "vitest";
import {
  adam,
  compileRule,
  compileTangent,
  DiscreteProcess,
  gradientDescent,
  heavyBall,
  nadam,
  nesterov,
  type ProcessSetup,
  rmsProp,
  stateParts,
  steppedWeights,
  type TwoStepObservation,
  TwoStepProcess,
  type TwoStepSettings,
  type UpdateRule,
} from "../../../src/flows/index.ts";
import {
  cubicObjective,
  denseHessian,
  distance,
  EIGEN,
  edgeExample,
  norm,
  quadratic,
  setupAt,
  takeSteps,
  twoEigenvalues,
  weightsOf,
} from "../problems.ts";

const SPLIT: TwoStepSettings = { seed: 1e-7, start: "split" };
/** No oscillation that decays starts anew. */
const UNSEEDED: TwoStepSettings = { seed: 1e-30, start: "split" };
const SEED: TwoStepSettings = { seed: 1e-7, start: "seed" };
const twoStep = (setup: ProcessSetup, settings = SPLIT, kind?: "closure", substeps = 4): TwoStepProcess =>
  new TwoStepProcess(setup, { substeps }, settings, kind);

/** All three directions are tracked: what is seen on them is everything. */
const ALL = { ...EIGEN, initialCount: 3, trackThreshold: null, tolerance: 1e-14 };
const H = Float64Array.of(4, 1, 0, 1, 3, 0.5, 0, 0.5, 2);
const average = { momentumForm: "average" } as const;

const seenOf = (process: TwoStepProcess): TwoStepObservation => {
  if (!process.observation) throw new Error(JSON.stringify(process.status));
  return process.observation;
};

describe("on a quadratic", () => {
  test.each([
    ["gd", gradientDescent({ lr: 0.45 })],
    ["heavy ball", heavyBall({ lr: 0.9, beta1: 0.9, ...average })],
    ["Nesterov", nesterov({ lr: 0.9, beta1: 0.8, ...average })],
    ["heavy ball with decay", heavyBall({ lr: 0.9, beta1: 0.9, weightDecay: 0.05, ...average })],
  ] as const)(
    "%s, split at the start: flow and oscillation add up to the optimizer, step for step",
    (name, rule) => {
      const decays = name.includes("decay");
      const center = decays ? new Float64Array(3) : Float64Array.of(0.3, -0.2, 0.5);
      const setup = () => setupAt(quadratic(H, center), rule, [1, 2, -1], { eigen: ALL });
      const flow = twoStep(setup(), UNSEEDED);
      const optimizer = new DiscreteProcess(setup());
      for (let step = 0; step < 30; step++) {
        const { w, "wave.0.w": wave } = flow.snapshot();
        const sum = w.map((entry, l) => entry + wave[l]);
        expect(distance(sum, weightsOf(optimizer))).toBeLessThan(1e-9 * (1 + norm(wave)));
        // The slow flow stands where the gradient vanishes.
        expect(distance(w, center)).toBeLessThan(1e-9);
        takeSteps(flow, 1);
        takeSteps(optimizer, 1);
      }
    },
  );

  test.each([false, true])(
    "Adam, whose P moves and is corrected (%s): δ⁺ = δ + β(b₋/b)P⁻¹P₋(δ − δ₋) − ((1 − β)/b)P⁻¹Hδ by plain loops",
    (biasCorrection) => {
      const beta = 0.9;
      const rule = adam({ lr: 0.05, beta1: beta, beta2: 0.95, eps: 0.01, biasCorrection });
      const flow = twoStep(
        setupAt(quadratic(H, new Float64Array(3)), rule, [1, 2, -1], { eigen: ALL }),
        UNSEEDED,
      );
      let before: { delta: Float64Array; P: Float64Array; b: number } | undefined;
      let expected: number[] | undefined;
      for (let step = 0; step < 25; step++) {
        flow.prepare();
        const { preconditioner: P, state } = seenOf(flow);
        const delta = flow.snapshot()["wave.0.w"];
        const b = biasCorrection ? stateParts(rule, state, 3).mass[0] : 1;
        if (expected) expect(distance(delta, expected)).toBeLessThan(1e-10 * norm(delta));
        if (before) {
          const last = before;
          expected = Array.from(delta, (entry, l) => {
            let product = 0;
            for (let j = 0; j < 3; j++) product += H[l * 3 + j] * delta[j];
            const carried = ((beta * last.b) / b / P[l]) * last.P[l] * (entry - last.delta[l]);
            return entry + carried - ((1 - beta) / b / P[l]) * product;
          });
        }
        before = { delta, P, b };
        flow.advance();
      }
    },
  );
});

test("the rule's tangent is the difference of two steps of it, memory by memory", () => {
  for (const rule of [
    heavyBall({ lr: 0.1, beta1: 0.8 }),
    nesterov({ lr: 0.1, beta1: 0.8 }),
    adam({ lr: 0.1, beta1: 0.8, beta2: 0.9, biasCorrection: true }),
    nadam({ lr: 0.1, beta1: 0.8, beta2: 0.9, biasCorrection: true }),
    rmsProp({ lr: 0.1, beta2: 0.9 }),
  ]) {
    const p = 4;
    const compiled = compileRule(rule, p);
    const tangent = compileTangent(rule, p);
    const names = Object.entries(
      stateParts(
        rule,
        Float64Array.from(rule.initialState(p), (_, i) => i),
        p,
      ),
    );
    const memories = names.filter(([name]) => name === "m").flatMap(([, entries]) => [...entries]);
    expect(tangent.remembers.flatMap((is, i) => (is ? [i] : []))).toEqual(memories);
    const at = (scale: number, shift: number, length: number): Float64Array =>
      Float64Array.from({ length }, (_, i) => scale * (1 + ((i * 7 + shift) % 5)));
    const size = compiled.stateSize;
    const [state, gradient] = [at(0.3, 1, size), at(0.2, 2, p)];
    const moved = at(1, 3, size).map((entry, i) => (tangent.remembers[i] ? entry : 0));
    const turned = at(1, 4, p);
    const next = (t: number): { updated: Float64Array; direction: Float64Array } => {
      const s = state.map((entry, i) => entry + t * moved[i]);
      const g = gradient.map((entry, l) => entry + t * turned[l]);
      const updated = new Float64Array(size);
      compiled.update(s, g, updated);
      const direction = new Float64Array(p);
      const held = new Float64Array(size);
      compiled.update(state, gradient, held);
      compiled.direction(
        updated.map((entry, i) => (tangent.remembers[i] ? entry : held[i])),
        g,
        direction,
      );
      return { updated, direction };
    };
    const [memory, direction] = [new Float64Array(size), new Float64Array(p)];
    tangent.update(state, gradient, moved, turned, memory);
    const { updated } = next(0);
    tangent.direction(updated, gradient, memory, turned, direction);
    const [up, down] = [next(0.5), next(-0.5)];
    memory.forEach((entry, i) => {
      const found = tangent.remembers[i] ? up.updated[i] - down.updated[i] : 0;
      expect(Math.abs(entry - found)).toBeLessThan(1e-12);
    });
    direction.forEach((entry, l) => {
      expect(Math.abs(entry - (up.direction[l] - down.direction[l])), rule.name).toBeLessThan(1e-10);
    });
  }
});

/** Sharpness over c of optimizer and flow on the minimal example, averaged, from just below the edge. */
function onExample(rule: UpdateRule, zeta: number, epsilon: number, steps: number): [number, number][] {
  const c = rule.criticalValue;
  const second = "nu" in rule.state(2);
  const P = second ? 10 / (3 - c * Math.sqrt(2 * epsilon)) : 1 / 0.3;
  const state = rule.initialState(2);
  if (second) state.set([1000, (c * P) ** 2 * 2 * epsilon]);
  const setup = setupAt(edgeExample(zeta, epsilon), rule, [1e-3, 0.9995 * c * P], { state });
  const flow = twoStep(setup);
  const ofFlow: number[] = [];
  takeSteps(flow, steps, () => {
    const { weights, preconditioner } = seenOf(flow);
    ofFlow.push(weights[1] / preconditioner[0] / c);
  });
  const { objective } = setup;
  let weights: Float64Array = setup.weights.slice();
  let at: Float64Array = state.slice();
  const preconditioner = new Float64Array(2);
  const ofOptimizer = Array.from({ length: steps }, () => {
    objective.setWeights(weights);
    const gradient = objective.gradient().slice();
    const next = new Float64Array(at.length);
    setup.rule.update(at, gradient, next);
    at = next;
    setup.rule.preconditioner(at, preconditioner);
    const seen = weights[1] / preconditioner[0] / c;
    weights = steppedWeights(setup.rule, { weights, state: at, gradient, preconditioner });
    return seen;
  });
  return [ofFlow, ofOptimizer].map((values) => [
    values.reduce((total, value) => total + value, 0) / values.length,
    values.reduce((least, value) => Math.min(least, value), 9),
  ]);
}

describe("on the minimal example, where some rules settle and others burst", () => {
  const SECOND = { lr: 3, beta2: 0.99, eps: 10, biasCorrection: false };
  test.each([
    ["gd, settling", gradientDescent({ lr: 0.3 }), 0.7, 1e-3],
    ["gd, bursting", gradientDescent({ lr: 0.3 }), 0.45, 1e-3],
    ["heavy ball, bursting", heavyBall({ lr: 0.3, beta1: 0.9, ...average }), 3, 1e-3],
    ["Nesterov, bursting", nesterov({ lr: 0.3, beta1: 0.9, ...average }), 3, 1e-3],
    ["Adam, bursting", adam({ ...SECOND, beta1: 0.9 }), 3, 2e-4],
    ["rmsprop", rmsProp(SECOND), 1, 2e-4],
  ] as const)(
    "%s: the flow's mean sharpness is the optimizer's, to .004 of c, and so is its least",
    (_, rule, zeta, epsilon) => {
      const [flow, optimizer] = onExample(rule, zeta, epsilon, 900);
      expect(Math.abs(flow[0] - optimizer[0])).toBeLessThan(0.004);
      expect(Math.abs(flow[1] - optimizer[1])).toBeLessThan(0.03);
    },
  );
});

test("with one tracked direction the closure is the two-step flow", () => {
  const eigen = { ...EIGEN, trackThreshold: null };
  const setup = () => setupAt(edgeExample(1, 0.02), gradientDescent({ lr: 0.3 }), [0.05, 6.6], { eigen });
  const [one, other] = [twoStep(setup()), twoStep(setup(), SPLIT, "closure")];
  let most = 0;
  for (let step = 0; step < 40; step++) {
    for (const process of [one, other]) process.prepare();
    most = Math.max(most, seenOf(other).oscillation.variances.length);
    // Their eigensolvers start from vectors of their own.
    expect(distance(seenOf(other).weights, seenOf(one).weights)).toBeLessThan(1e-9);
    for (const process of [one, other]) process.advance();
  }
  expect(most).toBe(1);
});

test("the force is ½D³L[δ, δ], the predicted loss L + ½δᵀHδ: by differences of a flow with one Euler substep", () => {
  const cubic = {
    p: 3,
    H: Float64Array.of(8, 0.2, 0, 0.2, 7, 0.1, 0, 0.1, 6),
    g: Float64Array.of(0.1, -0.2, 0.1),
    a: Float64Array.of(0.5, -0.3),
    b: Float64Array.of(1, 0.5, 0, 0.2, -1, 0.7),
  };
  const objective = cubicObjective(cubic);
  const lr = 0.25;
  const setup = setupAt(objective, gradientDescent({ lr }), [0.2, -0.1, 0.1], { eigen: ALL });
  const flow = twoStep(setup, SPLIT, undefined, 1);
  const gradientAt = (w: Float64Array): Float64Array => {
    objective.setWeights(w);
    return objective.gradient().slice();
  };
  for (let step = 0; step < 6; step++) {
    const { w, "wave.0.w": delta } = flow.snapshot();
    flow.prepare();
    const { predictedLoss, loss } = seenOf(flow);
    flow.advance();
    const shifted = (t: number): Float64Array => w.map((entry, l) => entry + t * delta[l]);
    // A cubic's gradient is quadratic: the mean of both ends is g + ½D³[δ, δ] exactly.
    const [up, down] = [gradientAt(shifted(1)), gradientAt(shifted(-1))];
    const expected = w.map((entry, l) => entry - (lr * (up[l] + down[l])) / 2);
    expect(distance(weightsOf(flow), expected)).toBeLessThan(1e-9 * (1 + norm(delta)));
    objective.setWeights(w);
    const hessian = denseHessian(objective);
    let form = 0;
    for (let i = 0; i < 3; i++) for (let j = 0; j < 3; j++) form += delta[i] * hessian[i * 3 + j] * delta[j];
    expect(Math.abs(predictedLoss - loss - form / 2)).toBeLessThan(1e-10 * (1 + form));
  }
});

test("an oscillation that starts at the seed has the seed's amplitude along every tracked direction", () => {
  const setup = setupAt(twoEigenvalues(0.01), gradientDescent({ lr: 0.3 }), [0.02, 0.05, 5.6, 5.4, 0.1]);
  for (const [kind, waves] of [
    [undefined, 1],
    ["closure", 2],
  ] as const) {
    const flow = twoStep(setup, SEED, kind);
    flow.prepare();
    const { pairs, oscillation } = seenOf(flow);
    expect(pairs?.count).toBeGreaterThanOrEqual(2);
    const trace = oscillation.variances.reduce((total, variance) => total + variance, 0);
    expect(Math.abs(trace / ((pairs?.count ?? 0) * SEED.seed ** 2) - 1)).toBeLessThan(1e-9);
    expect(oscillation.variances.length).toBeGreaterThanOrEqual(waves);
  }
});
