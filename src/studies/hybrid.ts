import { exp, log, Random } from "../base/index.ts";
import { bisectedRate, criticalRate, spread } from "./hybrid/edge.ts";
import { logarithmicGrowth, type Population, simulatedRate } from "./hybrid/growth.ts";
import { drawRegression, learn, type Team } from "./hybrid/learning.ts";
import {
  averagedDisagreement,
  disagreement,
  estimateSquare,
  simulatedSquare,
  smoothedExcess,
} from "./hybrid/lemmas.ts";
import { estimate, inErrors } from "./statistics/estimate.ts";
import { type StudyTask, stopIfAsked, study } from "./study.ts";

/** Repetitions of everything that is drawn. */
const SIZES = {
  full: { draws: 400_000, steps: 600_000, path: 100_000, tuning: 40, seeds: 400 },
  small: { draws: 20_000, steps: 20_000, path: 4000, tuning: 4, seeds: 10 },
} as const;

/** The eigenvalues of the quadratic loss, and the populations on it: κ = 1/n², and once more 1/4. */
const EIGENVALUES = [3, 1, 0.5, 0.2] as const;
const POPULATIONS: readonly Omit<Population, "eigenvalues">[] = [
  ...[1, 2, 3, 4, 6, 10, 40].map((agents) => ({ agents, blind: 1, directions: 1 })),
  { agents: 4, blind: 4, directions: 1 },
];

/** The learning populations: as many of one kind as of the other, many of the one against few of the other, and both. */
const TEAMS = {
  equalFirst: { label: "16 first order", team: { first: 16, zeroth: 0 } },
  equalZeroth: { label: "16 zeroth order", team: { first: 0, zeroth: 16 } },
  fewFirst: { label: "4 first order", team: { first: 4, zeroth: 0 } },
  manyZeroth: { label: "64 zeroth order", team: { first: 0, zeroth: 64 } },
  both: { label: "4 first and 64 zeroth order", team: { first: 4, zeroth: 64 } },
} as const satisfies Readonly<Record<string, { readonly label: string; readonly team: Team }>>;
type TeamName = keyof typeof TEAMS;
const TEAM_NAMES = Object.keys(TEAMS) as readonly TeamName[];

/** The learning rates each team chooses from. */
const RATES = [0.05, 0.07, 0.1, 0.14, 0.2, 0.28, 0.4, 0.56] as const;
const DIMENSION = 8;
const EXAMPLES = 512;
/** Steps of each agent; the loss is told at so many times, and judged by the mean of the last few. */
const ROUNDS = 100;
const REPORTS = 20;
const JUDGED = 5;

/** Study `hybrid`: populations in which some agents see gradients and others only values of the loss. */
export const hybrid = study({
  name: "hybrid",
  title: "Hybrid decentralized optimization, and its edge of stability",
  papers: [
    {
      title:
        "Hybrid Decentralized Optimization: Leveraging Both First- and Zeroth-Order Optimizers for Faster Convergence",
      arxiv: "2210.07703",
      standing: ["read in full", "code"],
    },
  ],
  question:
    "Agents that see only values of the loss estimate gradients along random directions. What do they add to agents that see gradients? And up to which learning rate is such a population stable, which the paper does not ask?",
  method:
    "The paper’s lemmas, by enumeration, quadrature and simulation. The edge: on a quadratic loss the second moment follows a linear map, whose critical rate in mean square is the smallest root of Σκηλ/(2 − ηλ(1 + κ)) = 1, κ = n₀/(n²r); held against the spectral radius of the full map and against simulation with Gaussian directions. The findings: a logistic regression, random pairs that step and then average, each population at its own best rate, chosen on other seeds.",
  criteria: {
    smoothing: {
      sentence:
        "smoothing raises a function of smoothness L by at most ν²Ld/2: the largest share of that bound",
      bound: { below: 1 },
    },
    square: {
      sentence:
        "mean square of the estimate on a quadratic against (d+2)‖g‖² + (ν²/4)(d+4)((tr A)² + 2 tr A²): the largest difference in standard errors",
      bound: { below: 3 },
    },
    averaging: {
      sentence:
        "disagreement after a random pair averages against (1 − 1/(n−1)) of it: the largest relative difference, over all pairs",
      bound: { below: 1e-12 },
    },
    bisection: {
      sentence:
        "critical rate by bisection of the full map against the formula: the largest relative difference",
      bound: { below: 1e-6 },
    },
    simulation: {
      sentence: "critical rate by simulation against the formula: the largest difference in standard errors",
      bound: { below: 3 },
    },
    equal: {
      sentence:
        "16 agents of first order against 16 of zeroth: by how much their loss is lower, in standard errors",
      bound: { above: 3 },
    },
    many: {
      sentence:
        "64 agents of zeroth order against 4 of first: by how much their loss is lower, in standard errors",
      bound: { above: 3 },
    },
    both: {
      sentence:
        "4 of first and 64 of zeroth order against the better of the two alone: by how much their loss is lower, in standard errors",
      bound: { above: 3 },
    },
  },
  unavailable:
    "nothing of the paper, but its experiments are not repeated: its findings are asked of one small regression. The edge of stability is ours. It is in mean square: almost every run stays bounded up to a higher rate. Directions on a sphere or of signs have another κ.",
  run(task) {
    const size = SIZES[task.size];
    task.progress(0, "the lemmas");
    const lemmas = checkedLemmas(task, size.draws);
    const edges = checkedEdges(task, size);
    const growth = [0.2, 0.25, 0.3, 0.35, 0.4].map((rate, i) => {
      task.progress(0.4 + i / 100, `one agent at rate ${rate}`);
      const one = { eigenvalues: EIGENVALUES, agents: 1, blind: 1, directions: 1 };
      const random = new Random(1, `hybrid almost surely ${rate}`);
      return { rate, ...logarithmicGrowth(one, rate, size.path, random, task.shouldStop) };
    });
    const learned = Object.fromEntries(
      TEAM_NAMES.map((name, i) => [name, learnedBy(task, name, size, 0.45 + (0.55 * i) / TEAM_NAMES.length)]),
    ) as Record<TeamName, Learned>;
    const lead = (better: TeamName, worse: TeamName): number => {
      const { mean, error } = estimate(
        learned[worse].excess.map((each, i) => each - learned[better].excess[i]),
      );
      return mean / error;
    };
    const kappas = Array.from({ length: 65 }, (_, i) => -4 + i / 16);
    const byKappa = edges.toSorted((a, b) => a.kappa - b.kappa);
    const tens = (value: number): number => log(value) / log(10);
    return {
      measured: {
        ...lemmas,
        bisection: Math.max(...edges.map(({ formula, bisected }) => Math.abs(bisected / formula - 1))),
        simulation: Math.max(...edges.map(({ formula, simulated }) => inErrors(simulated, formula))),
        equal: lead("equalFirst", "equalZeroth"),
        many: lead("manyZeroth", "fewFirst"),
        both: Math.min(lead("both", "manyZeroth"), lead("both", "fewFirst")),
      },
      told: [
        ...edges.flatMap(({ words, formula, simulated }) => [
          { label: `critical rate, ${words}: formula`, value: formula },
          { label: `critical rate, ${words}: simulated`, value: simulated.mean },
        ]),
        ...growth.map(({ rate, mean }) => ({
          label: `one agent, one direction: mean growth of log‖x‖ a step at rate ${rate}`,
          value: mean,
        })),
        ...TEAM_NAMES.flatMap((name) => [
          { label: `${TEAMS[name].label}: best rate`, value: learned[name].rate },
          { label: `${TEAMS[name].label}: loss above the least`, value: estimate(learned[name].excess).mean },
        ]),
      ],
      figures: [
        {
          id: "edge",
          title: "The largest stable rate",
          caption:
            "Critical rate in mean square for λ = 3, 1, 0.5, 0.2, by how much the agents without gradients spread (κ). For κ → 0 it is 2/λ_max; for κ = 1, one agent with one direction, less than a third of that. Simulated: one such agent among 1, 2, 3, 4, 6, 10 and 40.",
          along: "log10 of κ = n₀/(n²r)",
          axis: "η",
          curves: [
            { label: "formula", x: kappas, y: kappas.map((k) => criticalRate(EIGENVALUES, powerOfTen(k))) },
            {
              label: "bisection of the full map",
              x: byKappa.map(({ kappa }) => tens(kappa)),
              y: byKappa.map(({ bisected }) => bisected),
            },
            {
              label: "simulation",
              x: byKappa.map(({ kappa }) => tens(kappa)),
              y: byKappa.map(({ simulated }) => simulated.mean),
            },
          ],
        },
        {
          id: "learning",
          title: "Who learns faster",
          caption:
            "Loss of the mean weights above the least, each population at its best rate. As many agents of each kind: gradients win. Many without gradients beat few with them; both together beat either.",
          along: "steps of each agent",
          axis: "loss above the least",
          log: true,
          curves: TEAM_NAMES.map((name) => ({
            label: TEAMS[name].label,
            x: Array.from({ length: REPORTS }, (_, i) => ((i + 1) * ROUNDS) / REPORTS),
            y: learned[name].curve,
          })),
        },
      ],
    };
  },
});

const powerOfTen = (exponent: number): number => exp(exponent * log(10));

/** The three lemmas, each with its certificate. */
function checkedLemmas(task: StudyTask, draws: number) {
  const random = new Random(1, "hybrid lemmas");
  let [smoothing, square, averaging] = [0, 0, 0];
  for (const d of [1, 4, 16])
    for (const nu of [0.01, 0.1, 1])
      for (const distance of [0, 0.3, 2]) {
        const x = Array.from({ length: d }, () => distance * random.normal());
        smoothing = Math.max(smoothing, smoothedExcess(x, nu) / ((nu * nu * d) / 2));
      }
  for (const d of [2, 5, 10])
    for (const nu of [0.1, 2]) {
      stopIfAsked(task);
      const g = random.fillNormal(new Float64Array(d));
      const a = new Float64Array(d * d);
      for (let i = 0; i < d; i++)
        for (let j = 0; j <= i; j++) {
          a[i * d + j] = random.normal();
          a[j * d + i] = a[i * d + j];
        }
      const simulated = simulatedSquare(g, a, nu, draws, random);
      square = Math.max(square, inErrors(simulated, estimateSquare(g, a, nu)));
    }
  for (const n of [2, 3, 10]) {
    const x = random.fillNormal(new Float64Array(n * 3));
    const expected = (1 - 1 / (n - 1)) * disagreement(x, n, 3);
    const difference = averagedDisagreement(x, n, 3) - expected;
    averaging = Math.max(averaging, Math.abs(difference) / disagreement(x, n, 3));
  }
  return { smoothing, square, averaging };
}

/** The edge of each population: formula, bisection of the full map, simulation. */
function checkedEdges(task: StudyTask, { steps }: { readonly steps: number }) {
  const hessian = new Float64Array(EIGENVALUES.length ** 2);
  EIGENVALUES.forEach((value, i) => {
    hessian[i * (EIGENVALUES.length + 1)] = value;
  });
  return POPULATIONS.map((population, i) => {
    const { agents, blind, directions } = population;
    const words = `${agents} agent${agents > 1 ? "s" : ""}, ${blind} of zeroth order`;
    task.progress(0.05 + (0.35 * i) / POPULATIONS.length, `the edge of ${words}`);
    const kappa = spread(agents, blind, directions);
    const bisected = bisectedRate(hessian, EIGENVALUES.length, EIGENVALUES[0], kappa);
    const simulated = simulatedRate(
      { eigenvalues: EIGENVALUES, ...population },
      steps,
      new Random(1, `hybrid edge ${agents} ${blind}`),
      task.shouldStop,
    );
    return { words, kappa, formula: criticalRate(EIGENVALUES, kappa), bisected, simulated };
  });
}

/** What a team reaches. */
interface Learned {
  readonly rate: number;
  /** the loss above the least at the end, by seed */
  readonly excess: readonly number[];
  /** its mean over the seeds, in time */
  readonly curve: readonly number[];
}

/** A team at the rate that is best for it on seeds of their own. */
function learnedBy(
  task: StudyTask,
  name: TeamName,
  { tuning, seeds }: { readonly tuning: number; readonly seeds: number },
  done: number,
): Learned {
  const { label, team } = TEAMS[name];
  const curveOf = (seed: number, rate: number): number[] => {
    const problem = drawRegression(DIMENSION, EXAMPLES, new Random(seed, "hybrid problem"));
    const random = new Random(seed, `hybrid ${name} ${rate}`);
    return learn(problem, team, rate, ROUNDS, REPORTS, random, task.shouldStop);
  };
  const ending = (curve: readonly number[]): number =>
    curve.slice(-JUDGED).reduce((sum, each) => sum + each / JUDGED, 0);
  let rate: number = RATES[0];
  let least = Number.POSITIVE_INFINITY;
  for (const candidate of RATES) {
    task.progress(done, `${label}, rate ${candidate}`);
    let mean = 0;
    for (let seed = 0; seed < tuning; seed++) mean += ending(curveOf(-1 - seed, candidate)) / tuning;
    if (mean < least) [least, rate] = [mean, candidate];
  }
  task.progress(done, `${label}, ${seeds} seeds`);
  const curves = Array.from({ length: seeds }, (_, seed) => curveOf(seed, rate));
  const curve = curves[0].map((_, at) => curves.reduce((sum, each) => sum + each[at] / seeds, 0));
  return { rate, excess: curves.map(ending), curve };
}
