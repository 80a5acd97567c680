import {
  type Backend,
  Objective,
  type ObjectiveOptions,
  type StageProfile,
  selectBackend,
} from "../autodiff/index.ts";
import { Random, type ShouldStop, valueError } from "../base/index.ts";
import { type Dataset, type Examples, loadDataset, type ReadFile } from "../data/index.ts";
import {
  type CompiledRule,
  checkUpdateRule,
  compileRule,
  defineRule,
  learningRateOf,
  optimizers,
  type ProcessKind,
  type RuleDefinition,
  ruleWith,
  type Schedule,
  type UpdateRule,
} from "../flows/index.ts";
import { accuracy, type Model, modelNamed, supervisedLoss } from "../models/index.ts";
import { eigOf, type OptionValue, type RunConfig, valuesOf } from "../settings/index.ts";
import { type WeightsFromFile, weightsFromFile } from "./initial-weights.ts";
import type { WatchedExamples } from "./observations.ts";
import { type ProcessPlan, Simulation, type SimulationPlan } from "./simulation.ts";

/** What the derivatives of a run's training loss took. */
export interface RunProfile {
  readonly threads: number;
  /** Seconds before the first step. */
  readonly preparation: Objective["preparation"];
  readonly stages: readonly StageProfile[];
}

/** An update rule from a file, as far as a run needs it. */
export interface LoadedRule {
  /** The rule that it makes of options. */
  readonly define: (options: Readonly<Record<string, OptionValue>>) => RuleDefinition;
}

/**
 * What a run needs of the machine it is on; a page in a browser hands in other things than Node does (`nodeHost` in the
 * layer `run`). What is absent is refused in words where a configuration needs it.
 */
export interface Host {
  /** Gives the bytes of a file, for data sets that are files and for `--init`. */
  readonly readFile?: ReadFile;
  /** Evaluates a file with an update rule, whose bytes must have the hash. */
  readonly loadRule?: (file: string, sha256: string) => LoadedRule;
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
  readonly dataset: Dataset;
  readonly model: Model;
  readonly objective: Objective;
  readonly rule: CompiledRule;
  /** The first weights, before any warm start. */
  readonly start: Float64Array;
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

/** The data of a configuration and the network that fits them. Throws where the one or the other cannot be had. */
export function modelOf(
  config: Pick<RunConfig, "data" | "arch">,
  { readFile = noFiles }: Host,
): { dataset: Dataset; model: Model } {
  const dataset = loadDataset(config.data.name, valuesOf(config.data), readFile);
  const model = modelNamed(
    config.arch.name,
    {
      inputShape: dataset.inputShape,
      outputDim: dataset.outputDim,
      ...(dataset.vocabulary !== undefined && {
        vocabulary: dataset.vocabulary,
        // One label for a whole sequence is answered at its last position.
        lastOnly: dataset.train.labelShape.length === 0,
      }),
    },
    valuesOf(config.arch),
  );
  return { dataset, model };
}

/**
 * Builds what a configuration describes. Throws, with a sentence, where the configuration cannot be run.
 *
 * @param host what the machine gives: files, threads
 */
export function buildRun(config: RunConfig, host: Host): BuiltRun {
  const { rule: updateRule, notices } = ruleOf(config, host);
  const { dataset, model } = modelOf(config, host);
  const { backend, notice } = selectBackend(config.backend);
  const options = {
    ...objectiveOptions(config),
    backend,
    threads: config.threads === "auto" ? (host.threads ?? 1) : config.threads,
    timed: config.profile,
    ...(host.shouldStop && { shouldStop: host.shouldStop }),
  };
  const objective = new Objective(supervisedLoss(model, dataset.criterion, dataset.train), options);
  const testObjective =
    dataset.test && new Objective(supervisedLoss(model, dataset.criterion, dataset.test), options);
  const rule = compileRule(updateRule, objective.dimension);
  const start = initialWeights(config, host, model);
  let simulation: Simulation | undefined;
  const plan: SimulationPlan = {
    objective,
    rule,
    initialWeights: start.weights,
    warmStart: config.load.path === null ? config.warmStart : 0,
    precision: config.discrete.precision,
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
    seed: config.seed,
    watched: {
      train: watchedExamples(dataset, dataset.train),
      test: dataset.test &&
        testObjective && { ...watchedExamples(dataset, dataset.test), objective: testObjective },
    },
  };
  const { threads } = objective;
  return {
    dataset,
    model,
    objective,
    rule,
    start: start.weights,
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
      ...notices,
    ].filter((line) => line !== undefined),
    profile: () => ({
      threads,
      preparation: objective.preparation,
      stages: objective.profile(),
    }),
    dispose: () => {
      objective.dispose();
      testObjective?.dispose();
    },
  };
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
  const ghost = data.ghostBatchSize > 0 ? data.ghostBatchSize : undefined;
  const examples = chunk === "auto" ? ghost : chunk;
  return { ...(examples !== undefined && { chunk: examples }), ...(memory !== "auto" && { memory }) };
}

function watchedExamples(dataset: Dataset, examples: Examples): WatchedExamples {
  return {
    accuracy: (outputs) => accuracy(dataset.criterion, outputs, examples.labels),
    outputShape: [...examples.labelShape, dataset.outputDim],
  };
}

/** η of a run's optimizer; schedules that last "the run" end with its last step. */
const rateOf = ({ opt, steps, warmStart }: RunConfig): number | Schedule =>
  learningRateOf(opt, steps + Math.max(0, warmStart));

/** The rule of a run; a custom one is run and checked, with sentences on what looks wrong. */
function ruleOf(config: RunConfig, { loadRule }: Host): { rule: UpdateRule; notices: readonly string[] } {
  const { opt } = config;
  if (opt.name !== "own") return { rule: ruleWith(optimizers[opt.name], opt, rateOf(config)), notices: [] };
  if (!loadRule)
    throw valueError(`opt:${opt.file}`, "a host that runs files", "none", "take an optimizer by name");
  const definition = loadRule(opt.file, opt.sha256).define({ lr: opt.lr, ...opt.options });
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
  model: Model,
): Partial<WeightsFromFile> & Pick<WeightsFromFile, "weights"> {
  if (init === null) return { weights: model.initialWeights(new Random(seed, "initial weights")) };
  const bytes = readFile(init);
  if (!bytes) throw valueError("--init", "an .npz or .safetensors file", `${init}, where there is none`);
  return weightsFromFile(init, bytes, model.parameters);
}
