import { choice, countOrMinusOne, flag, integer, type Kind, list, number, orWord, text } from "./kinds.ts";
import type {
  ArchConfig,
  DataConfig,
  LearningRate,
  NamedOptConfig,
  OwnRuleConfig,
  ScheduleConfig,
} from "./types.ts";

/** One setting: its kind, its default (absent: required) and the sentence that help prints. */
export interface Field<V> {
  readonly kind: Kind<V>;
  readonly default?: V;
  readonly help: string;
  /** A value to show in the error for a missing one. */
  readonly example?: string;
  /** The flag, where it is not the key with hyphens. */
  readonly spelled?: string;
  /** Not a flag: found out by the run and kept in its config.json. */
  readonly recorded?: boolean;
}

/** One field for each key of T: a setting without an entry here does not compile. */
export type Fields<T> = { readonly [K in keyof T]-?: Field<T[K]> };

// The member of the union C that carries the name N, without the name.
type Named<C extends { readonly name: string }, N> = C extends unknown
  ? N extends C["name"]
    ? Omit<C, "name">
    : never
  : never;

type Options<C extends { readonly name: string }> = {
  readonly [N in C["name"]]: {
    /** The name of the reference's class, which its config.json carries. */
    readonly className: string;
    readonly help: string;
    readonly fields: Fields<Named<C, N>>;
  };
};

const positive = integer({ min: 1 });
const count = integer({ min: 0 });
const seed = integer({ min: 0, max: 2 ** 32 - 1 });

const lr: Field<number> = {
  kind: number({ over: 0 }),
  help: "learning rate η",
  example: "0.02",
};

const weightDecay: Field<number> = {
  kind: number({ min: 0 }),
  default: 0,
  help: "decoupled decay λ: a step takes off η·λ",
};

const schedule: Fields<ScheduleConfig> = {
  schedule: {
    kind: choice("constant", "warmup", "cosine", "step"),
    default: "constant",
    help: "how η changes over the steps",
  },
  warmupSteps: { kind: count, default: 0, help: "steps of linear growth to η (warmup, cosine)" },
  totalSteps: {
    kind: countOrMinusOne,
    default: -1,
    help: "step at which the cosine ends; -1: the last one",
  },
  finalFraction: {
    kind: number({ over: 0, max: 1 }),
    default: 0.001,
    help: "where the cosine ends, as part of η; not 0",
  },
  stepEvery: { kind: countOrMinusOne, default: -1, help: "steps between two drops (step)", example: "100" },
  stepFactor: { kind: number({ over: 0 }), default: 0.5, help: "what a drop multiplies η by (step)" },
};

const beta2: Field<number> = {
  kind: number({ min: 0, under: 1 }),
  help: "decay β2 of the average of squared gradients",
  example: "0.99",
};
const eps: Field<number> = { kind: number({ min: 0 }), default: 0, help: "ε, added outside the root" };
const biasCorrection: Field<boolean> = { kind: flag, default: false, help: "divide ν by 1 − β2^t" };
const beta1: Field<number> = {
  kind: number({ min: 0, under: 1 }),
  default: 0.9,
  help: "decay β1 of the average of gradients",
};
const momentumForm: Field<"polyak" | "average"> = {
  kind: choice("polyak", "average"),
  default: "polyak",
  help: "η times the sum of gradients, or times their average",
};
/** Adam's own defaults. */
const moments = {
  beta1,
  beta2: { ...beta2, default: 0.999 },
  eps: { ...eps, default: 1e-8 },
  biasCorrection: { ...biasCorrection, default: true, help: "divide averages by 1 − β^t" },
};

/** What every optimizer has. */
export const everyOptimizer: Fields<LearningRate> = { lr, weightDecay, ...schedule };

/** What config.json keeps of a custom rule besides its options. */
export const ownRuleRecord: Fields<Pick<OwnRuleConfig, "file" | "sha256" | "criticalValue">> = {
  file: { kind: text("FILE"), help: "the file with the rule", recorded: true },
  sha256: { kind: text("HASH"), help: "the hash of the file", recorded: true },
  criticalValue: {
    kind: orWord(number({ over: 0 }), "none", null),
    default: null,
    help: "c as the rule gives it",
    recorded: true,
  },
};

export const optimizers: Options<NamedOptConfig> = {
  gd: { className: "GradientDescent", help: "gradient descent", fields: { lr, weightDecay, ...schedule } },
  "scalar-rmsprop": {
    className: "ScalarRMSProp",
    help: "RMSProp with one second moment for all weights",
    fields: { lr, beta2, eps, biasCorrection, weightDecay, ...schedule },
  },
  rmsprop: {
    className: "RMSProp",
    help: "RMSProp with a second moment for each weight",
    fields: { lr, beta2, eps, biasCorrection, weightDecay, ...schedule },
  },
  "heavy-ball": {
    className: "HeavyBall",
    help: "gradient descent with momentum",
    fields: { lr, beta1, momentumForm, weightDecay, ...schedule },
  },
  nesterov: {
    className: "Nesterov",
    help: "Nesterov's momentum",
    fields: { lr, beta1, momentumForm, weightDecay, ...schedule },
  },
  "scalar-adam": {
    className: "ScalarAdam",
    help: "Adam with one second moment for all weights",
    fields: { lr, ...moments, weightDecay, ...schedule },
  },
  adam: {
    className: "Adam",
    help: "Adam, with weight decay AdamW",
    fields: { lr, ...moments, weightDecay, ...schedule },
  },
  "scalar-nadam": {
    className: "ScalarNAdam",
    help: "NAdam with one second moment for all weights",
    fields: { lr, ...moments, weightDecay, ...schedule },
  },
  nadam: {
    className: "NAdam",
    help: "Adam with Nesterov's momentum",
    fields: { lr, ...moments, weightDecay, ...schedule },
  },
};

const anyData = {
  ghostBatchSize: {
    kind: countOrMinusOne,
    default: -1,
    help: "examples per chunk where --chunk is auto; -1: all at once",
  },
  cacheDir: { kind: text("DIR"), default: "data_cache", help: "folder of downloaded or converted data" },
} as const;

const criterion: Field<"ce" | "mse"> = {
  kind: choice("ce", "mse"),
  help: "cross-entropy, or half the squared error",
  example: "mse",
};
const classKind = orWord(orWord(integer({ min: 2 }), "binary", "binary"), "none", null);
const n: Field<number> = { kind: positive, help: "training examples to keep", example: "1000" };
const nTest = (test: number): Field<number> => ({ kind: count, default: test, help: "test examples" });
const noise: Field<number> = {
  kind: number({ min: 0 }),
  default: 0.2,
  help: "standard deviation of the noise",
};

const images = (className: string, help: string) =>
  ({
    className,
    help,
    fields: {
      ...anyData,
      criterion,
      n,
      classes: { kind: classKind, default: 10, help: "classes to keep; binary: two, on one output" },
    },
  }) as const;

const sequences = (className: string, help: string) =>
  ({
    className,
    help,
    fields: {
      ...anyData,
      criterion,
      n: { ...n, default: 1000 },
      nTest: nTest(1000),
      vocabSize: { kind: integer({ min: 2 }), default: 4, help: "different tokens" },
      length: { kind: positive, default: 8, help: "tokens in a sequence" },
    },
  }) as const;

export const dataSets: Options<DataConfig> = {
  digits: {
    className: "Digits",
    help: "8×8 handwritten digits, built in",
    fields: {
      ...anyData,
      criterion: { ...criterion, default: "mse" },
      n: { ...n, kind: integer({ min: 1, max: 1797 }), default: 200 },
      classes: { kind: classKind, default: 10, help: "classes to keep; binary: two, on one output" },
    },
  },
  cifar10: images("CIFAR10", "32×32 colour images, from files in --data.cache-dir"),
  mnist: images("MNIST", "28×28 handwritten digits, from files in --data.cache-dir"),
  "fashion-mnist": images("FashionMNIST", "28×28 pictures of clothes, from files in --data.cache-dir"),
  sst2: {
    className: "SST2",
    help: "sentences and their sentiment, from files in --data.cache-dir",
    fields: { ...anyData, criterion, n },
  },
  sorting: sequences("Sorting", "sort a sequence of tokens"),
  copying: sequences("Copying", "repeat a sequence of tokens"),
  moons: {
    className: "Moons",
    help: "two half circles in the plane",
    fields: {
      ...anyData,
      n: { ...n, default: 200 },
      nTest: nTest(100),
      noise,
      seed: { kind: seed, default: 10, help: "seed of the points" },
    },
  },
  circles: {
    className: "Circles",
    help: "two concentric circles in the plane",
    fields: {
      ...anyData,
      n: { ...n, default: 200 },
      nTest: nTest(100),
      noise,
      factor: { kind: number({ min: 0, under: 1 }), default: 0.8, help: "inner radius over outer radius" },
      seed: { kind: seed, default: 10, help: "seed of the points" },
    },
  },
  classification: {
    className: "Classification",
    help: "Gaussian clusters",
    fields: {
      ...anyData,
      n: { ...n, default: 100 },
      nTest: nTest(100),
      classes: { kind: integer({ min: 2 }), default: 2, help: "number of classes" },
      nFeatures: { kind: positive, default: 20, help: "dimension of a point" },
      seed: { kind: seed, default: 0, help: "seed of the points" },
    },
  },
  npz: {
    className: "Npz",
    help: "your arrays, used as they are",
    fields: {
      ...anyData,
      path: { kind: text("FILE"), help: "an .npz file with inputs and labels", example: "my-data.npz" },
      criterion,
      classes: { kind: classKind, default: null, help: "outputs; none: the largest label plus one" },
      vocabSize: {
        kind: orWord(positive, "none", null),
        default: null,
        help: "different tokens; none: the largest plus one",
      },
    },
  },
};

const activation: Field<"gelu" | "silu" | "tanh" | "relu"> = {
  kind: choice("gelu", "silu", "tanh", "relu"),
  default: "gelu",
  help: "activation function",
};
const width = (units: number): Field<number> => ({ kind: positive, default: units, help: "width" });
const layers = (depth: number): Field<number> => ({ kind: positive, default: depth, help: "layers" });
const replaceLn: Field<boolean> = {
  kind: flag,
  default: true,
  help: "layer norms written out, with the unbiased deviation",
};

export const architectures: Options<ArchConfig> = {
  mlp: {
    className: "MLP",
    help: "three dense layers",
    fields: { activation, width: width(256) },
  },
  cnn: {
    className: "CNN",
    help: "two convolutions, two dense layers",
    fields: { activation, width: width(32) },
  },
  resnet: {
    className: "Resnet",
    help: "residual blocks of convolutions",
    fields: {
      activation,
      width: width(16),
      stageSizes: { kind: list(positive, 1), default: [3, 3, 3], help: "blocks in each stage" },
    },
  },
  vit: {
    className: "VIT",
    help: "vision transformer",
    fields: {
      patchSize: { kind: positive, default: 4, help: "side of a patch in pixels" },
      dim: { kind: positive, default: 64, help: "width of a token, a multiple of 4" },
      depth: { kind: positive, default: 4, help: "blocks" },
      mlpDim: { kind: positive, default: 256, help: "width of the feed-forward layers" },
      numHeads: { kind: positive, default: 8, help: "attention heads, each 64 wide" },
      pool: { kind: choice("cls", "mean"), default: "cls", help: "how tokens are pooled (unless simple)" },
      replaceLn,
      trainableLn: { kind: flag, default: true, help: "layer norms have weights" },
      simple: { kind: flag, default: true, help: "fixed positions and mean pooling" },
      initScale: { kind: number(), default: 0, help: "factor on the initial output layer" },
    },
  },
  lstm: {
    className: "LSTM",
    help: "stacked LSTM cells",
    fields: {
      layers: layers(2),
      embdDim: { kind: positive, default: 48, help: "width of the embedding" },
      hiddenDim: { kind: positive, default: 48, help: "width of the cells" },
    },
  },
  transformer: {
    className: "Transformer",
    help: "transformer decoder",
    fields: {
      layers: layers(4),
      dModel: { kind: positive, default: 32, help: "width, a multiple of the heads" },
      nhead: { kind: positive, default: 4, help: "attention heads" },
      replaceLn,
      weightMultiplier: { kind: number(), default: 0, help: "factor on the initial output layer" },
    },
  },
  mamba: {
    className: "Mamba",
    help: "selective state spaces",
    fields: {
      layers: layers(2),
      dModel: { kind: positive, default: 64, help: "width" },
      binary: { kind: flag, default: false, help: "one output for the whole sequence" },
      pscan: { kind: flag, default: false, help: "the reference's parallel scan; same values" },
      initScale: { kind: number(), default: 0.1, help: "factor on the initial output layer" },
    },
  },
};
