import { PROCESSES, type ProcessKind, type SettledKind } from "../flows/index.ts";

/** The processes that the reference has, each with its own eigenvalue settings. */
export const REFERENCE_PROCESSES: readonly SettledKind[] = PROCESSES.flatMap(({ kind, eigenSettings }) =>
  kind === eigenSettings ? [eigenSettings] : [],
);
export type ReferenceProcess = SettledKind;

/**
 * How the learning rate changes: constant; warmup: linear growth over the first `warmupSteps`; cosine: the same
 * growth, then half a cosine down to lr·`finalFraction` at `totalSteps` (−1: the last step, warm start included);
 * step: times `stepFactor` every `stepEvery` steps. Settings that a schedule does not read keep their defaults.
 */
export interface ScheduleConfig {
  readonly schedule: "constant" | "warmup" | "cosine" | "step";
  readonly warmupSteps: number;
  readonly totalSteps: number;
  readonly finalFraction: number;
  readonly stepEvery: number;
  readonly stepFactor: number;
}

/** What every optimizer has. */
export interface LearningRate extends ScheduleConfig {
  readonly lr: number;
  /** λ of decoupled decay: a step takes η·λ times the weights away. */
  readonly weightDecay: number;
}

export interface SecondMoment {
  readonly beta2: number;
  /** Added outside the root. */
  readonly eps: number;
  readonly biasCorrection: boolean;
}

export interface FirstMoment {
  readonly beta1: number;
}

export interface MomentumForm {
  /** What η multiplies: the sum of gradients (polyak) or their average. */
  readonly momentumForm: "polyak" | "average";
}

/** A value of an option that an update rule in a file declares. */
export type OptionValue = number | boolean | string;

/** A custom update rule, `opt:FILE` on the command line. */
export interface OwnRuleConfig extends LearningRate {
  readonly name: "own";
  /** The file, as it was named. */
  readonly file: string;
  /** The hash of its bytes. */
  readonly sha256: string;
  /** c as the rule gives it; null until the rule has been run. */
  readonly criticalValue: number | null;
  /** The options that the file declares, lr left out. */
  readonly options: Readonly<Record<string, OptionValue>>;
}

/** The optimizers that are there by name. */
export type NamedOptConfig =
  | ({ readonly name: "gd" } & LearningRate)
  | ({ readonly name: "scalar-rmsprop" | "rmsprop" } & LearningRate & SecondMoment)
  | ({ readonly name: "heavy-ball" | "nesterov" } & LearningRate & FirstMoment & MomentumForm)
  | ({ readonly name: "scalar-adam" | "adam" | "scalar-nadam" | "nadam" } & LearningRate &
      FirstMoment &
      SecondMoment);

export type OptConfig = NamedOptConfig | OwnRuleConfig;

export type Criterion = "ce" | "mse";
/** A number of classes; `binary`: two classes on one output; null: as many as the data have. */
export type ClassCount = number | "binary" | null;

export interface AnyData {
  /** The reference's bound on examples per chunk, −1 for all; used where `chunk` is "auto". */
  readonly ghostBatchSize: number;
  readonly cacheDir: string;
}

export interface ImageData extends AnyData {
  readonly criterion: Criterion;
  readonly n: number;
  readonly classes: ClassCount;
}

export interface SequenceData extends AnyData {
  readonly criterion: Criterion;
  readonly n: number;
  readonly nTest: number;
  readonly vocabSize: number;
  readonly length: number;
}

export interface PointData extends AnyData {
  readonly n: number;
  readonly nTest: number;
  readonly seed: number;
}

export type DataConfig =
  | ({ readonly name: "digits" | "cifar10" | "mnist" | "fashion-mnist" } & ImageData)
  | ({ readonly name: "sst2"; readonly criterion: Criterion; readonly n: number } & AnyData)
  | ({ readonly name: "sorting" | "copying" } & SequenceData)
  | ({ readonly name: "moons"; readonly noise: number } & PointData)
  | ({ readonly name: "circles"; readonly noise: number; readonly factor: number } & PointData)
  | ({ readonly name: "classification"; readonly classes: number; readonly nFeatures: number } & PointData)
  | ({
      readonly name: "npz";
      readonly path: string;
      readonly criterion: Criterion;
      readonly classes: ClassCount;
      /** Different tokens, for integer inputs; null: one more than the largest. */
      readonly vocabSize: number | null;
    } & AnyData);

export type Activation = "gelu" | "silu" | "tanh" | "relu";

export type ArchConfig =
  | { readonly name: "mlp" | "cnn"; readonly activation: Activation; readonly width: number }
  | {
      readonly name: "resnet";
      readonly activation: Activation;
      readonly width: number;
      readonly stageSizes: readonly number[];
    }
  | {
      readonly name: "vit";
      readonly patchSize: number;
      readonly dim: number;
      readonly depth: number;
      readonly mlpDim: number;
      readonly numHeads: number;
      readonly pool: "cls" | "mean";
      readonly replaceLn: boolean;
      readonly trainableLn: boolean;
      readonly simple: boolean;
      readonly initScale: number;
    }
  | { readonly name: "lstm"; readonly layers: number; readonly embdDim: number; readonly hiddenDim: number }
  | {
      readonly name: "transformer";
      readonly layers: number;
      readonly dModel: number;
      readonly nhead: number;
      readonly replaceLn: boolean;
      readonly weightMultiplier: number;
    }
  | {
      readonly name: "mamba";
      readonly layers: number;
      readonly dModel: number;
      readonly binary: boolean;
      readonly pscan: boolean;
      readonly initScale: number;
    };

export interface EigConfig {
  /** Steps between recomputations of the eigenpairs; −1: never. */
  readonly frequency: number;
  readonly trackThreshold: number;
  readonly initialNeigs: number;
  /** `scipy` is the reference's name for Lanczos. */
  readonly solver: "lobpcg" | "scipy" | "lanczos";
  readonly tol: number;
  /** Bound on the Hessian-vector products applied at once, −1 for none. */
  readonly chunkSize: number;
  readonly rawEigenvalues: boolean;
}

/** Settings of one process that replace the common ones where they are not null. */
export type EigOverride = { readonly [K in keyof EigConfig]: EigConfig[K] | null };

/** euler, leapfrog, or auto: leapfrog for optimizers that average gradients, else euler, as the reference. */
export type IntegratorName = "auto" | "euler" | "leapfrog";

export interface CentralConfig {
  readonly nsubsteps: number;
  readonly integrator: IntegratorName;
  readonly sdcpThreshold: number;
  /** Whether the eigenvalue frequency counts substeps instead of steps. */
  readonly frequencyInSubsteps: boolean;
}

export interface DiscreteConfig {
  /** What the weights of the optimizer and its midpoints are rounded to after each step, in the warm start too. */
  readonly precision: "float64" | "float32";
}

export interface StableConfig {
  readonly minNsubsteps: number;
  readonly integrator: IntegratorName;
  /** The flow stops for good above this effective sharpness; null: never. */
  readonly maxSeff: number | null;
}

export interface CheckpointConfig {
  /** Steps between checkpoints; −1: none but those in `steps`. */
  readonly frequency: number;
  readonly steps: readonly number[];
}

export interface LogConfig {
  /** Rows between those that hold the network's outputs; the first has them. 1: every row, as the reference. */
  readonly outputsEvery: number;
}

export interface LoadConfig {
  readonly path: string | null;
  /** The process of the checkpoint that every process continues from; null: each from its own. */
  readonly fromProcess: ReferenceProcess | null;
}

/** The settings of a run that stand under no prefix. */
export interface GeneralConfig {
  /** Processes, each once, in the order of the table of processes. */
  readonly runs: readonly ProcessKind[];
  readonly steps: number;
  /** Discrete steps taken before the processes start; ≤ 0: none. */
  readonly warmStart: number;
  readonly seed: number;
  readonly expid: string;
  /** An .npz file with initial weights in the array `w0` or `w`; null: drawn from the seed. */
  readonly init: string | null;
  readonly backend: "auto" | "js" | "wasm";
  readonly threads: number | "auto";
  /** Bytes that chunk residuals may take. */
  readonly memory: number | "auto";
  /** Examples per chunk. */
  readonly chunk: number | "auto";
  /** The output folder; null: EXPERIMENT_DIR (or experiments) and the expid. */
  readonly out: string | null;
  readonly quiet: boolean;
  readonly json: boolean;
  /** Whether to measure what each stage of the derivatives takes. */
  readonly profile: boolean;
}

/** Everything that determines a run. */
export interface RunConfig extends GeneralConfig {
  readonly opt: OptConfig;
  readonly data: DataConfig;
  readonly arch: ArchConfig;
  readonly eig: EigConfig;
  readonly discrete: DiscreteConfig & { readonly eig: EigOverride };
  readonly midpoint: { readonly eig: EigOverride };
  readonly central: CentralConfig & { readonly eig: EigOverride };
  readonly stable: StableConfig & { readonly eig: EigOverride };
  readonly checkpoint: CheckpointConfig;
  readonly load: LoadConfig;
  readonly log: LogConfig;
}

export type Part = "opt" | "data" | "arch";
export type OptName = OptConfig["name"];
export type DataName = DataConfig["name"];
export type ArchName = ArchConfig["name"];

/** Which optimizer, data set and architecture a run has. */
export interface Selection {
  readonly opt: OptName;
  readonly data: DataName;
  readonly arch: ArchName;
  /** With opt "own": the options that the rule declares, with their defaults. */
  readonly ownOptions?: Readonly<Record<string, OptionValue>>;
}
