import fc from "fast-check";
import {
  constantSchedule,
  cosineSchedule,
  gradientDescent,
  rmsProp,
  type Schedule,
  scalarRmsProp,
  stepSchedule,
  type UpdateRule,
  warmupSchedule,
} from "../../src/flows/index.ts";

/** An update rule written out in loops, as math.md's table has it, on a flat state [t, ν…]. */
export interface PlainRule {
  update(state: Float64Array, gradient: Float64Array): Float64Array;
  preconditioner(state: Float64Array, p: number): Float64Array;
  learningRate(t: number): number;
  /** ds/dt at (s, g). */
  rate(state: Float64Array, gradient: Float64Array): Float64Array;
  /** ½ ∂²f/∂g²[h1, h2]. */
  rateCurvature(state: Float64Array, h1: Float64Array, h2: Float64Array): Float64Array;
}

export interface RuleCase {
  readonly name: "gd" | "scalar-rmsprop" | "rmsprop";
  readonly schedule: "constant" | "warmup" | "step" | "cosine";
  readonly lr: number;
  readonly beta2: number;
  readonly eps: number;
  readonly biasCorrection: boolean;
}

const WARMUP = 5;
const TOTAL = 20;
const EVERY = 3;
const FACTOR = 0.5;

export function ruleOf({ name, schedule, lr, ...options }: RuleCase): UpdateRule {
  const schedules: Record<RuleCase["schedule"], Schedule> = {
    constant: constantSchedule(lr),
    warmup: warmupSchedule(lr, WARMUP),
    step: stepSchedule(lr, EVERY, FACTOR),
    cosine: cosineSchedule(lr, { warmupSteps: WARMUP, totalSteps: TOTAL }),
  };
  const full = { ...options, lr: schedules[schedule] };
  return { gd: gradientDescent, "scalar-rmsprop": scalarRmsProp, rmsprop: rmsProp }[name](full);
}

function scheduled(schedule: RuleCase["schedule"], lr: number, t: number): number {
  switch (schedule) {
    case "constant":
      return lr;
    case "warmup":
      return lr * Math.min(1, t / WARMUP);
    case "step":
      return lr * FACTOR ** Math.floor(t / EVERY);
    case "cosine":
      if (t < WARMUP) return (lr * t) / WARMUP;
      return (
        lr *
        Math.max(
          0.001,
          0.5 * (1 + Math.cos((Math.PI * Math.min(TOTAL, t) - Math.PI * WARMUP) / (TOTAL - WARMUP))),
        )
      );
  }
}

export function plainRuleOf({ name, schedule, lr, beta2, eps, biasCorrection }: RuleCase): PlainRule {
  const learningRate = (t: number): number => scheduled(schedule, lr, t);
  const squared = (g: Float64Array, h: Float64Array): Float64Array => {
    const products = g.map((entry, l) => entry * h[l]);
    return name === "rmsprop" ? products : Float64Array.of(products.reduce((a, b) => a + b, 0));
  };
  const update = (state: Float64Array, gradient: Float64Array): Float64Array => {
    if (name === "gd") return Float64Array.of(state[0] + 1);
    const target = squared(gradient, gradient);
    return state.map((entry, l) => (l === 0 ? entry + 1 : entry + (1 - beta2) * (target[l - 1] - entry)));
  };
  const scale = name === "gd" ? 1 : 1 / beta2;
  return {
    learningRate,
    update,
    preconditioner(state, p) {
      const eta = learningRate(state[0]);
      return Float64Array.from({ length: p }, (_, l) => {
        if (name === "gd") return 1 / eta;
        const nu = state[name === "rmsprop" ? 1 + l : 1] / (biasCorrection ? 1 - beta2 ** state[0] : 1);
        return (Math.sqrt(nu) + eps) / eta;
      });
    },
    rate: (state, gradient) => update(state, gradient).map((entry, l) => (entry - state[l]) * scale),
    rateCurvature(state, h1, h2) {
      if (name === "gd") return new Float64Array(1);
      // f is (1 − β2)(g⊙g − ν)/β2, so ½∂²f/∂g²[h1, h2] = (1 − β2) h1⊙h2/β2; t does not feel g.
      const products = squared(h1, h2);
      return state.map((_, l) => (l === 0 ? 0 : (1 - beta2) * products[l - 1] * scale));
    },
  };
}

export const arbitraryRule: fc.Arbitrary<RuleCase> = fc.record({
  name: fc.constantFrom("gd", "scalar-rmsprop", "rmsprop"),
  schedule: fc.constantFrom("constant", "warmup", "step", "cosine"),
  lr: fc.double({ min: 1e-3, max: 1, noNaN: true }),
  beta2: fc.double({ min: 0.5, max: 0.999, noNaN: true }),
  eps: fc.constantFrom(0, 1e-7, 1e-2),
  biasCorrection: fc.boolean(),
});
