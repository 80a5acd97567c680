/**
 * The evidence for and against the central flow with the noise of mini-batches (docs/beyond.md), as tables:
 *
 *     npx tsx tools/noise.ts toy [--steps 2e7] [--seed 1]
 *     npx tsx tools/noise.ts digits [--batches 12 --batches 25 …] [--seeds 3] [--rows 80] [--terms gradient --terms sharpness …]
 *     npx tsx tools/noise.ts rmsprop [--batches 12 --batches 25 …] [--seeds 3] [--rows 80]
 *
 * toy: the minimal example with noise, its mean sharpness and the fourth moment of its oscillation against the flow's.
 * digits, rmsprop: the optimizer with mini-batches, several draws of them, against flows with all parts of the noise, with
 * some and with none.
 */
import { parseArgs } from "node:util";
import { Random } from "../src/base/index.ts";
import { parseRun } from "../src/cli/parse.ts";
import {
  type CentralObservation,
  CentralProcess,
  compileRule,
  edgeExample,
  gradientDescent,
  innerProduct,
  NOISE_TERMS,
  type NoiseTerm,
  type Process,
  restingKurtosis,
} from "../src/flows/index.ts";
import { nodeHost } from "../src/run/index.ts";
import { endingSentence } from "../src/settings/index.ts";
import { buildRun, type Quantity, quantityData } from "../src/simulation/index.ts";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    steps: { type: "string", default: "2e7" },
    batches: { type: "string", multiple: true, default: ["12", "25", "50", "100"] },
    seeds: { type: "string", default: "3" },
    rows: { type: "string", default: "80" },
    seed: { type: "string", default: "1" },
    terms: { type: "string", multiple: true, default: [...NOISE_TERMS] },
  },
});

const table = (head: readonly string[], rows: readonly (readonly string[])[]): void => {
  for (const line of [head, head.map(() => "---"), ...rows]) console.log(`| ${line.join(" | ")} |`);
  console.log("");
};
const mean = (numbers: readonly number[]): number =>
  numbers.reduce((total, x) => total + x, 0) / numbers.length;
const spread = (numbers: readonly number[]): number =>
  Math.sqrt(mean(numbers.map((x) => (x - mean(numbers)) ** 2)) / Math.max(1, numbers.length - 1));

/** η and ζ of the minimal example f = ½(y + ζx)x² + ε(−x − y), and its settings: ε, and deviations of the noise in x and y. */
const ETA = 0.3;
const ZETA = 1;
const SETTINGS: readonly (readonly [number, number, number])[] = [
  [0.002, 0.05, 0],
  [0.01, 0.1, 0],
  [2e-4, 0.0158, 0.005],
  [0.002, 0.05, 0.05],
];

/** Gradient descent with noise: 2/η less the mean sharpness y + 3ζx, and K = E x⁴/(E x²)², with errors from twenty parts of the run. */
function simulate([epsilon, alongX, alongY]: readonly [number, number, number], steps: number) {
  const random = new Random(Number(values.seed), "toy");
  let [x, y] = [0, 2 / ETA];
  const parts = 20;
  const [gaps, kurtoses]: number[][] = [[], []];
  for (let part = -1; part < parts; part++) {
    let [total, second, fourth] = [0, 0, 0];
    const length = steps / parts;
    for (let t = 0; t < length; t++) {
      total += y + 3 * ZETA * x;
      second += x * x;
      fourth += x * x * x * x;
      const gx = (y + 1.5 * ZETA * x) * x - epsilon + alongX * random.normal();
      const gy = 0.5 * x * x - epsilon + (alongY > 0 ? alongY * random.normal() : 0);
      x -= ETA * gx;
      y -= ETA * gy;
    }
    if (part < 0) continue;
    gaps.push(2 / ETA - total / length);
    kurtoses.push((fourth * length) / (second * second));
  }
  return {
    gap: mean(gaps),
    error: spread(gaps),
    kurtosis: mean(kurtoses),
    kurtosisError: spread(kurtoses),
  };
}

/** The same of the flow, where it rests. */
function ofFlow(
  [epsilon, alongX, alongY]: readonly [number, number, number],
  terms: readonly NoiseTerm[],
): number {
  const objective = edgeExample(ZETA, epsilon);
  const rule = compileRule(gradientDescent({ lr: ETA }), 2);
  const flow: Process = new CentralProcess(
    {
      objective,
      rule,
      weights: Float64Array.of(0, 2 / ETA - gapOfLaw([epsilon, alongX, alongY])),
      state: rule.rule.initialState(2),
      seed: 0,
      rawEigenvalues: false,
      eigen: { frequency: 1, trackThreshold: 1.5, initialCount: 1, solver: "lobpcg", tolerance: 1e-10 },
    },
    { substeps: 4, criticalThreshold: 1.95, frequencyInSubsteps: false },
    "noisy-central",
    { variance: Float64Array.of(alongX ** 2, alongY ** 2), terms, form: "full" },
  );
  let before = 0;
  for (let step = 0; step < 40_000; step++) {
    flow.prepare();
    const { weights } = flow.observation as { weights: Float64Array };
    if (step % 200 === 0 && step > 0) {
      if (Math.abs(weights[1] - before) < 1e-5) break;
      before = weights[1];
    }
    flow.advance();
  }
  const [x, y] = flow.observation?.weights ?? [];
  return 2 / ETA - y - 3 * ZETA * x;
}

/** What the law of section 17 says of it without the fluctuation of the oscillation. */
function gapOfLaw([epsilon, alongX, alongY]: readonly [number, number, number]): number {
  return (1 - Math.sqrt(1 - (ETA ** 2 * (alongX ** 2 + 2 * alongY ** 2)) / (2 * epsilon))) / ETA;
}

/** K of the example's slow system: its a, b and κ in units of ω = η√ε. */
function kurtosisOf([epsilon, alongX, alongY]: readonly [number, number, number]): number {
  const root = Math.sqrt(epsilon);
  const a = (ETA * alongX ** 2) / (2 * epsilon * root);
  const b = (ETA * alongY ** 2) / (epsilon * root);
  return restingKurtosis(a, b, (4.5 * ZETA ** 2 - 0.75) * ETA * root);
}

function toy(): void {
  const steps = Number(values.steps);
  const rows = SETTINGS.map((setting) => {
    const seen = simulate(setting, steps);
    const percent = (x: number): string => `${x.toFixed(4)} (${((x / seen.gap - 1) * 100).toFixed(1)} %)`;
    return [
      ...setting.map(String),
      `${seen.gap.toFixed(4)} ± ${seen.error.toFixed(4)}`,
      percent(ofFlow(setting, ["gradient"])),
      percent(ofFlow(setting, ["gradient", "sharpness"])),
      percent(ofFlow(setting, ["gradient", "sharpness", "fluctuation"])),
      `${seen.kurtosis.toFixed(2)} ± ${seen.kurtosisError.toFixed(2)}`,
      kurtosisOf(setting).toFixed(2),
    ];
  });
  table(
    [
      "ε",
      "σ_x",
      "σ_y",
      "simulated gap",
      "gradient",
      "and sharpness",
      "and fluctuation: the flow",
      "K, simulated",
      "K, closure",
    ],
    rows,
  );
}

/** What one run showed over the second half of its rows. */
interface Seen {
  readonly measured: {
    readonly sharpness: number;
    readonly along: number;
    readonly variance: number;
    readonly loss: number;
  };
  readonly flow: {
    readonly sharpness: number;
    readonly along: number;
    readonly variance: number;
    readonly loss: number;
    readonly bulk: number;
  };
  readonly plain: { readonly sharpness: number; readonly loss: number };
  readonly distances: readonly [noisy: number, plain: number, moved: number];
  readonly batch: number;
  readonly nu: readonly [optimizer: number, noisy: number, plain: number];
}

const first = (row: Readonly<Record<string, Quantity>>, name: string): number =>
  Number(quantityData(row[name] ?? Number.NaN)[0]);

/** Runs the optimizer and its midpoints beside the flows with and without noise. */
function run(words: readonly string[]): Seen {
  const { config } = parseRun([
    ...words,
    "--runs",
    "discrete",
    "midpoint",
    "noisy-central",
    "central",
    "--eig.raw-eigenvalues=false",
    "--discrete.eig.frequency=-1",
    "--data.batch-replacement",
    "--steps",
    String(values.rows),
  ]);
  const built = buildRun(config, { ...nodeHost(), threads: 1 });
  const { simulation, objective } = built;
  const p = objective.dimension;
  const columns: Record<string, number[]> = {};
  const add = (name: string, value: number): void => {
    columns[name] ??= [];
    if (Number.isFinite(value)) columns[name].push(value);
  };
  const start = simulation.processes[0].snapshot().w;
  let last: Readonly<Record<string, Quantity>> = {};
  for (let step = 0; step < config.steps && simulation.running; step++) {
    last = simulation.step();
    if (2 * step < config.steps) continue;
    const [, midpoint, noisy] = simulation.processes;
    add("midpoint sharpness", first(last, "midpoint/effective_hessian_eigs"));
    add("noisy sharpness", first(last, "noisy-central/effective_hessian_eigs"));
    add("central sharpness", first(last, "central/effective_hessian_eigs"));
    add("measured loss", first(last, "discrete/train_loss"));
    add("noisy predicted", first(last, "noisy-central/predicted_loss"));
    add("noisy loss", first(last, "noisy-central/train_loss"));
    add("central predicted", first(last, "central/predicted_loss"));
    add("batch", first(last, "discrete/effective_batch_sharpness"));
    for (const kind of ["discrete", "noisy-central", "central"])
      add(`${kind} nu`, first(last, `${kind}/opt.nu_l1`) || first(last, `${kind}/opt.nu`));
    const seen = midpoint.observation;
    const flow = noisy.observation as CentralObservation | undefined;
    const { substep, critical = 0 } = flow ?? {};
    if (!seen?.displacement || !substep || !flow?.pairs) continue;
    // The held eigenvectors of the flow: curvature along them at the midpoints, and the oscillation.
    const products = new Float64Array(critical * p);
    objective.setWeights(seen.weights);
    objective.hvp(substep.vectors, products, critical);
    const displaced = seen.displacement.map((entry, l) => entry * seen.preconditioner[l]);
    let [variance, predicted, held] = [0, 0, 0];
    for (let i = 0; i < critical; i++) {
      const ofP = seen.preconditioner.map((entry, l) => entry * substep.vectors[i * p + l]);
      const size = innerProduct(ofP, 0, substep.vectors, i, p);
      if (i === 0) {
        add("along measured", innerProduct(substep.vectors, 0, products, 0, p) / size);
        add("along flow", flow.pairs.values[0]);
      }
      variance += innerProduct(substep.vectors, i, displaced, 0, p) ** 2 / size;
      // What w − ¼(w₋₁ + 2w + w₊₁) keeps of a mode that is multiplied by −r in each step.
      const r = flow.pairs.values[i] - 1;
      predicted += (substep.X[i * (critical + 1)] * (1 + r) * (3 + r)) / 8;
      held += substep.noise?.along[i * (critical + 1)] ?? 0;
    }
    add("variance measured", variance);
    add("variance flow", predicted);
    if (config.opt.name === "gd")
      add("bulk", (first(last, "noisy-central/flow_aux/noise_trace") * config.opt.lr - held) / 4);
  }
  for (const [kind, status] of Object.entries(simulation.statuses()))
    if (status.kind !== "running") console.log(endingSentence(kind, status.ending));
  process.stderr.write(`${words.slice(3).join(" ")}: ${Object.keys(last).length > 0 ? "done" : "no row"}\n`);
  const end = simulation.processes[1].snapshot().w;
  const moved = Math.sqrt(end.reduce((total, entry, l) => total + (entry - start[l]) ** 2, 0));
  built.dispose();
  const of = (name: string): number => mean(columns[name] ?? []);
  return {
    measured: {
      sharpness: of("midpoint sharpness"),
      along: of("along measured"),
      variance: of("variance measured"),
      loss: of("measured loss"),
    },
    flow: {
      sharpness: of("noisy sharpness"),
      along: of("along flow"),
      variance: of("variance flow"),
      loss: of("noisy predicted"),
      bulk: of("bulk"),
    },
    plain: { sharpness: of("central sharpness"), loss: of("central predicted") },
    distances: [
      first(last, "distances/midpoint-noisy-central"),
      first(last, "distances/central-midpoint"),
      moved,
    ],
    batch: of("batch"),
    nu: [of("discrete nu"), of("noisy-central nu"), of("central nu")],
  };
}

/** Numbers of several draws as their mean and its standard error. */
const several = (numbers: readonly number[], digits = 3): string =>
  `${mean(numbers).toFixed(digits)} ± ${spread(numbers).toFixed(digits)}`;

function compare(words: readonly string[], batches: readonly string[]): void {
  const seeds = Array.from({ length: Number(values.seeds) }, (_, seed) => String(seed));
  const found = batches.map((size) => ({
    size,
    seen: seeds.map((seed) =>
      run([...words, "--data.batch-size", size, "--data.batch-seed", seed, "--noisy.terms", ...values.terms]),
    ),
  }));
  const column =
    (pick: (seen: Seen) => number, digits = 3) =>
    ({ seen }: (typeof found)[number]): string =>
      several(seen.map(pick), digits);
  const print = (columns: Readonly<Record<string, (each: (typeof found)[number]) => string>>): void =>
    table(
      ["B", ...Object.keys(columns)],
      found.map((each) => [each.size, ...Object.values(columns).map((write) => write(each))]),
    );
  print({
    "λ_max, midpoints": column((seen) => seen.measured.sharpness),
    "uᵀHu, midpoints": column((seen) => seen.measured.along),
    "with noise": column((seen) => seen.flow.sharpness),
    without: column((seen) => seen.plain.sharpness),
    "batch sharpness": column((seen) => seen.batch),
  });
  print({
    "variances, measured": column((seen) => seen.measured.variance, 4),
    "with noise": column((seen) => seen.flow.variance, 4),
    "loss, measured": column((seen) => seen.measured.loss, 4),
    "predicted with noise": column((seen) => seen.flow.loss, 4),
    "and the other directions at rest": column((seen) => seen.flow.loss + seen.flow.bulk, 4),
    "predicted without": column((seen) => seen.plain.loss, 4),
  });
  print({
    "distance from the midpoints, with noise": column((seen) => seen.distances[0]),
    without: column((seen) => seen.distances[1]),
    moved: column((seen) => seen.distances[2]),
    "‖ν‖₁ optimizer": column((seen) => seen.nu[0], 4),
    "‖ν‖₁ with noise": column((seen) => seen.nu[1], 4),
    "‖ν‖₁ without": column((seen) => seen.nu[2], 4),
  });
}

const SMALL = ["data:digits", "arch:mlp", "--data.n", "120", "--arch.width", "8", "--eig.frequency", "1"];
const GD = ["opt:gd", ...SMALL, "--opt.lr", "0.3", "--warm-start", "60"];

if (positionals.includes("toy")) toy();
if (positionals.includes("digits")) {
  compare(GD, values.batches);
  const [size] = values.batches.slice(-2);
  console.log(`λ_max of the flow, B = ${size}, by what it takes of the noise:`);
  for (const terms of [["gradient"], ["gradient", "sharpness"], ["gradient", "hessian"]])
    console.log(
      `${terms.join(", ")}: ${run([...GD, "--data.batch-size", size, "--data.batch-seed", "0", "--noisy.terms", ...terms]).flow.sharpness.toFixed(3)}`,
    );
}
if (positionals.includes("rmsprop"))
  compare(
    [
      "opt:rmsprop",
      ...SMALL,
      "--opt.lr",
      "0.01",
      "--opt.beta2",
      "0.95",
      "--opt.eps",
      "1e-7",
      "--warm-start",
      "60",
    ],
    values.batches,
  );
