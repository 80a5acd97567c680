import {
  choice,
  countOrMinusOne,
  either,
  flag,
  folderName,
  type IgnoredSetting,
  integer,
  type Kind,
  list,
  memorySize,
  nameSet,
  number,
  type Setting,
  type Settings,
  text,
} from "../base/index.ts";
import { NOISE_TERMS, PROCESS_DEFAULTS, PROCESS_KINDS, PROCESSES, type SettledKind } from "../flows/index.ts";

/** The processes that the reference has, each with its own eigenvalue settings. */
export const REFERENCE_PROCESSES: readonly SettledKind[] = PROCESSES.flatMap(({ kind, eigenSettings }) =>
  kind === eigenSettings ? [eigenSettings] : [],
);

const none = <V>(kind: Kind<V>) => either(kind, "none", null);
const auto = <V>(kind: Kind<V>) => either(kind, "auto", "auto");

/** The settings of a run that stand under no prefix. */
export const general = {
  runs: {
    kind: nameSet(...PROCESS_KINDS),
    default: REFERENCE_PROCESSES,
    help: "which run; all: docs/guide.md",
  },
  steps: { kind: integer({ min: 1 }), default: 50, help: "steps to take", decides: "length" },
  warmStart: { kind: integer({ min: -1 }), default: -1, help: "discrete steps before the start; -1: none" },
  seed: { kind: integer({ min: 0 }), default: 0, help: "seed of the initial weights" },
  expid: { kind: folderName, help: "name of the output folder (default: random)", decides: "nothing" },
  init: {
    kind: none(text("FILE")),
    default: null,
    help: "initial weights: .npz or .safetensors, by name, or w",
  },
  backend: {
    kind: choice("auto", "js", "wasm", "wasm-fma"),
    default: "auto",
    help: "what computes; same bits, but for wasm-fma",
  },
  threads: {
    kind: auto(integer({ min: 1 })),
    default: "auto",
    help: "threads; same bits",
    decides: "nothing",
  },
  /** Bytes that chunk residuals may take. */
  memory: { kind: auto(memorySize), default: "auto", help: "budget for what chunks keep, e.g. 512MiB" },
  rowSpace: {
    kind: choice("auto", "on", "off"),
    default: "auto",
    younger: true,
    help: "compute the first layer in the space that the inputs span",
  },
  chunk: { kind: auto(integer({ min: 1 })), default: "auto", help: "examples computed at once" },
  out: {
    kind: none(text("DIR")),
    default: null,
    help: "output folder (default: experiments/NAME)",
    decides: "nothing",
  },
  quiet: { kind: flag, default: false, help: "no progress", decides: "nothing" },
  json: { kind: flag, default: false, help: "print the summary as JSON", decides: "nothing" },
  profile: {
    kind: flag,
    default: false,
    help: "measure each stage of the derivatives, print it at the end",
    decides: "nothing",
  },
  device: {
    kind: none(text("NAME")),
    default: "cpu",
    help: "where the reference computes",
    decides: "nothing",
    ignored: "everything is computed on the CPU",
  } satisfies IgnoredSetting<string | null>,
} as const satisfies Settings;

/** How the eigenvalues of the effective Hessian are tracked. */
export const eig = {
  frequency: {
    kind: countOrMinusOne,
    default: -1,
    help: "steps between eigenvalue computations; -1: never",
  },
  trackThreshold: {
    kind: number({ over: 0 }),
    default: PROCESS_DEFAULTS.eigen.trackThreshold,
    help: "track every eigenvalue above this",
  },
  initialNeigs: {
    kind: integer({ min: 1 }),
    default: PROCESS_DEFAULTS.eigen.initialCount,
    help: "eigenvalues tracked at first",
  },
  solver: {
    kind: choice("lobpcg", "scipy", "lanczos"),
    default: PROCESS_DEFAULTS.eigen.solver,
    help: "eigensolver; scipy means lanczos",
  },
  tol: {
    kind: number({ over: 0, under: 1 }),
    default: PROCESS_DEFAULTS.eigen.tolerance,
    help: "tolerance of the eigensolver",
  },
  chunkSize: {
    kind: countOrMinusOne,
    default: -1,
    help: "directions applied at once",
    ignored: "memory is bounded by --memory and --chunk",
  } satisfies IgnoredSetting<number>,
  rawEigenvalues: { kind: flag, default: true, help: "also log eigenvalues of the plain Hessian" },
} as const satisfies Settings;

/** The eigenvalue settings of one process: each replaces the common one where it is not null. */
export const eigOverrides = Object.fromEntries(
  Object.entries<Setting<unknown>>(eig).map(([key, setting]) => [
    key,
    { ...setting, kind: none(setting.kind), default: null },
  ]),
);

/** Those of the stable flow, along which eigenvalues grow without bound. */
export const stableEigOverrides: Settings = {
  ...eigOverrides,
  trackThreshold: {
    ...eigOverrides.trackThreshold,
    ignored: "the stable flow tracks --stable.eig.initial-neigs eigenvalues",
  },
};

const integrator = {
  kind: choice("auto", "euler", "leapfrog"),
  default: "auto",
  help: "auto: leapfrog with momentum, else euler",
} as const satisfies Setting<"auto" | "euler" | "leapfrog">;

/** The central flow. */
export const central = {
  nsubsteps: {
    kind: integer({ min: 1 }),
    default: PROCESS_DEFAULTS.central.substeps,
    help: "substeps in a step",
  },
  integrator,
  sdcpThreshold: {
    kind: number({ over: 0, max: 2 }),
    default: PROCESS_DEFAULTS.central.criticalThreshold,
    help: "eigenvalues above this may be critical",
  },
  frequencyInSubsteps: { kind: flag, default: false, help: "the eigenvalue frequency counts substeps" },
} as const satisfies Settings;

/** The central flow with the noise of mini-batches. */
export const noisy = {
  variance: {
    kind: either(number({ min: 0 }), "measured", "measured"),
    default: "measured",
    help: "variance of each entry of a batch's gradient",
    younger: true,
  },
  terms: {
    kind: nameSet(...NOISE_TERMS),
    default: NOISE_TERMS,
    help: "parts of the noise",
    younger: true,
  },
  form: {
    kind: choice("lyapunov", "full"),
    default: "full",
    help: "the noise equation",
    younger: true,
  },
} as const satisfies Settings;

/** The stable flow, which stops for good above `maxSeff`. */
export const stable = {
  minNsubsteps: {
    kind: integer({ min: 1 }),
    default: PROCESS_DEFAULTS.stable.minSubsteps,
    help: "least number of substeps",
  },
  integrator,
  maxSeff: {
    kind: none(number({ over: 0 })),
    default: PROCESS_DEFAULTS.stable.maxSharpness,
    help: "stop above this effective sharpness",
    spelled: "max-Seff",
  },
} as const satisfies Settings;

/** The optimizer and its midpoints, in the warm start too. */
export const discrete = {
  precision: {
    kind: choice("float64", "float32"),
    default: "float64",
    help: "rounding of the optimizer's weights; flows: none",
    younger: true,
  },
} as const satisfies Settings;

/** The flows that carry their oscillation along: two-step and closure. */
export const twoStep = {
  seed: {
    kind: number({ over: 0 }),
    default: PROCESS_DEFAULTS.twoStep.seed,
    help: "amplitude from which oscillations grow, uᵀPδ",
    younger: true,
  },
  start: {
    kind: choice("split", "seed"),
    default: "split",
    help: "split the start into flow and oscillation, or begin at the seed",
    younger: true,
  },
} as const satisfies Settings;

/** The rod flows. */
export const rod = {
  rank: {
    kind: integer({ min: 1 }),
    default: PROCESS_DEFAULTS.rod.rank,
    help: "directions that the extent is kept in",
    younger: true,
  },
} as const satisfies Settings;

/** The edge flow. */
export const edge = {
  floor: {
    kind: number({ over: 0 }),
    default: PROCESS_DEFAULTS.edge.floor,
    help: "least amplitude of the oscillation, P-normalised",
    younger: true,
  },
} as const satisfies Settings;

/** When checkpoints are written. */
export const checkpoint = {
  frequency: {
    kind: countOrMinusOne,
    default: -1,
    help: "steps between checkpoints; -1: none",
    decides: "nothing",
  },
  steps: { kind: list(integer({ min: 0 })), default: [], help: "steps to save besides", decides: "nothing" },
} as const satisfies Settings;

/** A checkpoint to continue from; `fromProcess` is the process of it that every process continues from. */
export const load = {
  path: { kind: none(text("FILE")), default: null, help: "a checkpoint to continue from" },
  fromProcess: {
    kind: none(choice(...REFERENCE_PROCESSES)),
    default: null,
    help: "take this one of its processes for all",
  },
} as const satisfies Settings;

/** What rows hold. */
export const log = {
  /** The first row has the network's outputs too. */
  outputsEvery: {
    kind: integer({ min: 1 }),
    default: 10,
    help: "rows between network outputs; 1: as the reference",
    younger: true,
  },
} as const satisfies Settings;
