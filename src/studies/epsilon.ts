import {
  type AdaptivityAt,
  adaptivity,
  adaptivityAt,
  adaptivityInterval,
  secondMomentOf,
} from "../analysis/index.ts";
import { Random, valueError } from "../base/index.ts";
import { rightsOf } from "../custom/index.ts";
import { adam, compileRule, heavyBall } from "../flows/index.ts";
import { lanczos } from "../linalg/index.ts";
import type { StudyFigure } from "../report/index.ts";
import { checkpointsOf, configAtCheckpoints, nodeHost, processIn } from "../run/index.ts";
import { type BuiltRun, buildRun } from "../simulation/index.ts";
import { builtOf, train } from "./problems/trained.ts";
import { type Findings, type StudyTask, stopIfAsked, study } from "./study.ts";

/** The spread of log s in the synthetic distributions: from weights that are alike to six orders of magnitude. */
const SPREADS = [0.25, 1, 2, 4] as const;
/** ε over the median of s, as log10. */
const PLACES = Array.from({ length: 49 }, (_, i) => -6 + i / 4);

/**
 * A(ε) for log s ~ N(0, spread²) by the trapezoidal rule, exponentially exact for an analytic integrand that decays: with
 * steps of 1/64 of a standard deviation within ±9 of them the error is below 1e-13 at all the spreads used here.
 */
export function logNormalAdaptivity(epsilon: number, spread: number): number {
  let total = 0;
  for (let i = -576; i <= 576; i++) {
    const z = i / 64;
    total += Math.exp((-z * z) / 2) / (1 + epsilon * Math.exp(-spread * z));
  }
  return total / (64 * Math.sqrt(2 * Math.PI));
}

/** A step's weights before P divides: what the two limits are held against. */
const LIMIT_STEPS = 40;
const LIMIT_WEIGHTS = 200;

/** How far Adam's steps are from those of its limits, each relative to what the limit promises: below 1 where it holds. */
export interface Limits {
  /** ε ≫ max s: relative difference from heavy ball's step with the rate η/ε, over max s/ε. */
  readonly momentum: number;
  /** ε ≪ min s: relative difference from the step with ε = 0, over ε/min s. */
  readonly adaptive: number;
}

/**
 * Adam without bias correction on random gradients of many magnitudes, with an ε a thousand times its largest s and one a
 * thousandth of its least, step by step: s/(s + ε) < s/ε and ε/(s + ε) < ε/s, weight by weight.
 */
export function limitsOfAdam(seed: number): Limits {
  const p = LIMIT_WEIGHTS;
  const random = new Random(seed, "limits of Adam");
  const scales = Float64Array.from({ length: p }, () => Math.exp(3 * random.normal()));
  const gradients = Array.from({ length: LIMIT_STEPS }, () => scales.map((scale) => scale * random.normal()));
  const [lr, beta1] = [0.1, 0.9];
  const options = { lr, beta1, beta2: 0.99, biasCorrection: false };
  const plain = compileRule(adam({ ...options, eps: 0 }), p);
  const states = (at: ReturnType<typeof compileRule>): Float64Array[] => {
    let state: Float64Array = at.rule.initialState(p);
    return gradients.map((gradient) => {
      const next = new Float64Array(state.length);
      at.update(state, gradient, next);
      state = next;
      return state;
    });
  };
  const roots = states(plain).map((state) => secondMomentOf(plain, state)?.roots ?? new Float64Array(p));
  const [least, most] = [
    Math.min(...roots.flatMap((s) => [...s])),
    Math.max(...roots.flatMap((s) => [...s])),
  ];
  /** Steps −P⁻¹q of a rule. */
  const steps = (rule: ReturnType<typeof compileRule>): Float64Array[] =>
    states(rule).map((state, i) => {
      const [P, q] = [new Float64Array(p), new Float64Array(p)];
      rule.preconditioner(state, P);
      rule.direction(state, gradients[i], q);
      return q.map((entry, l) => entry / P[l]);
    });
  const apart = (a: readonly Float64Array[], b: readonly Float64Array[]): number =>
    Math.max(...a.flatMap((step, t) => [...step].map((entry, l) => Math.abs(entry / b[t][l] - 1))));
  const [high, low] = [1000 * most, least / 1000];
  const ball = compileRule(heavyBall({ lr: lr / high, beta1, momentumForm: "average" }), p);
  return {
    momentum: apart(steps(compileRule(adam({ ...options, eps: high }), p)), steps(ball)) / (most / high),
    adaptive: apart(steps(compileRule(adam({ ...options, eps: low }), p)), steps(plain)) / (low / least),
  };
}

/** The network of the experiment: small, so that many runs of it take seconds. */
const NETWORK = "opt:adam --opt.lr 0.01 data:digits --data.n 120 arch:mlp --arch.width 16 --threads 1";
const RATE = 0.01;
const BETAS = { beta1: 0.9, beta2: 0.999 };

/** Losses of Adam after some steps by ε, and the interval that its first steps show. */
interface Sweep {
  readonly places: readonly number[];
  readonly losses: readonly number[];
  /** A(ε) by the s of the run with ε = 0. */
  readonly adaptivities: readonly number[];
  readonly at: AdaptivityAt;
  /** Relative difference of the losses with ε a hundredth and a millionth of the interval's lower end. */
  readonly below: number;
  /** Relative distance of the weights from heavy ball's with the rate η/ε, over the distance moved, ε a hundred times the upper end. */
  readonly above: number;
  /** Preconditioned sharpness over ηλ_max/ε there. */
  readonly sharpness: number;
}

function sweepOf(task: StudyTask): Sweep {
  const { shouldStop } = task;
  const steps = task.size === "full" ? 300 : 20;
  const built = builtOf(NETWORK, shouldStop);
  try {
    const { objective, start } = built;
    const run = (eps: number, lr = RATE) =>
      train(objective, adam({ lr, ...BETAS, eps }), start, steps, shouldStop);
    const first = run(0);
    const rule = compileRule(adam({ lr: RATE, ...BETAS, eps: 0 }), start.length);
    const at = adaptivityAt(rule, first.state, first.gradient);
    if (!at) throw new Error("study epsilon: Adam has a second moment");
    const roots = secondMomentOf(rule, first.state)?.roots ?? [];
    const [low, high] = at.interval;
    const [from, to] = [Math.floor(Math.log10(low)) - 3, Math.ceil(Math.log10(high)) + 2];
    const stride = task.size === "full" ? 0.5 : 2;
    const places = Array.from({ length: Math.floor((to - from) / stride) + 1 }, (_, i) => from + stride * i);
    const losses = places.map((place, i) => {
      task.progress(0.2 + (0.6 * i) / places.length, `Adam with ε = 1e${place}`);
      return run(10 ** place).losses.at(-1) ?? Number.NaN;
    });
    const [near, far] = [run(low / 100), run(low / 1e6)].map(({ losses }) => losses.at(-1) ?? Number.NaN);
    // So large an ε that A is about 0, with η as large again: Adam is then heavy ball with bias correction.
    const epsilon = 100 * high;
    const large = { lr: RATE * epsilon, ...BETAS, eps: epsilon, biasCorrection: false };
    const held = train(objective, adam(large), start, steps, shouldStop);
    const ball = train(
      objective,
      heavyBall({ lr: RATE, beta1: BETAS.beta1, momentumForm: "average" }),
      start,
      steps,
      shouldStop,
    );
    const distance = (a: Float64Array, b: Float64Array): number =>
      Math.sqrt(a.reduce((sum, entry, l) => sum + (entry - b[l]) ** 2, 0));
    return {
      places,
      losses,
      adaptivities: places.map((place) => adaptivity(roots, 10 ** place)),
      at,
      below: Math.abs(near / far - 1),
      above: distance(held.weights, ball.weights) / distance(ball.weights, start),
      sharpness: sharpnessRatio(built, held.weights, held.state, large),
    };
  } finally {
    built.dispose();
  }
}

/** λ_max(P⁻¹H) over ηλ_max(H)/ε. */
function sharpnessRatio(
  { objective }: BuiltRun,
  weights: Float64Array,
  state: Float64Array,
  options: { readonly lr: number; readonly eps: number; readonly beta2: number },
): number {
  const p = weights.length;
  const rule = compileRule(adam(options), p);
  const P = new Float64Array(p);
  rule.preconditioner(state, P);
  objective.setWeights(weights);
  const scaled = new Float64Array(p);
  const largest = (root: (l: number) => number): number =>
    lanczos(
      p,
      (vectors, products, count) => {
        for (let v = 0; v < count; v++) {
          for (let l = 0; l < p; l++) scaled[l] = vectors[v * p + l] * root(l);
          objective.hvp(scaled, products.subarray(v * p, (v + 1) * p), 1);
          for (let l = 0; l < p; l++) products[v * p + l] *= root(l);
        }
      },
      { largest: 1, smallest: 0, tolerance: 1e-9, random: new Random(0, "study epsilon") },
    ).value.values[0];
  return largest((l) => 1 / Math.sqrt(P[l])) / ((options.lr / options.eps) * largest(() => 1));
}

/** Curves of two histograms. */
const histogramFigure = (id: string, { gradients, roots }: AdaptivityAt, when: string): StudyFigure => ({
  id,
  title: `Gradients and what they are divided by, ${when}`,
  caption: "The share of the weights in each fifth of a factor of ten.",
  along: "log10 of the magnitude",
  axis: "share of the weights",
  curves: [
    { label: "√ν̂", x: roots.places, y: roots.shares },
    { label: "|g|", x: gradients.places, y: gradients.shares },
  ].filter(({ x }) => x.length > 0),
});

/** Study `epsilon`: which values of ε are worth trying, read off the distribution of √ν̂. */
export const epsilon = study({
  name: "epsilon",
  title: "ε by the histogram of gradient magnitudes",
  papers: [
    {
      title: "Optimal Hyperparameter ε for Adaptive Stochastic Optimizers through Gradient Histograms",
      arxiv: "2311.11532",
      standing: ["abstract", "derived"],
    },
  ],
  question:
    "Which values of ε are worth trying for a rule that divides by √ν̂ + ε? The distribution of s = √ν̂ says it: far below it ε does nothing, far above it the rule is a momentum method with the learning rate η/ε.",
  method:
    "A(ε) is the mean of s/(s + ε) over the weights, and the interval that from A = 0.99 to A = 0.01 (both ours). For log-normal s samples are held against quadrature; Adam’s steps against those of its two limits, on random gradients of many magnitudes; and Adam is trained with many ε on a small network that reads digits.",
  criteria: {
    sampled: {
      sentence:
        "A(ε) of log-normal samples against quadrature: the largest difference in standard errors, over 49 values of ε and 4 spreads",
      bound: { below: 5 },
    },
    momentum: {
      sentence:
        "ε = 1000 max s: relative difference of Adam’s steps from heavy ball’s with the rate η/ε, over max s/ε",
      bound: { below: 1 },
    },
    adaptive: {
      sentence: "ε = min s/1000: relative difference of Adam’s steps from those with ε = 0, over ε/min s",
      bound: { below: 1 },
    },
    below: {
      sentence:
        "a network: relative difference of the losses with ε a hundredth and a millionth of the interval’s lower end",
      bound: { below: 0.05 },
    },
    above: {
      sentence:
        "a network, ε a hundred times the interval’s upper end: distance of Adam’s weights from heavy ball’s with the rate η/ε, over the distance moved",
      bound: { below: 0.01 },
    },
    sharpness: {
      sentence: "there, at A about 0: preconditioned sharpness over ηλ_max/ε",
      bound: { between: [0.99, 1] },
    },
  },
  unavailable:
    "the body of the paper. What is measured here follows from what ε does in the update; the paper’s own rule for the interval and its experiments are not reproduced.",
  run(task) {
    const count = task.size === "full" ? 100_000 : 10_000;
    let worst = 0;
    const samples = SPREADS.map((spread, i) => {
      stopIfAsked(task);
      task.progress((0.2 * i) / SPREADS.length, `log-normal samples, spread ${spread}`);
      const random = new Random(1, `epsilon ${spread}`);
      const s = Float64Array.from({ length: count }, () => Math.exp(spread * random.normal()));
      for (const place of PLACES) {
        const epsilon = 10 ** place;
        const exact = logNormalAdaptivity(epsilon, spread);
        // The variance of one summand: E of its square by the same samples.
        let squares = 0;
        for (const each of s) squares += (each / (each + epsilon) - exact) ** 2;
        const error = Math.sqrt(squares) / count;
        worst = Math.max(worst, Math.abs(adaptivity(s, epsilon) - exact) / error);
      }
      return { spread, s };
    });
    const limits = limitsOfAdam(1);
    stopIfAsked(task);
    const sweep = sweepOf(task);
    const [low, high] = sweep.at.interval;
    const best = sweep.losses.indexOf(Math.min(...sweep.losses));
    return {
      measured: {
        sampled: worst,
        ...limits,
        below: sweep.below,
        above: sweep.above,
        sharpness: sweep.sharpness,
      },
      told: [
        { label: "a network: the interval’s lower end, A = 0.99", value: low },
        { label: "a network: the interval’s upper end, A = 0.01", value: high },
        { label: "a network: the ε with the lowest loss of those tried", value: 10 ** sweep.places[best] },
        { label: "a network: A of it", value: sweep.adaptivities[best] },
        ...samples.flatMap(({ spread, s }) => {
          const [from, to] = adaptivityInterval(s);
          return [
            {
              label: `log-normal, spread ${spread}: the interval’s lower end over the median of s`,
              value: from,
            },
            { label: `log-normal, spread ${spread}: its upper end over the median of s`, value: to },
          ];
        }),
      ],
      figures: [
        {
          id: "sweep",
          title: "Adam’s loss by ε, with η as it is",
          caption: `Left of the interval, ${low.toExponential(1)} to ${high.toExponential(1)}, ε changes nothing; within it the steps shrink weight by weight; right of it they shrink as η/ε.`,
          along: "log10 of ε",
          axis: "loss at the end, and A(ε)",
          curves: [
            { label: "loss", x: sweep.places, y: sweep.losses },
            { label: "A(ε)", x: sweep.places, y: sweep.adaptivities },
          ],
        },
        histogramFigure("network", sweep.at, "at the end of training with ε = 0"),
        {
          id: "adaptivity",
          title: "How adaptive a rule is, by ε, for log-normal s",
          caption: "The wider the distribution, the longer the interval of ε that matters.",
          along: "log10 of ε over the median of s",
          axis: "A(ε)",
          curves: SPREADS.map((spread) => ({
            label: `spread of log s ${spread}`,
            x: PLACES,
            y: PLACES.map((place) => logNormalAdaptivity(10 ** place, spread)),
          })),
        },
      ],
    };
  },
  ofRun: (directory, task) => ofRun(directory, task),
});

/** A(ε) and the interval at every checkpoint of a run. */
function ofRun(directory: string, task: StudyTask): Findings<never> {
  const config = configAtCheckpoints(directory, "study epsilon");
  const rights = rightsOf(config);
  task.progress(0, "building the run");
  const built = buildRun(config, nodeHost({ copies: directory, shouldStop: task.shouldStop }));
  try {
    const { objective, rule } = built;
    const checkpoints = checkpointsOf(directory, "study epsilon");
    const seen = checkpoints.flatMap((checkpoint, i) => {
      stopIfAsked(task);
      task.progress(i / checkpoints.length, `checkpoint ${checkpoint.index}`);
      const { weights, state } = processIn(checkpoint, "discrete", objective.dimension, "study epsilon");
      objective.setWeights(weights);
      const at = adaptivityAt(rule, state, objective.gradient());
      const moment = secondMomentOf(rule, state);
      return at && moment ? [{ step: checkpoint.index, at, roots: moment.roots }] : [];
    });
    const last = seen.at(-1);
    if (last === undefined)
      throw valueError(
        "study epsilon",
        "a run whose rule divides by √ν̂ + ε, such as opt:adam, after its first step",
        `${directory} with opt:${config.opt.name}`,
      );
    const { epsilon, interval } = last.at;
    const [low, high] = interval;
    const places = Array.from(
      { length: 61 },
      (_, i) => Math.log10(low) - 2 + (i * (Math.log10(high / low) + 4)) / 60,
    );
    return {
      measured: {},
      told: [
        { label: "ε of the run", value: epsilon },
        { label: `A(ε) after ${last.step} steps`, value: last.at.adaptivity },
        { label: "the interval’s lower end, A = 0.99", value: low },
        { label: "its upper end, A = 0.01", value: high },
        { label: "share of weights whose second moment is 0", value: last.at.roots.zeros },
      ],
      figures: [
        histogramFigure("histogram", last.at, `after ${last.step} steps`),
        {
          id: "adaptivity",
          title: "How adaptive the rule is, by ε",
          caption: "A(ε) by the second moments at the first and at the last checkpoint.",
          along: "log10 of ε",
          axis: "A(ε)",
          curves: [...new Set([seen[0], last])].map(({ step, roots }) => ({
            label: `after ${step} steps`,
            x: places,
            y: places.map((place) => adaptivity(roots, 10 ** place)),
          })),
        },
        ...(seen.length < 2
          ? []
          : [
              {
                id: "interval",
                title: "The interval of ε along the run",
                caption: "Between the two curves lies the ε that matters.",
                along: "steps",
                axis: "ε",
                log: true,
                ...(epsilon > 0 && { level: { value: epsilon, label: "ε of the run" } }),
                curves: [
                  {
                    label: "A = 0.99",
                    x: seen.map(({ step }) => step),
                    y: seen.map(({ at }) => at.interval[0]),
                  },
                  {
                    label: "A = 0.01",
                    x: seen.map(({ step }) => step),
                    y: seen.map(({ at }) => at.interval[1]),
                  },
                ],
              },
            ]),
      ],
      ...(rights !== undefined && { remarks: [rights] }),
    };
  } finally {
    built.dispose();
  }
}
