import {
  type CompiledRule,
  DiscreteProcess,
  EigenTracker,
  inverseRootOf,
  MidpointProcess,
  type Observation,
  PROCESS_DEFAULTS,
  type Process,
  type ProcessEntry,
  type ProcessSetup,
  predict,
} from "../flows/index.ts";

/** What the optimizer did: what models are judged by. */
export interface Reference {
  /** The midpoints w*, one for each step. */
  readonly midpoints: readonly Float64Array[];
  /** ‖w* − w*₀‖ at the end. */
  readonly moved: number;
  /** c of the rule, without decay. */
  readonly edge: number;
  /** Of each step: the optimizer's loss, S_eff/c at w*, and (w − w*)ᵀP(w − w*). */
  readonly loss: Float64Array;
  readonly sharpness: Float64Array;
  readonly variance: Float64Array;
}

/** What a model says of each step, and what that took. */
export interface Played {
  /** ‖w − w*‖, predicted mean loss, S_eff/c, and the trace of the P-normalised Σ; NaN after it has ended. */
  readonly distance: Float64Array;
  readonly loss: Float64Array;
  readonly sharpness: Float64Array;
  readonly variance: Float64Array;
  /** The steps that it took: fewer where it stopped or failed. */
  readonly steps: number;
  /** Per step: points where a gradient was taken, Hessian-vector products, third derivatives. */
  readonly cost: { readonly gradients: number; readonly products: number; readonly thirds: number };
}

/** The optimizer beside its midpoints. Undefined where it was stopped. */
export function playOptimizer(
  setup: ProcessSetup,
  steps: number,
  shouldStop: () => boolean,
): Reference | undefined {
  const unwatched = { ...setup, eigen: { ...setup.eigen, frequency: -1 } };
  const midpoint = new MidpointProcess(unwatched);
  const discrete = new DiscreteProcess(unwatched);
  const judge = sharpnessJudge(setup);
  const midpoints: Float64Array[] = [];
  const [loss, sharpness, variance] = [0, 0, 0].map(() => new Float64Array(steps).fill(Number.NaN));
  for (let t = 0; t < steps; t++) {
    if (shouldStop()) return undefined;
    for (const process of [midpoint, discrete]) process.prepare();
    const { observation: seen } = midpoint;
    if (!seen || !discrete.observation || midpoint.status.kind !== "running") break;
    midpoints.push(seen.weights);
    loss[t] = discrete.observation.loss;
    sharpness[t] = judge(seen);
    seen.displacement?.forEach((entry, l) => {
      variance[t] = (Number.isNaN(variance[t]) ? 0 : variance[t]) + entry * seen.preconditioner[l] * entry;
    });
    for (const process of [midpoint, discrete]) process.advance();
  }
  return {
    midpoints,
    moved: distance(midpoints[midpoints.length - 1], midpoints[0]),
    edge: setup.rule.rule.criticalValue,
    loss,
    sharpness,
    variance,
  };
}

/** A model beside the optimizer. Undefined where it was stopped. */
export function playModel(
  entry: ProcessEntry,
  setup: ProcessSetup,
  { midpoints }: Reference,
  shouldStop: () => boolean,
): Played | undefined {
  const counter = counted(setup);
  const watched = entry.needsEigenvalues === "never" ? { ...setup.eigen, frequency: -1 } : setup.eigen;
  const judge = sharpnessJudge(setup);
  const steps = midpoints.length;
  const series = () => new Float64Array(steps).fill(Number.NaN);
  const found = { distance: series(), loss: series(), sharpness: series(), variance: series() };
  let t = 0;
  try {
    const process: Process = entry.create({ ...setup, eigen: watched }, PROCESS_DEFAULTS);
    for (; t < steps; t++) {
      if (shouldStop()) return undefined;
      process.prepare();
      const { observation: seen } = process;
      if (!seen || process.status.kind !== "running") break;
      const c = setup.rule.criticalValue(seen.state);
      found.distance[t] = distance(seen.weights, midpoints[t]);
      found.loss[t] = predictedLoss(entry, seen, setup.rule);
      found.variance[t] = seen.oscillation?.variances.reduce((total, value) => total + value, 0) ?? 0;
      found.sharpness[t] = seen.pairs ? seen.pairs.values[0] / c : counter.paused(() => judge(seen));
      process.advance();
    }
  } finally {
    counter.restore();
  }
  const { gradients, products, thirds } = counter.total;
  const per = Math.max(1, t);
  return {
    ...found,
    steps: t,
    cost: { gradients: gradients / per, products: products / per, thirds: thirds / per },
  };
}

/** The mean loss that a model predicts: its own word for it, or L + (c/2)·tr X, or L where it has no oscillation. */
function predictedLoss(entry: ProcessEntry, seen: Observation, rule: CompiledRule): number {
  const own = entry.quantities(seen).predicted_loss;
  if (typeof own === "number") return own;
  if (!seen.oscillation) return seen.loss;
  return predict(seen, seen.oscillation, rule.criticalValue(seen.state)).loss;
}

/** S_eff/c wherever something is observed, by an eigensolver that no model has a part in. */
function sharpnessJudge({ objective, rule, eigen, seed }: ProcessSetup): (seen: Observation) => number {
  const tracker = new EigenTracker(
    objective,
    { ...eigen, frequency: 1, trackThreshold: null, initialCount: 1 },
    seed,
    "judge",
  );
  const root = new Float64Array(objective.dimension);
  return ({ weights, state, preconditioner }) => {
    objective.setWeights(weights);
    return tracker.solve(inverseRootOf(preconditioner, root)).values[0] / rule.criticalValue(state);
  };
}

interface Counter {
  readonly total: { gradients: number; products: number; thirds: number };
  paused<T>(work: () => T): T;
  restore(): void;
}

/** Counts what is asked of an objective, until it is restored. */
function counted({ objective }: ProcessSetup): Counter {
  const total = { gradients: 0, products: 0, thirds: 0 };
  const own = {
    setWeights: objective.setWeights,
    hvp: objective.hvp,
    thirdDerivatives: objective.thirdDerivatives,
    joint: objective.joint,
  };
  let counting = true;
  const add = (what: keyof typeof total, count: number): void => {
    if (counting) total[what] += count;
  };
  objective.setWeights = (weights) => {
    add("gradients", 1);
    own.setWeights.call(objective, weights);
  };
  objective.hvp = (vectors, products, count) => {
    add("products", count);
    own.hvp.call(objective, vectors, products, count);
  };
  objective.thirdDerivatives = (vectors, count, rows) => {
    add("thirds", (count * (count + 1)) / 2);
    own.thirdDerivatives.call(objective, vectors, count, rows);
  };
  objective.joint = (vectors, count, products, rows) => {
    add("thirds", (count * (count + 1)) / 2);
    own.joint.call(objective, vectors, count, products, rows);
  };
  return {
    total,
    paused(work) {
      counting = false;
      try {
        return work();
      } finally {
        counting = true;
      }
    },
    restore: () => void Object.assign(objective, own),
  };
}

function distance(x: Float64Array, y: Float64Array): number {
  let total = 0;
  for (let l = 0; l < x.length; l++) total += (x[l] - y[l]) ** 2;
  return Math.sqrt(total);
}
