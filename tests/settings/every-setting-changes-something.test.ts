import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test, vi } from "vitest";
import { jsBackend, Objective, printGraph, trace } from "../../src/autodiff/index.ts";
import { checkValue, isIgnored, Random } from "../../src/base/index.ts";
import { runCommand } from "../../src/cli/commands/run.ts";
import { writeNpz } from "../../src/data/index.ts";
import {
  centralization,
  compileRule,
  learningRateOf,
  optimizers,
  ruleWith,
  steppedWeights,
  withProjection,
} from "../../src/flows/index.ts";
import { modelNamed } from "../../src/models/index.ts";
import { runDirectory } from "../../src/run/index.ts";
import {
  IGNORED,
  type Option,
  optionsOfAll,
  type RunConfig,
  valuesOf,
  wordsOf,
} from "../../src/settings/index.ts";
import { buildRun, problemOf, RowBytes } from "../../src/simulation/index.ts";
import { configOf, runConfig, temporaryFolder } from "../run/small-runs.ts";

/**
 * The law: of two configurations that differ in one setting alone something is different: numbers, their number, what is
 * logged, written or said. Each setting is asked where it is cheapest to see.
 */
const base = temporaryFolder();
const FILES = fileURLToPath(new URL("../data/files", import.meta.url));
const file = (path: string): Uint8Array | undefined => {
  const name = path.replace(/^[^/]*\//, "").replace("FashionMNIST", "MNIST");
  try {
    return path.startsWith(base) ? readFileSync(path) : readFileSync(join(FILES, name));
  } catch {
    return undefined;
  }
};

/** States, weights and η of an optimizer along given gradients. */
function ofRule({ opt, steps }: RunConfig): string {
  if (opt.name === "own") throw new Error("a rule file");
  const plain = ruleWith(optimizers[opt.name], opt, learningRateOf(opt, steps));
  const { centralize } = opt;
  // A matrix of one output and two inputs, and a bias.
  const blocks = centralize === "none" ? undefined : centralization({ w: [1, 2], v: [1] }, centralize);
  const rule = compileRule(blocks ? withProjection(plain, blocks) : plain, 3);
  let weights: Float64Array = Float64Array.of(1, -2, 3);
  let state = rule.rule.initialState(3);
  const seen: unknown[] = [];
  for (let t = 0; t < 6; t++) {
    const gradient = weights.map((w, l) => w * (l + 1) + t);
    const next = new Float64Array(state.length);
    rule.update(state, gradient, next);
    state = next;
    const preconditioner = new Float64Array(3);
    rule.preconditioner(state, preconditioner);
    weights = steppedWeights(rule, { weights, state, gradient, preconditioner });
    seen.push([...weights], [...state], rule.learningRate(state));
  }
  return JSON.stringify(seen);
}

/** The data, and which files they were looked for in. */
function ofData(config: RunConfig): string {
  const asked: string[] = [];
  const { dataset } = problemOf(config, {
    readFile: (path) => (asked.push(path) > 0 ? file(path) : undefined),
  });
  const split = (examples = dataset?.test) =>
    examples && [[...examples.inputs], [...examples.labels], examples.shape, examples.labelShape];
  return JSON.stringify([
    asked,
    dataset?.criterion,
    dataset?.outputDim,
    dataset?.vocabulary,
    split(dataset?.train),
    split(),
  ]);
}

/** The network: its parameters, where they start, what is computed. */
function ofNetwork(config: RunConfig): string {
  const host = { readFile: file };
  const problem = problemOf(config, host);
  const objective = new Objective(problem.loss(problem.dataset?.train), { backend: jsBackend });
  const start = problem.initialWeights(new Random(0, "initial weights"));
  const graph = printGraph(objective.graph.graph);
  objective.dispose();
  return JSON.stringify([problem.parameters, [...start], graph]);
}

/** The shape of the outputs for two sequences with a label at every position. */
function ofSequences({ arch }: RunConfig): string {
  const model = modelNamed(arch.name, { inputShape: [8], outputDim: 4, vocabulary: 4 }, valuesOf(arch));
  const { graph } = trace(model.forward, model.parameters, [2, 8]);
  return printGraph(graph);
}

/** The rows of a few steps, and what evaluates them. */
function ofRows(config: RunConfig): string {
  const built = buildRun(config, { readFile: file, threads: 1 });
  try {
    const { backend, threads, objective, simulation } = built;
    const bytes = new RowBytes();
    const rows = Array.from({ length: config.steps }, (_, index) => {
      const quantities = simulation.step();
      return Buffer.from(bytes.of({ index, step: index, quantities })).toString("base64");
    });
    const timed = built.profile().stages.some(({ seconds }) => seconds > 0);
    return JSON.stringify([backend, threads, objective.chunk, timed, rows]);
  } finally {
    built.dispose();
  }
}

/** What evaluates, without a step. */
function ofObjective(config: RunConfig): string {
  const built = buildRun(config, { readFile: file, threads: 1 });
  built.dispose();
  return JSON.stringify([
    built.backend,
    built.threads,
    built.objective.chunk,
    built.objective.keepsResiduals,
  ]);
}

let runs = 0;
/** The rows that a run leaves, the steps they stand for, and its checkpoints. */
async function ofFolder(config: RunConfig): Promise<string> {
  const directory = join(base, `run-${runs++}`);
  const { rows } = await runConfig(directory, config);
  const bytes = new RowBytes();
  return JSON.stringify([
    readdirSync(join(directory, "checkpoints")).sort(),
    rows.map((row) => Buffer.from(bytes.of(row)).toString("base64")),
  ]);
}

/** Where a run is written. */
const ofPlace = async (config: RunConfig): Promise<string> => runDirectory(config, {});

/** What a run prints, numbers left out. */
async function ofOutput(config: RunConfig): Promise<string> {
  const written: string[] = [];
  for (const stream of [process.stdout, process.stderr])
    vi.spyOn(stream, "write").mockImplementation((chunk) => written.push(String(chunk)) > 0);
  await runCommand({ ...config, out: join(base, `run-${runs++}`) }, ["a notice"], "test");
  vi.restoreAllMocks();
  return written.join("").replace(/[\d.\u2212e-]+/g, "0");
}
afterEach(() => {
  vi.restoreAllMocks();
});

type Witness = (config: RunConfig) => string | Promise<string>;
type Flags = Readonly<Record<string, string>>;
/** Words that a setting is tried with: what stands beside it, its two values, where to look. */
interface Trial {
  readonly parts?: readonly string[];
  readonly beside?: Flags;
  readonly values?: readonly [string, string];
  readonly witness?: Witness;
}

const start = join(base, "start.npz");
writeFileSync(
  start,
  writeNpz({ w: { shape: [25], data: Float64Array.from({ length: 25 }, (_, l) => l / 30) } }),
);
const mine = join(base, "mine");
for (const [name, shift] of [
  ["a", 0],
  ["b", 1],
] as const)
  writeFileSync(
    `${mine}-${name}.npz`,
    writeNpz({
      inputs: { shape: [4, 2], data: Float64Array.from({ length: 8 }, (_, i) => (i * 3 + shift) % 4) },
      labels: { shape: [4], data: Float64Array.of(0, 1, 0, 1) },
    }),
  );

const EDGE_PARTS = ["opt:rmsprop", "data:moons", "arch:mlp"];
/** Reaches the edge in its few steps. */
const EDGE: Flags = {
  "data.n": "10",
  "data.n-test": "2",
  "arch.width": "4",
  "opt.lr": "0.05",
  "opt.beta2": "0.95",
  "opt.eps": "1e-7",
  "opt.bias-correction": "true",
  "warm-start": "3",
  steps: "4",
  "eig.frequency": "1",
  backend: "js",
};
const NOISY: Flags = { "data.batch-size": "4", "opt.lr": "0.1", runs: "noisy-central" };
const GD_PARTS = ["opt:gd", "data:moons", "arch:mlp"];
const GD: Flags = {
  "data.n": "6",
  "data.n-test": "2",
  "arch.width": "3",
  "opt.lr": "0.1",
  steps: "2",
  runs: "discrete",
  backend: "js",
};
const BATCHES: Flags = { ...GD, "data.batch-size": "2" };
const plain: Trial = { parts: GD_PARTS, beside: GD, witness: ofRows };

/** Settings that need more than another value: by flag, or by part and flag. */
const TRIALS: Readonly<Record<string, Trial>> = {
  "opt.schedule": { values: ["constant", "cosine"] },
  "opt.warmup-steps": { beside: { "opt.schedule": "warmup" }, values: ["2", "3"] },
  "opt.total-steps": { beside: { "opt.schedule": "cosine", steps: "4" }, values: ["9", "10"] },
  "opt.final-fraction": { beside: { "opt.schedule": "cosine", "opt.total-steps": "9" } },
  "opt.step-every": { beside: { "opt.schedule": "step" }, values: ["1", "2"] },
  "opt.step-factor": { beside: { "opt.schedule": "step", "opt.step-every": "1" } },
  "opt.lr-at": { beside: { "opt.schedule": "piecewise" }, values: ["1:0.02", "1:0.03"] },
  "data.ghost-batch-size": { parts: GD_PARTS, beside: GD, witness: ofObjective, values: ["2", "3"] },
  "data.batch-size": { parts: GD_PARTS, beside: GD, witness: ofRows, values: ["all", "2"] },
  "data.batch-replacement": { parts: GD_PARTS, beside: BATCHES, witness: ofRows },
  "data.batch-seed": { parts: GD_PARTS, beside: BATCHES, witness: ofRows, values: ["auto", "7"] },
  "cifar10 data.n": { values: ["2", "4"] },
  "mnist data.n": { values: ["2", "4"] },
  "fashion-mnist data.n": { values: ["2", "4"] },
  "arch.stage-sizes": { values: ["1 1", "2 1"] },
  "stable.min-nsubsteps": { values: ["40", "41"] },
  "data.classes": { values: ["2", "binary"] },
  "classification data.classes": { values: ["2", "3"] },
  "data.cache-dir": { values: ["here", "there"] },
  "data.path": { values: [`${mine}-a.npz`, `${mine}-b.npz`] },
  "npz data.vocab-size": {
    parts: ["opt:gd", "data:npz", "arch:lstm"],
    beside: { "opt.lr": "0.1", "data.path": `${mine}-a.npz`, "data.criterion": "ce", "data.classes": "2" },
    values: ["5", "6"],
  },
  "mamba arch.binary": { witness: ofSequences },
  runs: { ...plain, values: ["discrete", "discrete midpoint"] },
  steps: { ...plain, values: ["1", "2"] },
  "warm-start": { ...plain, values: ["-1", "2"] },
  seed: plain,
  expid: { ...plain, witness: ofPlace, values: ["one", "two"] },
  init: { ...plain, values: ["none", start] },
  backend: { ...plain, witness: ofObjective, values: ["js", "wasm"] },
  threads: {
    parts: GD_PARTS,
    beside: { ...GD, backend: "wasm", chunk: "1" },
    witness: ofObjective,
    values: ["1", "2"],
  },
  memory: {
    parts: GD_PARTS,
    beside: { ...GD, "data.n": "3000", "arch.width": "64" },
    witness: ofObjective,
    values: ["1MiB", "1GiB"],
  },
  "row-space": { ...plain, values: ["on", "off"] },
  chunk: { ...plain, witness: ofObjective, values: ["2", "3"] },
  out: { ...plain, witness: ofPlace, values: ["none", join(base, "out")] },
  quiet: { ...plain, witness: ofOutput },
  json: { ...plain, witness: ofOutput },
  profile: plain,
  "eig.frequency": { values: ["1", "2"] },
  "eig.track-threshold": { values: ["none", "0.01"] },
  "eig.initial-neigs": { values: ["none", "3"] },
  "eig.solver": { values: ["none", "lanczos"] },
  "eig.tol": { values: ["none", "0.1"] },
  "eig.raw-eigenvalues": { values: ["true", "false"] },
  "central.sdcp-threshold": { values: ["1.95", "0.1"] },
  "central.frequency-in-substeps": { beside: { "eig.frequency": "2" } },
  "central.integrator": { values: ["euler", "leapfrog"] },
  "stable.integrator": { values: ["euler", "leapfrog"] },
  "stable.max-Seff": { values: ["100", "0.001"] },
  "noisy.variance": { beside: NOISY, values: ["measured", "0.001"] },
  "noisy.terms": { beside: NOISY, values: ["gradient sharpness hessian", "gradient"] },
  "noisy.form": { beside: { ...NOISY, "noisy.terms": "gradient sharpness hessian" } },
  "two-step.seed": { beside: { runs: "two-step" }, values: ["1e-7", "1e-2"] },
  "two-step.start": { beside: { runs: "two-step" }, values: ["split", "seed"] },
  "rod.rank": { beside: { runs: "rod" }, values: ["1", "3"] },
  "edge.floor": { beside: { runs: "edge-flow" }, values: ["1e-4", "1e-2"] },
  "checkpoint.frequency": { ...plain, witness: ofFolder, values: ["-1", "1"] },
  "checkpoint.steps": { ...plain, witness: ofFolder, values: ["none", "1"] },
  "log.outputs-every": { ...plain, witness: ofFolder, values: ["10", "1"] },
  "discrete.precision": plain,
};

/** Two values of a setting in words: its default where it has one, and another. */
function twoValues(option: Option): readonly [string, string] {
  const { kind } = option.setting;
  const names = "names" in kind ? kind.names : [];
  const candidates = [
    option.setting.default,
    0.3,
    2,
    3,
    4,
    5,
    8,
    14,
    0.25,
    true,
    false,
    [2, 2],
    [1, 2],
    ...names,
  ];
  const words = candidates.flatMap((value) => {
    const outcome = value === undefined ? { ok: false as const } : checkValue(kind, value);
    return outcome.ok ? [wordsOf(option, outcome.value).join(" ")] : [];
  });
  const [first, second] = new Set(words);
  return [first, second];
}

/** What an optimizer, data set or network is tried beside. */
function surroundings({ owner }: Option): { parts: readonly string[]; beside: Flags; witness: Witness } {
  if (owner === undefined) return { parts: EDGE_PARTS, beside: EDGE, witness: ofRows };
  const { part, name } = owner;
  if (part === "opt") {
    const beta2: Flags = /^(scalar-)?rmsprop$/.test(name) ? { "opt.beta2": "0.9" } : {};
    return { parts: [`opt:${name}`, ...GD_PARTS.slice(1)], beside: { ...GD, ...beta2 }, witness: ofRule };
  }
  const small: Flags = { "opt.lr": "0.1", steps: "4", runs: "discrete" };
  if (part === "arch") {
    const tokens = ["lstm", "transformer", "mamba"].includes(name);
    const data = tokens ? "sorting" : name === "mlp" ? "moons" : "digits";
    const criterion: Flags = data === "moons" ? {} : { "data.criterion": "ce" };
    const patches: Flags =
      name === "vit" ? { "arch.patch-size": "2", "arch.dim": "8", "arch.depth": "1" } : {};
    const { [data]: n = "10" } = { sorting: "4" } as Flags;
    return {
      parts: ["opt:gd", `data:${data}`, `arch:${name}`],
      beside: { ...small, ...criterion, ...patches, "data.n": n, ...NEEDED[name] },
      witness: ofNetwork,
    };
  }
  const tokens = ["sst2", "sorting", "copying"].includes(name);
  const criterion: Flags = ["moons", "circles", "classification"].includes(name)
    ? {}
    : { "data.criterion": "ce" };
  const n: Flags = name === "npz" ? { "data.path": `${mine}-a.npz` } : { "data.n": "4" };
  const classes: Flags = ["digits", "cifar10", "mnist", "fashion-mnist", "npz"].includes(name)
    ? { "data.classes": "2" }
    : {};
  return {
    parts: ["opt:gd", `data:${name}`, `arch:${tokens ? "lstm" : "mlp"}`],
    beside: { ...small, ...criterion, ...n, ...classes },
    witness: ofData,
  };
}

/** Small networks of each kind. */
const NEEDED: Readonly<Record<string, Flags>> = {
  resnet: { "arch.width": "2", "arch.stage-sizes": "1 1" },
  cnn: { "arch.width": "2" },
  mlp: { "arch.width": "3" },
  lstm: { "arch.layers": "1", "arch.embd-dim": "3", "arch.hidden-dim": "3" },
  transformer: { "arch.layers": "1", "arch.d-model": "4", "arch.nhead": "1" },
  mamba: { "arch.layers": "1", "arch.d-model": "4" },
  vit: { "arch.mlp-dim": "3", "arch.num-heads": "1" },
};

const known = new Map<string, string>();
async function seen(words: readonly string[], witness: Witness): Promise<string> {
  const key = `${witness.name} ${words.join(" ")}`;
  const found = known.get(key) ?? (await witness(configOf(...words)));
  known.set(key, found);
  return found;
}

const options = optionsOfAll().filter(({ setting }) => !isIgnored(setting));
const nameOf = ({ owner, flag }: Option): string => `${owner ? `${owner.part}:${owner.name} ` : ""}--${flag}`;

test.each(
  options.filter(({ flag }) => !flag.startsWith("load.")).map((option) => [nameOf(option), option] as const),
)("%s changes something", async (_, option) => {
  const around = surroundings(option);
  // The setting of one process is tried as the common one is.
  const common = option.flag.replace(/^\w+\.eig\./, "eig.");
  const trial = TRIALS[`${option.owner?.name} ${option.flag}`] ?? TRIALS[common] ?? {};
  const { parts = around.parts, witness = around.witness } = trial;
  const [first, second] = (trial.values ?? twoValues(option)).map((value) =>
    value === "none" && option.flag.startsWith("eig.") ? "" : value,
  );
  const wordsWith = (value: string): string[] => {
    const flags = { ...(trial.parts ? {} : around.beside), ...trial.beside, [option.flag]: value };
    return [
      ...parts,
      ...Object.entries(flags).flatMap(([flag, said]) =>
        said === "" ? [] : [`--${flag}`, ...said.split(" ")],
      ),
    ];
  };
  expect(second, `a second value for ${first}`).toBeDefined();
  expect(await seen(wordsWith(second), witness)).not.toBe(await seen(wordsWith(first), witness));
});

test("every other setting is on the list of the ignored, with the reason", () => {
  const ignored = optionsOfAll().filter(({ setting }) => isIgnored(setting));
  expect(ignored.length).toBeGreaterThan(5);
  for (const { flag } of ignored) expect(IGNORED.get(flag), flag).toMatch(/\w/);
});
