import { describe, expect, test } from "vitest";
import {
  adam,
  CentralProcess,
  compileRule,
  gradientDescent,
  heavyBall,
  nadam,
  nesterov,
  pinningThreshold,
  rmsProp,
  scalarAdam,
  scalarNadam,
  scalarRmsProp,
  steppedWeights,
  type UpdateRule,
} from "../../../src/flows/index.ts";
import { EIGEN, edgeExample, setupAt, takeSteps } from "../problems.ts";

const SHARP = { ...EIGEN, tolerance: 1e-14 };
const LR = 0.3;
/** ε of the optimizer is of the size of √ν, so that the weight y, whose own gradient vanishes at rest, has a P too. */
const EPS = 10;
const SECOND = { lr: 3, beta2: 0.99, eps: EPS, biasCorrection: false };

interface Case {
  readonly name: string;
  readonly rule: UpdateRule;
  readonly zeta: number;
  /** The drive of the example, and half of its variance at rest. */
  readonly epsilon: number;
  /** Whether the optimizer settles there, or runs through a limit cycle around the edge. */
  readonly settles: boolean;
}

const CASES: readonly Case[] = [
  { name: "gd", rule: gradientDescent({ lr: LR }), zeta: 0.7, epsilon: 1e-3, settles: true },
  {
    name: "heavy ball, β = 0.5, below its threshold",
    rule: heavyBall({ lr: LR, beta1: 0.5, momentumForm: "average" }),
    zeta: 1,
    epsilon: 1e-3,
    settles: false,
  },
  {
    name: "heavy ball, β = 0.5, above it",
    rule: heavyBall({ lr: LR, beta1: 0.5, momentumForm: "average" }),
    zeta: 2,
    epsilon: 1e-3,
    settles: true,
  },
  {
    name: "heavy ball, β = 0.9, below its threshold",
    rule: heavyBall({ lr: LR, beta1: 0.9, momentumForm: "average" }),
    zeta: 3,
    epsilon: 1e-3,
    settles: false,
  },
  {
    name: "heavy ball, β = 0.9, above it",
    rule: heavyBall({ lr: LR, beta1: 0.9, momentumForm: "average" }),
    zeta: 10,
    epsilon: 1e-3,
    settles: true,
  },
  {
    name: "Nesterov, β = 0.9, below its threshold",
    rule: nesterov({ lr: LR, beta1: 0.9, momentumForm: "average" }),
    zeta: 3,
    epsilon: 1e-3,
    settles: false,
  },
  {
    name: "Nesterov, β = 0.9, above it",
    rule: nesterov({ lr: LR, beta1: 0.9, momentumForm: "average" }),
    zeta: 5,
    epsilon: 1e-3,
    settles: true,
  },
  { name: "rmsprop", rule: rmsProp(SECOND), zeta: 1, epsilon: 2e-4, settles: true },
  { name: "scalar-rmsprop", rule: scalarRmsProp(SECOND), zeta: 1, epsilon: 2e-4, settles: true },
  { name: "Adam, β1 = 0.8", rule: adam({ ...SECOND, beta1: 0.8 }), zeta: 3, epsilon: 2e-4, settles: false },
  {
    name: "scalar Adam, β1 = 0.8",
    rule: scalarAdam({ ...SECOND, beta1: 0.8 }),
    zeta: 3,
    epsilon: 2e-4,
    settles: false,
  },
  { name: "NAdam, β1 = 0.9", rule: nadam({ ...SECOND, beta1: 0.9 }), zeta: 3, epsilon: 2e-4, settles: true },
  {
    name: "scalar NAdam, β1 = 0.9",
    rule: scalarNadam({ ...SECOND, beta1: 0.9 }),
    zeta: 3,
    epsilon: 2e-4,
    settles: true,
  },
];

/**
 * Where a rule comes to rest at the edge: y stays where E[∂f/∂y] = E[x²]/2 − ε = 0, so E[x²] = 2ε for every rule. The
 * sharpness is c·P; for a second moment ν = (cP)²·2ε, and P = (√ν + EPS)/η gives P = EPS/(η − c√(2ε)).
 */
function rest({ rule, epsilon }: Case): { P: number; nu: number } {
  const c = rule.criticalValue;
  const second = rule.initialState(2).length > 1 && "nu" in rule.state(2);
  const P = second ? EPS / (SECOND.lr - c * Math.sqrt(2 * epsilon)) : 1 / LR;
  return { P, nu: second ? (c * P) ** 2 * 2 * epsilon : 0 };
}

/** The state of rest, weights a little below the edge. */
function startOf(example: Case): { weights: Float64Array; state: Float64Array } {
  const { P, nu } = rest(example);
  const state = example.rule.initialState(2);
  if (nu > 0) state.set([1000, nu]);
  return { weights: Float64Array.of(1e-3, 0.9995 * example.rule.criticalValue * P), state };
}

/** Of the optimizer: effective sharpness over c and variance of x over 2ε, averaged; least and most amplitude over √(2ε). */
function measured(example: Case): { sharpness: number; variance: number; least: number; most: number } {
  const objective = edgeExample(example.zeta, example.epsilon);
  const rule = compileRule(example.rule, 2);
  let { weights, state } = startOf(example);
  const preconditioner = new Float64Array(2);
  const steps = 80_000;
  let [sharpness, mean, square] = [0, 0, 0];
  let [least, most] = [Number.POSITIVE_INFINITY, 0];
  for (let t = 0; t < steps; t++) {
    objective.setWeights(weights);
    const gradient = objective.gradient().slice();
    const next = new Float64Array(state.length);
    rule.update(state, gradient, next);
    state = next;
    rule.preconditioner(state, preconditioner);
    if (t >= steps / 2) {
      const [x, y] = weights;
      const a = (y + 3 * example.zeta * x) / preconditioner[0];
      sharpness += (a + Math.hypot(a, (2 * x) / Math.sqrt(preconditioner[0] * preconditioner[1]))) / 2;
      mean += x;
      square += x * x;
    }
    const before = weights[0];
    weights = steppedWeights(rule, { weights, state, gradient, preconditioner });
    if (t < steps / 2) continue;
    const amplitude = Math.abs(weights[0] - before) / 2 / Math.sqrt(2 * example.epsilon);
    least = Math.min(least, amplitude);
    most = Math.max(most, amplitude);
  }
  const count = steps / 2;
  return {
    sharpness: sharpness / count / example.rule.criticalValue,
    variance: (square / count - (mean / count) ** 2) / (2 * example.epsilon),
    least,
    most,
  };
}

describe.each(CASES)("$name on the minimal example", (example) => {
  const { weights, state } = startOf(example);
  const process = new CentralProcess(
    setupAt(edgeExample(example.zeta, example.epsilon), example.rule, weights, { eigen: SHARP, state }),
    { substeps: 4, criticalThreshold: 1.95, frequencyInSubsteps: false },
  );
  takeSteps(process, 5000);
  process.prepare();
  const seen = process.observation;
  if (!seen) throw new Error("the flow has run");
  const { variances, directions } = seen.oscillation;
  const variance = (variances[0] * directions[0] ** 2) / (2 * example.epsilon);
  const sharpness = (seen.pairs?.values[0] ?? 0) / example.rule.criticalValue;
  const found = measured(example);

  test("the flow holds the sharpness at c, with the variance 2ε", () => {
    expect(process.status.kind).toBe("running");
    expect(seen.critical).toBe(1);
    expect(Math.abs(sharpness - 1)).toBeLessThan(1e-3);
    expect(Math.abs(variance - 1)).toBeLessThan(0.1);
  });

  test("as the optimizer does: 1 % of the edge, 10 % of the variance", () => {
    expect(Math.abs(found.sharpness - sharpness)).toBeLessThan(0.01);
    expect(Math.abs(found.variance / variance - 1)).toBeLessThan(0.1);
  });

  test("it settles, or goes through bursts and pauses around the edge, as its threshold says", () => {
    if (!("nu" in example.rule.state(2)))
      expect(example.zeta > pinningThreshold(example.rule)).toBe(example.settles);
    if (example.settles) {
      expect(found.least).toBeGreaterThan(0.9);
      expect(found.most).toBeLessThan(1.1);
    } else {
      expect(found.least).toBeLessThan(0.01);
      expect(found.most).toBeGreaterThan(3);
    }
  });
});
