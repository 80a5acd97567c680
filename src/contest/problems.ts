import { add, type ExampleLoss, multiply, Objective, square, subtract } from "../autodiff/index.ts";
import { Random } from "../base/index.ts";
import {
  adam,
  compileRule,
  type EigenSettings,
  edgeExample,
  gradientDescent,
  heavyBall,
  MiniBatches,
  nesterov,
  PROCESS_DEFAULTS,
  type ProcessSetup,
  rmsProp,
  twoEigenvalues,
  type UpdateRule,
  warmStart,
} from "../flows/index.ts";
import { nodeHost } from "../run/index.ts";
import { parseRun } from "../settings/index.ts";
import { buildRun } from "../simulation/index.ts";

/** A problem made ready: where all models start from. */
export interface Start {
  readonly setup: ProcessSetup;
  /** Ends the work of other threads on it. */
  dispose(): void;
}

/** A problem of the contest. */
export interface Problem {
  /** Letters, digits and hyphens. */
  readonly name: string;
  /** What it is, and what is known of it, without a full stop. */
  readonly help: string;
  readonly steps: number;
  /** @throws what building a run throws; `Stopped` where the warm start is stopped */
  make(shouldStop: () => boolean): Start;
}

const EIGEN: EigenSettings = { ...PROCESS_DEFAULTS.eigen, frequency: 1, tolerance: 1e-8 };

function toy(
  objective: Objective,
  rule: UpdateRule,
  weights: readonly number[],
  state?: Float64Array,
): Start {
  const compiled = compileRule(rule, objective.dimension);
  return {
    setup: {
      objective,
      rule: compiled,
      weights: Float64Array.from(weights),
      state: state ?? rule.initialState(objective.dimension),
      eigen: EIGEN,
      rawEigenvalues: false,
      seed: 0,
    },
    dispose: () => objective.dispose(),
  };
}

/** A rule on the minimal example, from just below its edge. */
const onExample = (rule: UpdateRule, zeta: number, epsilon: number): Start => {
  const nu = "nu" in rule.state(2);
  // With η = 3 and the optimizer's ε 10 the state of rest has P = 10/(3 − c√(2ε)) and ν = (cP)²·2ε.
  const P = nu ? 10 / (3 - rule.criticalValue * Math.sqrt(2 * epsilon)) : 1 / 0.3;
  const state = rule.initialState(2);
  if (nu) state.set([1000, (rule.criticalValue * P) ** 2 * 2 * epsilon]);
  return toy(edgeExample(zeta, epsilon), rule, [1e-3, 0.9995 * rule.criticalValue * P], state);
};

/** So many examples make the noise of `noisyExample`, so many of them a batch. */
const NOISY = 64;
const NOISY_BATCH = 4;

/**
 * The minimal example with mini-batches: an example adds −√B(ξx + υy) to it, ξ and υ normal numbers of deviations `alongX` and `alongY` less
 * their means, so that batches of B drawn with replacement have noise of about these deviations, and the mean of all is the example without.
 */
function noisyExample(zeta: number, epsilon: number, alongX: number, alongY: number): Start {
  const random = new Random(1, "noisy example");
  const drawn = (deviation: number): Float64Array => {
    const numbers = random.fillNormal(new Float64Array(NOISY));
    const mean = numbers.reduce((total, each) => total + each, 0) / NOISY;
    return numbers.map((each) => (each - mean) * deviation * Math.sqrt(NOISY_BATCH));
  };
  const loss: ExampleLoss = {
    parameters: { x: [], y: [] },
    examples: { xi: { data: drawn(alongX), shape: [] }, upsilon: { data: drawn(alongY), shape: [] } },
    outputs: ({ x, y }, { xi, upsilon }) => {
      const valley = multiply(multiply(add(y, multiply(x, zeta)), square(x)), 0.5);
      const plain = subtract(valley, multiply(add(x, y), epsilon));
      return subtract(plain, add(multiply(x, xi), multiply(y, upsilon)));
    },
    criterion: (outputs) => outputs,
  };
  const drawnFrom = new Objective(loss, { batch: NOISY_BATCH });
  const batches = new MiniBatches(drawnFrom, { examples: NOISY, replacement: true, seed: 1 });
  const { setup, dispose } = toy(new Objective(loss), gradientDescent({ lr: LR }), [1e-3, 2 / LR - 0.1]);
  return {
    setup: { ...setup, batches },
    dispose: () => {
      dispose();
      drawnFrom.dispose();
    },
  };
}

/** A run of the command line, from where its warm start leads. */
function run(words: string, shouldStop: () => boolean): Start {
  const { config } = parseRun([
    ...words.split(" "),
    "--eig.frequency",
    "1",
    "--eig.raw-eigenvalues",
    "false",
  ]);
  const { objective, rule, start, batches, dispose } = buildRun(config, { ...nodeHost(), shouldStop });
  const weights = start.slice();
  const state = rule.rule.initialState(rule.dimension);
  objective.setWeights(weights);
  const startLoss = objective.loss();
  const firstStep = Math.max(0, config.warmStart);
  warmStart(objective, rule, weights, state, firstStep, { ...(batches && { batches }) });
  const eigen = { ...EIGEN, tolerance: config.eig.tol };
  const setup = { objective, rule, weights, state, eigen, rawEigenvalues: false, seed: 0, startLoss };
  return { setup: batches ? { ...setup, batches, firstStep } : setup, dispose };
}

const LR = 0.3;
const average = { momentumForm: "average" } as const;
const SECOND = { lr: 3, beta2: 0.99, eps: 10, biasCorrection: false };
const mlp = (n: number): string => `data:digits --data.n ${n} arch:mlp --arch.width 8 --eig.tol 1e-7`;
const CNN = "data:digits --data.n 40 --data.classes 4 arch:cnn --arch.width 4 --eig.tol 1e-7";

/** The contest's problems: toys with known answers first, then networks. */
export const PROBLEMS: readonly Problem[] = [
  {
    name: "toy-gd-settles",
    help: "minimal example, gd, ζ = 1.5: settles at the edge with variance 2ε",
    steps: 400,
    make: () => onExample(gradientDescent({ lr: LR }), 1.5, 0.01),
  },
  {
    name: "toy-gd-cycles",
    help: "minimal example, gd, ζ = 0.45, below its threshold 0.471: a limit cycle around the edge",
    steps: 600,
    make: () => onExample(gradientDescent({ lr: LR }), 0.45, 0.001),
  },
  {
    name: "toy-gd-two",
    help: "two coupled eigenvalues, gd: both come to the edge",
    steps: 400,
    make: () => toy(twoEigenvalues(0.01), gradientDescent({ lr: LR }), [0.02, 0.05, 5.6, 5.4, 0.1]),
  },
  {
    name: "toy-rmsprop",
    help: "minimal example, rmsprop: settles",
    steps: 400,
    make: () => onExample(rmsProp(SECOND), 1, 2e-4),
  },
  {
    name: "toy-heavy-ball-settles",
    help: "minimal example, heavy ball with β = 0.5, ζ = 2, above its threshold 1.414: settles",
    steps: 500,
    make: () => onExample(heavyBall({ lr: LR, beta1: 0.5, ...average }), 2, 0.005),
  },
  {
    name: "toy-heavy-ball-bursts",
    help: "minimal example, heavy ball with β = 0.9, ζ = 3, below its threshold 8.957: bursts",
    steps: 600,
    make: () => onExample(heavyBall({ lr: LR, beta1: 0.9, ...average }), 3, 0.001),
  },
  {
    name: "toy-nesterov",
    help: "minimal example, Nesterov with β = 0.9, ζ = 5, above its threshold 3.720: settles",
    steps: 500,
    make: () => onExample(nesterov({ lr: LR, beta1: 0.9, ...average }), 5, 0.002),
  },
  {
    name: "toy-adam",
    help: "minimal example, Adam with β1 = 0.9, ζ = 3: bursts, mean sharpness .98 c",
    steps: 600,
    make: () => onExample(adam({ ...SECOND, beta1: 0.9 }), 3, 2e-4),
  },
  {
    name: "toy-gd-noise",
    help: "minimal example, gd, ζ = 1, mini-batches with noise of deviations 0.1 and 0.03: rests below the edge",
    steps: 400,
    make: () => noisyExample(1, 0.01, 0.1, 0.03),
  },
  {
    name: "mlp-gd",
    help: "100 digits, mlp of width 8, gd with η = 0.3 after 150 steps",
    steps: 150,
    make: (stop) => run(`opt:gd --opt.lr 0.3 ${mlp(100)} --warm-start 150`, stop),
  },
  {
    name: "mlp-rmsprop",
    help: "100 digits, mlp of width 8, rmsprop with η = 0.005 after 60 steps",
    steps: 120,
    make: (stop) =>
      run(
        `opt:rmsprop --opt.lr 0.005 --opt.beta2 0.99 --opt.eps 1e-7 --opt.bias-correction true ${mlp(100)} --warm-start 60`,
        stop,
      ),
  },
  {
    name: "mlp-heavy-ball",
    help: "100 digits, mlp of width 8, heavy ball with β = 0.9, η growing to 0.36 over 100 steps, after 300",
    steps: 150,
    make: (stop) =>
      run(
        `opt:heavy-ball --opt.lr 0.36 --opt.schedule warmup --opt.warmup-steps 100 ${mlp(100)} --warm-start 300`,
        stop,
      ),
  },
  {
    name: "mlp-nesterov",
    help: "100 digits, mlp of width 8, Nesterov with β = 0.9, η growing to 0.12 over 100 steps, after 300",
    steps: 150,
    make: (stop) =>
      run(
        `opt:nesterov --opt.lr 0.12 --opt.schedule warmup --opt.warmup-steps 100 ${mlp(100)} --warm-start 300`,
        stop,
      ),
  },
  {
    name: "mlp-adam",
    help: "200 digits, mlp of width 8, Adam with β1 = 0.9, β2 = 0.99, η growing to 0.003 over 100 steps, after 400",
    steps: 150,
    make: (stop) =>
      run(
        `opt:adam --opt.lr 0.003 --opt.beta2 0.99 --opt.schedule warmup --opt.warmup-steps 100 ${mlp(200)} --warm-start 400`,
        stop,
      ),
  },
  ...["12", "50"].map((size) => ({
    name: `mlp-gd-batches-of-${size}`,
    help: `100 digits, mlp of width 8, gd with η = 0.3 and batches of ${size} drawn with replacement, after 100 steps`,
    steps: 150,
    make: (stop: () => boolean) =>
      run(
        `opt:gd --opt.lr 0.3 ${mlp(100)} --data.batch-size ${size} --data.batch-replacement true --warm-start 100`,
        stop,
      ),
  })),
  {
    name: "cnn-gd",
    help: "40 digits of four classes, cnn of width 4, gd with η = 0.2 after 300 steps",
    steps: 100,
    make: (stop) => run(`opt:gd --opt.lr 0.2 ${CNN} --warm-start 300`, stop),
  },
  {
    name: "cnn-rmsprop",
    help: "40 digits of four classes, cnn of width 4, rmsprop with η = 0.002 after 90 steps",
    steps: 80,
    make: (stop) =>
      run(
        `opt:rmsprop --opt.lr 0.002 --opt.beta2 0.99 --opt.eps 1e-7 --opt.bias-correction true ${CNN} --warm-start 90`,
        stop,
      ),
  },
];
