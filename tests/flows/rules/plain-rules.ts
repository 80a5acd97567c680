import fc from "fast-check";
import {
  adaGrad,
  adam,
  constantSchedule,
  cosineSchedule,
  gradientDescent,
  heavyBall,
  nadam,
  nesterov,
  rmsProp,
  ruleWith,
  type Schedule,
  scalarAdam,
  scalarNadam,
  scalarRmsProp,
  stepSchedule,
  type UpdateRule,
  warmupSchedule,
} from "../../../src/flows/index.ts";

/** An update rule written out in loops, as the tables of docs/derivations.md, section 2, have it, on a flat state [t, ν…, m…, mass]. */
export interface PlainRule {
  update(state: Float64Array, gradient: Float64Array): Float64Array;
  preconditioner(state: Float64Array, p: number): Float64Array;
  /** q at the updated state. */
  direction(state: Float64Array, gradient: Float64Array): Float64Array;
  learningRate(t: number): number;
  /** r at step t. */
  decay(t: number): number;
  /** ds/dt at (s, g). */
  rate(state: Float64Array, gradient: Float64Array): Float64Array;
  /** ½ ∂²f/∂g²[h1, h2]. */
  rateCurvature(state: Float64Array, h1: Float64Array, h2: Float64Array): Float64Array;
}

export interface RuleCase {
  readonly name: keyof typeof FACTORIES;
  readonly schedule: "constant" | "warmup" | "step" | "cosine";
  readonly lr: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly eps: number;
  readonly biasCorrection: boolean;
  readonly momentumForm: "polyak" | "average";
  readonly weightDecay: number;
}

/** Every rule, from all options there are: each takes its own. */
export const FACTORIES = {
  gd: gradientDescent,
  "scalar-rmsprop": scalarRmsProp,
  rmsprop: rmsProp,
  "heavy-ball": heavyBall,
  nesterov,
  "scalar-adam": scalarAdam,
  adam,
  "scalar-nadam": scalarNadam,
  nadam,
  adagrad: adaGrad,
} as const;

export const RULE_NAMES = Object.keys(FACTORIES) as RuleCase["name"][];
/** Which second moment a rule has. */
export const MOMENT: Readonly<Record<RuleCase["name"], "none" | "scalar" | "each" | "sum">> = {
  gd: "none",
  "heavy-ball": "none",
  nesterov: "none",
  "scalar-rmsprop": "scalar",
  "scalar-adam": "scalar",
  "scalar-nadam": "scalar",
  rmsprop: "each",
  adam: "each",
  nadam: "each",
  adagrad: "sum",
};
export const AVERAGES: Readonly<Record<RuleCase["name"], "none" | "average" | "ahead">> = {
  gd: "none",
  "scalar-rmsprop": "none",
  rmsprop: "none",
  "heavy-ball": "average",
  adam: "average",
  "scalar-adam": "average",
  nesterov: "ahead",
  nadam: "ahead",
  "scalar-nadam": "ahead",
  adagrad: "none",
};

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
  return ruleWith(FACTORIES[name], options, schedules[schedule]);
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

export function plainRuleOf(options: RuleCase): PlainRule {
  const { name, schedule, lr, beta1, beta2, eps, biasCorrection, momentumForm, weightDecay } = options;
  const moment = MOMENT[name];
  const averages = AVERAGES[name];
  const learningRate = (t: number): number => scheduled(schedule, lr, t);
  const squared = (g: Float64Array, h: Float64Array): number[] => {
    const products = Array.from(g, (entry, l) => entry * h[l]);
    if (moment === "none") return [];
    return moment === "each" || moment === "sum" ? products : [products.reduce((a, b) => a + b, 0)];
  };
  const isSum = moment === "sum";
  const corrects = biasCorrection && moment !== "none";
  /** What every entry of the state after t moves towards, with which memory. */
  const targets = (g: Float64Array): [number, number][] => [
    ...squared(g, g).map((entry): [number, number] => [entry, beta2]),
    ...(averages === "none" ? [] : Array.from(g, (entry): [number, number] => [entry, beta1])),
    ...(averages !== "none" && corrects ? [[1, beta1] as [number, number]] : []),
  ];
  const update = (state: Float64Array, gradient: Float64Array): Float64Array => {
    const aims = targets(gradient);
    return state.map((entry, at) => {
      if (at === 0) return entry + 1;
      const [target, beta] = aims[at - 1];
      if (isSum) return entry + target;
      return beta * entry + (1 - beta) * target;
    });
  };
  const moments = (p: number): number => (moment === "none" ? 0 : moment === "scalar" ? 1 : p);
  const scales = (p: number): number[] => [
    // t keeps to the steps where η follows them.
    moment === "none" || isSum || schedule !== "constant" ? 1 : 1 / beta2,
    ...new Array<number>(moments(p)).fill(isSum ? 1 : 1 / beta2),
    ...new Array<number>(averages === "none" ? 0 : p + (corrects ? 1 : 0)).fill(1 / beta1),
  ];
  return {
    learningRate,
    decay: (t) => learningRate(t) * weightDecay,
    update,
    preconditioner(state, p) {
      const eta = learningRate(state[0]);
      return Float64Array.from({ length: p }, (_, l) => {
        if (moment === "none")
          return averages !== "none" && momentumForm === "polyak" ? (1 - beta1) / eta : 1 / eta;
        if (isSum) return Math.sqrt(eps + state[1 + l]) / eta;
        const nu = state[moment === "each" ? 1 + l : 1] / (biasCorrection ? 1 - beta2 ** state[0] : 1);
        return (Math.sqrt(nu) + eps) / eta;
      });
    },
    direction(state, gradient) {
      const p = gradient.length;
      const at = 1 + moments(p);
      const mass = corrects ? state[at + p] : 1;
      return gradient.map((g, l) => {
        if (averages === "none") return g;
        const m = state[at + l];
        if (averages === "average") return m / mass;
        return (beta1 * m) / (corrects ? beta1 * mass + (1 - beta1) : 1) + ((1 - beta1) * g) / mass;
      });
    },
    rate(state, gradient) {
      const scale = scales(gradient.length);
      return update(state, gradient).map((entry, l) => (entry - state[l]) * scale[l]);
    },
    rateCurvature(state, h1, h2) {
      // f is (1 − β2)(g⊙g − ν)/β2, so ½∂²f/∂g²[h1, h2] = (1 − β2) h1⊙h2/β2; AdaGrad's is g⊙g; t and m do not feel it.
      const products = squared(h1, h2);
      return state.map((_, l) =>
        l === 0 || l > products.length
          ? 0
          : isSum
            ? products[l - 1]
            : ((1 - beta2) * products[l - 1]) / beta2,
      );
    },
  };
}

export const arbitraryRule: fc.Arbitrary<RuleCase> = fc.record({
  name: fc.constantFrom(...RULE_NAMES),
  schedule: fc.constantFrom("constant", "warmup", "step", "cosine"),
  lr: fc.double({ min: 1e-3, max: 1, noNaN: true }),
  beta1: fc.double({ min: 0.3, max: 0.99, noNaN: true }),
  beta2: fc.double({ min: 0.5, max: 0.999, noNaN: true }),
  eps: fc.constantFrom(0, 1e-7, 1e-2),
  biasCorrection: fc.boolean(),
  momentumForm: fc.constantFrom("polyak", "average"),
  weightDecay: fc.constantFrom(0, 0.1, 0.8),
});
