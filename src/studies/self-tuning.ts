import { Random } from "../base/index.ts";
import { improvingStep, type Outlook, standardised } from "./self-tuning/filter.ts";
import { type NetworkRun, trainNetwork } from "./self-tuning/network.ts";
import { limitingExcess, type NoisyParabola, runParabola } from "./self-tuning/parabola.ts";
import { type Estimate, estimate, inErrors } from "./statistics/estimate.ts";
import { type StudyTask, stopIfAsked, study } from "./study.ts";

const SIZES = {
  full: { outlooks: 300, horizons: [25, 100], runs: 3000, seeds: 3, steps: 1000, every: 20 },
  small: { outlooks: 20, horizons: [30, 60], runs: 40, seeds: 2, steps: 20, every: 2 },
} as const;

const PARABOLA: NoisyParabola = {
  hessian: Float64Array.of(3, 0.5, 0.2, 0.5, 1.5, -0.3, 0.2, -0.3, 0.6),
  variances: Float64Array.of(1, 0.5, 2),
  batch: 4,
};
/** The constant rates of gradient descent on the same batches. */
const RATES = [0.05, 0.1, 0.2] as const;
/** The longest step that the search for the most probable improvement may take. */
const FAR = 1e6;

/** The runs of one seed: the filter, and gradient descent at each rate. */
interface Trained {
  readonly filter: NetworkRun;
  readonly descents: readonly NetworkRun[];
  /** that of the descents which ends lowest */
  readonly best: NetworkRun;
}

/** Study `self-tuning`: steps that tune themselves by a filter on gradient and curvature. */
export const selfTuning = study({
  name: "self-tuning",
  title: "Self-tuning by curvature-aware gradient filtering",
  papers: [
    {
      title: "Self-Tuning Stochastic Optimization with Curvature-Aware Gradient Filtering",
      arxiv: "2011.04803",
      standing: ["read in full", "derived"],
    },
  ],
  question:
    "A Kalman filter carries the gradient’s mean from step to step with Hessian-vector products; the step is the one that makes an improvement most probable. Is the filter right where it can be checked, and where do its steps lead a network? The paper reports a negative result: adaptive steps drift to high curvature.",
  method:
    "On a noisy parabola, where the filter’s mean and covariance have closed forms. On a network of 97 weights with full matrices, Σ and Q from the gradients and Hessian products of single examples, beside gradient descent with constant rates on the same batches, with the sharpness of the whole loss along the way.",
  criteria: {
    mean: {
      sentence: "parabola: m_t against H(θ_t − mean of ξ so far), the largest relative difference",
      bound: { below: 1e-10 },
    },
    covariance: {
      sentence: "parabola: P_t against Σ/(t + 1), the largest relative difference",
      bound: { below: 1e-10 },
    },
    excess: {
      sentence:
        "parabola: T·E[f − f*] against ½tr(H Cov ξ)/batch at the longest horizon, the difference in standard errors",
      bound: { below: 3 },
    },
    step: {
      sentence:
        "step by the positive root of the quartic against a search for the most probable improvement: by how much at most the search finds a better one, relative",
      bound: { below: 1e-12 },
    },
    drift: {
      sentence:
        "network: sharpness in the second half over that of gradient descent, at the best constant rate, where it had the same loss: the mean over the seeds",
      bound: { above: 1 },
    },
    loss: {
      sentence:
        "network: loss at the end over that of gradient descent at the best constant rate: the least over the seeds",
      bound: { above: 1 },
    },
  },
  unavailable:
    "the paper’s appendices, and its networks: its negative result is asked of one small regression. There, the matrices are full, a batch serves for gradient, curvature and their covariances alike, and Σ has a floor of 1e-3 of its mean diagonal entry since a batch has fewer examples than there are weights.",
  run(task) {
    const size = SIZES[task.size];
    const parabola = size.horizons.map((steps, i) => {
      const runs = Array.from({ length: size.runs }, (_, run) => {
        task.progress(0.1 * (i + run / size.runs), `parabola, ${steps} steps`);
        stopIfAsked(task);
        return runParabola(PARABOLA, steps, new Random(run, `self-tuning ${steps}`));
      });
      return { steps, runs, excess: estimate(runs.map(({ excess }) => steps * excess)) };
    });
    const trained = Array.from({ length: size.seeds }, (_, seed) => trainedBy(task, seed, size));
    const [first] = trained;
    const limit = limitingExcess(PARABOLA);
    const drift = estimate(trained.map(({ filter, best }) => sharpnessRatio(filter, best)));
    const ends = (run: NetworkRun): number => last(run.loss);
    return {
      measured: {
        mean: Math.max(...parabola.flatMap(({ runs }) => runs.map(({ meanDifference }) => meanDifference))),
        covariance: Math.max(
          ...parabola.flatMap(({ runs }) => runs.map(({ covarianceDifference }) => covarianceDifference)),
        ),
        excess: inErrors((parabola.at(-1) as { readonly excess: Estimate }).excess, limit),
        step: stepDifference(size.outlooks),
        drift: drift.mean,
        loss: Math.min(...trained.map(({ filter, best }) => ends(filter) / ends(best))),
      },
      told: [
        { label: "½tr(H Cov ξ)/batch of the parabola", value: limit },
        ...parabola.map(({ steps, excess }) => ({
          label: `T·E[f − f*] at T = ${steps}`,
          value: excess.mean,
        })),
        { label: "standard error of the ratio of sharpness over the seeds", value: drift.error },
        ...RATES.map((rate, i) => ({
          label: `the same ratio against the constant rate ${rate}`,
          value: estimate(trained.map(({ filter, descents }) => sharpnessRatio(filter, descents[i]))).mean,
        })),
        ...RATES.map((rate, i) => ({
          label: `sharpness at the end over that of the constant rate ${rate}, which has the lower loss`,
          value: estimate(
            trained.map(({ filter, descents }) => last(filter.sharpness) / last(descents[i].sharpness)),
          ).mean,
        })),
        ...trained.flatMap(({ filter, best }, seed) => [
          { label: `seed ${seed}: sharpness at the start`, value: filter.sharpness[0] },
          {
            label: `seed ${seed}: sharpness in the second half, filter`,
            value: late(filter, filter.sharpness),
          },
          {
            label: `seed ${seed}: rate times sharpness in the second half, filter`,
            value: late(
              filter,
              filter.rate.map((rate, i) => rate * filter.sharpness[i]),
            ),
          },
          { label: `seed ${seed}: loss at the end, filter`, value: ends(filter) },
          { label: `seed ${seed}: loss at the end, best constant rate`, value: ends(best) },
          { label: `seed ${seed}: steps of the filter that were cut to the longest`, value: filter.cut },
          { label: `seed ${seed}: those of them with negative curvature`, value: filter.negative },
        ]),
      ],
      remarks: [
        "Along a direction of negative curvature the improvement may become the more probable the longer the step; such steps are cut to a length of 0.3 in all weights together, and counted.",
        "The drift is one at the same loss. Smaller constant rates go on to sharper places than the filter ever reaches, since they go on to learn: what holds the filter back here is less where it stands than that its steps stay near the edge, rate times sharpness about 2 to 4.",
      ],
      figures: [
        {
          id: "sharpness",
          title: "Where the steps lead",
          caption:
            "Sharpness of the whole loss along the runs of the first seed: the filter with its own steps, and gradient descent with constant rates on the same batches.",
          along: "steps",
          axis: "largest eigenvalue of the Hessian",
          curves: curvesOf(first, ({ sharpness }) => sharpness),
        },
        {
          id: "loss",
          title: "What they reach",
          caption: "The loss of all examples along the same runs.",
          along: "steps",
          axis: "loss",
          log: true,
          curves: curvesOf(first, ({ loss }) => loss),
        },
        {
          id: "rate",
          title: "The filter’s own learning rate",
          caption: "The step over the length of the direction, beside 2 over the sharpness.",
          along: "steps",
          axis: "rate",
          log: true,
          curves: [
            { label: "rate", x: first.filter.steps, y: first.filter.rate },
            {
              label: "2/sharpness",
              x: first.filter.steps,
              y: first.filter.sharpness.map((value) => 2 / value),
            },
          ],
        },
      ],
    };
  },
});

function trainedBy(
  task: StudyTask,
  seed: number,
  { seeds, steps, every }: { readonly seeds: number; readonly steps: number; readonly every: number },
): Trained {
  const asked = (): boolean => {
    task.progress(0.2 + (0.8 * seed) / seeds, `network, seed ${seed}`);
    return task.shouldStop();
  };
  const filter = trainNetwork(seed, undefined, steps, every, asked);
  const descents = RATES.map((rate) => trainNetwork(seed, rate, steps, every, asked));
  const best = descents.reduce((low, run) => ((run.loss.at(-1) ?? 0) < (low.loss.at(-1) ?? 0) ? run : low));
  return { filter, descents, best };
}

const last = (values: readonly number[]): number => values[values.length - 1];

/** The mean over the second half of what was told. */
function late({ steps }: NetworkRun, values: readonly number[]): number {
  const half = values.slice(Math.floor(steps.length / 2));
  return half.reduce((sum, each) => sum + each / half.length, 0);
}

/** The filter's sharpness in the second half over that of a descent where its loss first is as low. */
function sharpnessRatio(filter: NetworkRun, descent: NetworkRun): number {
  const reached = descent.loss.findIndex((loss) => loss <= late(filter, filter.loss));
  return reached < 0 ? Number.NaN : late(filter, filter.sharpness) / descent.sharpness[reached];
}

function curvesOf({ filter, descents }: Trained, values: (run: NetworkRun) => readonly number[]) {
  return [
    { label: "filter, its own steps", x: filter.steps, y: values(filter) },
    ...descents.map((run, i) => ({
      label: `gradient descent, rate ${RATES[i]}`,
      x: run.steps,
      y: values(run),
    })),
  ];
}

/** By how much, relative, a search by bracketing and trisection finds a more probable improvement than the quartic's root. */
function stepDifference(count: number): number {
  const random = new Random(1, "self-tuning outlooks");
  let worst = 0;
  for (let made = 0; made < count; made++) {
    const positive = (): number => 0.01 + Math.abs(random.normal());
    const outlook: Outlook = {
      a: positive(),
      b: positive(),
      c0: positive(),
      c1: made % 3 === 0 ? 0 : positive(),
      c2: made % 2 === 0 ? 0 : positive(),
    };
    const found = standardised(outlook, improvingStep(outlook, FAR));
    worst = Math.max(worst, (found - searched(outlook)) / Math.abs(found));
  }
  return worst;
}

/** The least value of `standardised`, which falls to one minimum where b ≥ 0. */
function searched(outlook: Outlook): number {
  let high = 1e-6;
  while (standardised(outlook, 2 * high) < standardised(outlook, high)) high *= 2;
  let [left, right] = [0, 2 * high];
  for (let cut = 0; cut < 200; cut++) {
    const [one, two] = [left + (right - left) / 3, right - (right - left) / 3];
    if (standardised(outlook, one) < standardised(outlook, two)) right = two;
    else left = one;
  }
  return standardised(outlook, (left + right) / 2);
}
