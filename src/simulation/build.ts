import {
  type Backend,
  type LossDefinition,
  Objective,
  type ObjectiveOptions,
  type StageProfile,
  selectBackend,
} from "../autodiff/index.ts";
import { Random, type ShouldStop, settle, valueError } from "../base/index.ts";
import {
  type Dataset,
  type DatasetDefinition,
  type Examples,
  loadDataset,
  makeDataset,
  type ReadFile,
} from "../data/index.ts";
import {
  type CompiledRule,
  centralization,
  checkUpdateRule,
  compileRule,
  defineRule,
  learningRateOf,
  MiniBatches,
  type Optimizer,
  optimizers,
  type ProcessKind,
  type RuleDefinition,
  ruleWith,
  type Schedule,
  type UpdateRule,
  withProjection,
} from "../flows/index.ts";
import {
  type Architecture,
  accuracy,
  buildModel,
  type LabelledExamples,
  type Model,
  modelNamed,
  type OwnLoss,
  type RowCriterion,
  supervisedLoss,
} from "../models/index.ts";
import {
  eigOf,
  type FileKind,
  fileWord,
  type OptionValue,
  type RunConfig,
  valuesOf,
} from "../settings/index.ts";
import { type WeightsFromFile, weightsFromFile } from "./initial-weights.ts";
import type { WatchedExamples } from "./observations.ts";
import { checkedLoss, checkedNetwork } from "./own-network.ts";
import { measureOf, type OwnQuantity } from "./own-quantity.ts";
import { type Coordinates, leavesRowSpace, overRowSpace, type Reducible } from "./row-space.ts";
import { type ProcessPlan, Simulation, type SimulationPlan } from "./simulation.ts";

/** What the derivatives of a run's training loss took. */
export interface RunProfile {
  readonly threads: number;
  /** Into how many chunks the examples fall: a stage that goes over all of them runs so often. */
  readonly chunks: number;
  /** Seconds before the first step. */
  readonly preparation: Objective["preparation"];
  readonly stages: readonly StageProfile[];
}

/** What files of the user's make, by their kind. */
export interface OwnParts {
  /** A rule: a function of options, or a record as the built-in optimizers are. */
  readonly opt:
    | {
        readonly define: (options: Readonly<Record<string, OptionValue>>) => RuleDefinition;
        readonly optimizer?: undefined;
      }
    | { readonly optimizer: Pick<Optimizer, "name" | "own"> };
  readonly data: DatasetDefinition;
  readonly arch: Architecture;
  readonly loss: OwnLoss;
  readonly observe: OwnQuantity;
}

/**
 * What a run needs of the machine it is on; a page in a browser hands in other things than Node does (`nodeHost` in the
 * layer `run`). What is absent is refused in words where a configuration needs it.
 */
export interface Host {
  /** Gives the bytes of a file, for data sets that are files and for `--init`. */
  readonly readFile?: ReadFile;
  /** Evaluates a file of the user's, whose bytes must have the hash. */
  readonly loadFile?: <K extends FileKind>(kind: K, file: string, sha256: string) => OwnParts[K];
  /** The threads that `auto` stands for. Default 1. */
  readonly threads?: number;
  /**
   * Asked at least once per chunk of examples and per 100 ms whether to break off; true ends the building (its warm start)
   * or the step with `Stopped`, the step as if it had not begun.
   */
  readonly shouldStop?: ShouldStop;
}

/** A configured run made ready: data loaded, network traced, processes at their start. */
export interface BuiltRun {
  /** Undefined where the loss is one of the weights alone. */
  readonly dataset: Dataset | undefined;
  readonly objective: Objective;
  readonly rule: CompiledRule;
  /** Present where the optimizer steps by mini-batches. */
  readonly batches?: MiniBatches;
  /** The first weights, before any warm start: those that the run moves. */
  readonly start: Float64Array;
  /** Present where the run moves others than its network's weights: over the row space of the inputs. */
  readonly coordinates: Coordinates | undefined;
  /** Made when it is first asked for: that takes the warm start. */
  readonly simulation: Simulation;
  /** The edge of stability of the effective sharpness. */
  readonly criticalValue: number;
  /** The backend that computes, by name. */
  readonly backend: string;
  /** The threads that compute. */
  readonly threads: number;
  /** Lines for the user: where backend or threads are not those hoped for, or a custom rule looks wrong. */
  readonly notices: readonly string[];
  /** What the derivatives of the training loss took so far. */
  readonly profile: () => RunProfile;
  /** Ends the work of other threads on this run. */
  readonly dispose: () => void;
}

/** What a run minimises: its parameters, where they start, its data if it has some, and the loss. */
export interface Problem {
  readonly parameters: Model["parameters"];
  readonly initialWeights: Model["initialWeights"];
  readonly dataset: Dataset | undefined;
  /** @param examples those to take the mean over; a loss of the weights alone has none */
  readonly loss: (examples: LabelledExamples | undefined) => LossDefinition;
  /** Present for a network by name on real inputs. */
  readonly reducible?: Reducible;
}

/** A file of the user's, evaluated by the host. */
function ownPart<K extends FileKind>(
  kind: K,
  { file, sha256 }: { readonly file: string; readonly sha256: string },
  { loadFile }: Host,
): OwnParts[K] {
  if (!loadFile)
    throw valueError(fileWord(kind, file), "a host that runs files", "none", "take a part by name");
  return loadFile(kind, file, sha256);
}

function datasetOf({ data }: Pick<RunConfig, "data">, host: Host): Dataset {
  const { readFile = noFiles } = host;
  if (data.name === "own")
    return makeDataset(ownPart("data", data, host), data.options, readFile, fileWord("data", data.file));
  return loadDataset(data.name, valuesOf(data), readFile);
}

/**
 * The data of a configuration with the network that fits them, or its loss of the weights alone. Throws where the one or
 * the other cannot be had. Runs files of the user's.
 */
export function problemOf(config: Pick<RunConfig, "data" | "arch">, host: Host): Problem {
  const { arch } = config;
  if (arch.name === "loss") {
    const where = fileWord("loss", arch.file);
    const own = ownPart("loss", arch, host);
    const { loss, ...built } = checkedLoss(where, own.build(settle(where, own, arch.options)));
    return { ...built, dataset: undefined, loss: () => ({ parameters: built.parameters, loss }) };
  }
  const dataset = datasetOf(config, host);
  const shape = {
    inputShape: dataset.inputShape,
    outputDim: dataset.outputDim,
    ...(dataset.vocabulary !== undefined && {
      vocabulary: dataset.vocabulary,
      // One label for a whole sequence is answered at its last position.
      lastOnly: dataset.train.labelShape.length === 0,
    }),
  };
  const where = arch.name === "own" ? fileWord("arch", arch.file) : undefined;
  const model =
    where !== undefined && arch.name === "own"
      ? checkedNetwork(where, buildModel(ownPart("arch", arch, host), shape, arch.options, where), dataset)
      : modelNamed(arch.name, shape, valuesOf(arch));
  return {
    parameters: model.parameters,
    initialWeights: model.initialWeights,
    dataset,
    loss: (examples) => supervisedLoss(model, criterionOf(dataset), examples ?? dataset.train),
    ...(arch.name !== "own" && {
      reducible: {
        model,
        dataset,
        withInputs: (count) => modelNamed(arch.name, { ...shape, inputShape: [count] }, valuesOf(arch)),
      },
    }),
  };
}

const criterionOf = ({ criterion }: Dataset) => criterion as typeof criterion & RowCriterion;

/** The problem that a run moves, and its start, where that is over the row space of the inputs. */
function reducedProblem(
  { rowSpace, load, observe, opt }: RunConfig,
  rule: UpdateRule,
  problem: Problem,
  weights: Float64Array,
  { shouldStop }: Host,
): (Problem & { readonly coordinates: Coordinates; readonly start: Float64Array }) | undefined {
  if (rowSpace === "off") return undefined;
  const obstacle =
    leavesRowSpace(rule) ??
    (opt.name === "own" ? "a rule from a file, which may tell directions apart" : undefined) ??
    (opt.centralize !== "none" ? "--opt.centralize" : undefined) ??
    (load.path !== null ? "--load.path, whose weights began elsewhere" : undefined) ??
    (observe ? "an observed quantity of the network's weights" : undefined) ??
    (problem.reducible ? undefined : "a network or loss from a file");
  const { reducible } = problem;
  if (obstacle !== undefined || !reducible) {
    if (rowSpace === "auto") return undefined;
    throw valueError("--row-space on", "what keeps to the row space of the inputs", obstacle ?? "none");
  }
  const reduced = overRowSpace(reducible, weights, rowSpace === "on", shouldStop);
  if (!reduced) return undefined;
  const { dataset } = reducible;
  const { train, test, coordinates } = reduced;
  return {
    ...problem,
    parameters: train.model.parameters,
    loss: (examples) => {
      const part = test && examples === dataset.test ? test : train;
      return supervisedLoss(part.model, criterionOf(dataset), part.examples);
    },
    coordinates,
    start: reduced.weights,
  };
}

/**
 * Builds what a configuration describes. Throws, with a sentence, where the configuration cannot be run.
 *
 * @param host what the machine gives: files, threads
 */
export function buildRun(config: RunConfig, host: Host): BuiltRun {
  const { rule: updateRule, notices } = ruleOf(config, host);
  const network = problemOf(config, host);
  const { dataset } = network;
  const start = initialWeights(config, host, network);
  const reduced = reducedProblem(config, updateRule, network, start.weights, host);
  const problem = reduced ?? network;
  const coordinates = reduced?.coordinates;
  const weights = reduced?.start ?? start.weights;
  const { backend, notice } = selectBackend(config.backend);
  const options = {
    ...objectiveOptions(config),
    backend,
    threads: config.threads === "auto" ? (host.threads ?? 1) : config.threads,
    timed: config.profile,
    ...(host.shouldStop && { shouldStop: host.shouldStop }),
  };
  const objective = new Objective(problem.loss(dataset?.train), options);
  const batches = batchesOf(
    config,
    objective,
    (batch) => new Objective(problem.loss(dataset?.train), { ...options, batch }),
  );
  const testObjective = dataset?.test && new Objective(problem.loss(dataset.test), options);
  const { centralize } = config.opt;
  const rule = compileRule(
    centralize === "none"
      ? updateRule
      : withProjection(updateRule, centralization(problem.parameters, centralize)),
    objective.dimension,
    backend,
  );
  const { observe } = config;
  let simulation: Simulation | undefined;
  const plan: SimulationPlan = {
    objective,
    rule,
    initialWeights: weights,
    warmStart: config.load.path === null ? config.warmStart : 0,
    precision: config.discrete.precision,
    ...(batches && { batches: batches.drawn }),
    processes: processPlans(config),
    central: {
      substeps: config.central.nsubsteps,
      criticalThreshold: config.central.sdcpThreshold,
      frequencyInSubsteps: config.central.frequencyInSubsteps,
      ...(config.central.integrator !== "auto" && { integrator: config.central.integrator }),
    },
    stable: {
      minSubsteps: config.stable.minNsubsteps,
      maxSharpness: config.stable.maxSeff,
      ...(config.stable.integrator !== "auto" && { integrator: config.stable.integrator }),
    },
    noisy: config.noisy,
    twoStep: config.twoStep,
    rod: config.rod,
    edge: config.edge,
    seed: config.seed,
    watched: {
      train: dataset && watchedExamples(dataset, dataset.train),
      test: dataset?.test &&
        testObjective && { ...watchedExamples(dataset, dataset.test), objective: testObjective },
      ...(coordinates && { selected: coordinates.selected }),
      ...(observe && {
        measure: measureOf(
          fileWord("observe", observe.file),
          ownPart("observe", observe, host),
          observe.options,
          problem.parameters,
          updateRule,
        ),
      }),
    },
  };
  const { threads } = objective;
  return {
    dataset,
    objective,
    rule,
    start: weights,
    ...(batches && { batches: batches.drawn }),
    coordinates,
    get simulation() {
      simulation ??= new Simulation(plan);
      return simulation;
    },
    criticalValue: rule.rule.criticalValue,
    backend: backend.name,
    threads,
    notices: [
      notice,
      threadsNotice(config, options.threads, threads, backend),
      start.notice,
      coordinates &&
        `the first layer is computed in the ${coordinates.rank} of ${coordinates.inputs} dimensions that the training inputs span (--row-space)`,
      ...notices,
    ].filter((line) => line !== undefined),
    profile: () => ({
      threads,
      chunks: objective.chunks,
      preparation: objective.preparation,
      stages: objective.profile(),
    }),
    dispose: () => {
      objective.dispose();
      testObjective?.dispose();
      batches?.objective.dispose();
    },
  };
}

/** The mini-batches that a configuration asks for, with the objective that they move. */
function batchesOf(
  { data, seed }: RunConfig,
  { examples }: Objective,
  objectiveOf: (size: number) => Objective,
): { readonly drawn: MiniBatches; readonly objective: Objective } | undefined {
  if (data.name === "none" || data.batchSize === null) return undefined;
  const { batchSize, batchReplacement: replacement, batchSeed } = data;
  if (batchSize > examples)
    throw valueError(
      "--data.batch-size",
      `at most ${examples}, the number of training examples, or all`,
      String(batchSize),
    );
  const objective = objectiveOf(batchSize);
  const sampling = { examples, replacement, seed: batchSeed === "auto" ? seed : batchSeed };
  return { drawn: new MiniBatches(objective, sampling), objective };
}

/** A line where fewer threads compute than were asked for, or than the machine has cores where there is a reason to name. */
function threadsNotice(
  { threads: asked }: RunConfig,
  wanted: number,
  threads: number,
  backend: Backend,
): string | undefined {
  if (wanted <= threads) return undefined;
  const obstacle = threads === 1 ? backend.threadsObstacle?.() : undefined;
  if (obstacle !== undefined) return `using one thread: ${obstacle}`;
  if (asked === "auto") return undefined;
  if (backend.name === "js") return "using one thread: the js backend has no more";
  return threads === 1
    ? "using one thread: the network calls back into JavaScript"
    : `using ${threads} threads, the most there can be`;
}

function objectiveOptions({ chunk, memory, data }: RunConfig): ObjectiveOptions {
  const ghost = "ghostBatchSize" in data && data.ghostBatchSize > 0 ? data.ghostBatchSize : undefined;
  const examples = chunk === "auto" ? ghost : chunk;
  return { ...(examples !== undefined && { chunk: examples }), ...(memory !== "auto" && { memory }) };
}

function watchedExamples({ criterion, outputDim }: Dataset, examples: Examples): WatchedExamples {
  const { n, labels, labelShape } = examples;
  // Whether an answer is right can only be told of classes.
  if (criterion === "regression" || typeof criterion === "function")
    return {
      examples: n,
      outputShape: criterion === "regression" && labelShape.length > 0 ? labelShape : [outputDim],
    };
  return {
    examples: n,
    accuracy: (outputs) => accuracy(criterion, outputs, labels),
    outputShape: [...labelShape, outputDim],
  };
}

/** η of a run's optimizer; schedules that last "the run" end with its last step. */
const rateOf = ({ opt, steps, warmStart }: RunConfig): number | Schedule =>
  learningRateOf(opt, steps + Math.max(0, warmStart));

/** The rule of a run; a custom one is run and checked, with sentences on what looks wrong. */
function ruleOf(config: RunConfig, host: Host): { rule: UpdateRule; notices: readonly string[] } {
  const { opt } = config;
  if (opt.name !== "own") return { rule: ruleWith(optimizers[opt.name], opt, rateOf(config)), notices: [] };
  const own = ownPart("opt", opt, host);
  if (own.optimizer) {
    const { optimizer } = own;
    const values = { ...opt.options, weightDecay: opt.weightDecay };
    const notices = checkUpdateRule(ruleWith(optimizer, values, opt.lr));
    return { rule: ruleWith(optimizer, values, rateOf(config)), notices };
  }
  const definition = own.define({ lr: opt.lr, ...opt.options });
  const context = { name: ruleName(opt.file), lr: opt.lr, weightDecay: opt.weightDecay };
  const notices = checkUpdateRule(defineRule(definition, context));
  const lr = rateOf(config);
  return {
    rule:
      typeof lr === "number"
        ? defineRule(definition, context)
        : defineRule(definition, { ...context, schedule: lr }),
    notices,
  };
}

/** The edge of stability of the effective sharpness under a run's optimizer. A custom rule is not run for it. */
export function criticalValueOf(config: RunConfig): number {
  const { opt } = config;
  if (opt.name !== "own") return ruleWith(optimizers[opt.name], opt, rateOf(config)).criticalValue;
  if (opt.criticalValue !== null) return opt.criticalValue;
  throw valueError("config.json", "opt.critical_value, which the run has written", "none");
}

function processPlans(config: RunConfig): ProcessPlan[] {
  return config.runs.map((kind) => {
    const eig = eigOf(config, kind);
    return {
      kind: kind satisfies ProcessKind,
      eigen: {
        frequency: eig.frequency,
        trackThreshold: eig.trackThreshold,
        initialCount: eig.initialNeigs,
        solver: eig.solver === "lobpcg" ? "lobpcg" : "lanczos",
        tolerance: eig.tol,
      },
      rawEigenvalues: eig.rawEigenvalues,
    };
  });
}

/** Stands in for `Host.readFile`. */
function noFiles(path: string): never {
  throw valueError("readFile", "a host that reads files", `none, for ${path}`, "hand in readFile");
}

/** What a rule is called where it does not name itself: its file without folder and ending. */
export const ruleName = (file: string): string => file.replace(/^.*[/\\]/s, "").replace(/(?<=.)\.[^.]*$/, "");

/** Drawn from the seed, or read from a file. */
function initialWeights(
  { init, seed }: RunConfig,
  { readFile = noFiles }: Host,
  { parameters, ...problem }: Problem,
): Partial<WeightsFromFile> & Pick<WeightsFromFile, "weights"> {
  if (init === null) return { weights: problem.initialWeights(new Random(seed, "initial weights")) };
  const bytes = readFile(init);
  if (!bytes) throw valueError("--init", "an .npz or .safetensors file", `${init}, where there is none`);
  return weightsFromFile(init, bytes, parameters);
}
