import type { Part, Settings, Values } from "../base/index.ts";
import type { batchSettings, datasets } from "../data/index.ts";
import type { optimizers, SettledKind, StepValues } from "../flows/index.ts";
import type { architectures } from "../models/index.ts";
import type {
  central,
  checkpoint,
  discrete,
  edge,
  eig,
  general,
  load,
  log,
  noisy,
  rod,
  stable,
  twoStep,
} from "./general.ts";

/** A process that the reference has too. */
export type ReferenceProcess = SettledKind;

// One of a list of parts, by its name, with its values.
type OneOf<L extends Readonly<Record<string, Part>>> = {
  [N in keyof L]: { readonly name: N } & Values<L[N]["settings"]>;
}[keyof L];

/** A value of an option that a file of the user's declares. */
export type OptionValue = number | boolean | string;

/** What a configuration keeps of a file of the user's, `arch:FILE` and so on. */
export interface OwnFile {
  /** The file, as it was named. */
  readonly file: string;
  /** The hash of its bytes. */
  readonly sha256: string;
  /** The options that the file declares; of a rule, lr left out. */
  readonly options: Readonly<Record<string, OptionValue>>;
}

/** A custom update rule, `opt:FILE` on the command line. */
export type OwnRuleConfig = StepValues &
  OwnFile & {
    readonly name: "own";
    /** c as the rule gives it; null until the rule has been run. */
    readonly criticalValue: number | null;
  };
/** Data from a file, `data:FILE`. */
export type OwnDataConfig = OwnFile &
  Values<typeof batchSettings> & { readonly name: "own"; readonly ghostBatchSize: number };
/** A network from a file, `arch:FILE`. */
export type OwnNetworkConfig = OwnFile & { readonly name: "own" };
/** A loss of the weights alone from a file, `loss:FILE`; it stands where a network would. */
export type OwnLossConfig = OwnFile & { readonly name: "loss" };
/** What stands where data would, beside a loss of the weights alone. */
export type NoDataConfig = { readonly name: "none" };
/** A quantity to log from a file, `observe:FILE`. */
export type OwnQuantityConfig = OwnFile & { readonly name: "own" };

/** The optimizers that are there by name. */
export type NamedOptConfig = OneOf<typeof optimizers>;
/** The optimizer of a run. */
export type OptConfig = NamedOptConfig | OwnRuleConfig;
/** The data sets that are there by name. */
export type NamedDataConfig = OneOf<typeof datasets>;
/** The data of a run. */
export type DataConfig = NamedDataConfig | OwnDataConfig | NoDataConfig;
/** The networks that are there by name. */
export type NamedArchConfig = OneOf<typeof architectures>;
/** The network of a run, or its loss of the weights alone. */
export type ArchConfig = NamedArchConfig | OwnNetworkConfig | OwnLossConfig;
/** The settings of a run that stand under no prefix. */
export type GeneralConfig = Values<typeof general>;
/** How eigenvalues are tracked. */
export type EigConfig = Values<typeof eig>;
/** Settings of one process that replace the common ones where they are not null. */
export type EigOverride = { readonly [K in keyof EigConfig]: EigConfig[K] | null };
/** The optimizer's arithmetic. */
export type DiscreteConfig = Values<typeof discrete>;
/** The central flow. */
export type CentralConfig = Values<typeof central>;
/** The central flow with noise. */
export type NoisyConfig = Values<typeof noisy>;
/** The stable flow. */
export type StableConfig = Values<typeof stable>;

/** Everything that determines a run. */
export type RunConfig = GeneralConfig & {
  readonly opt: OptConfig;
  readonly data: DataConfig;
  readonly arch: ArchConfig;
  /** A quantity of the user's to log; absent without one. */
  readonly observe?: OwnQuantityConfig;
  readonly eig: EigConfig;
  readonly discrete: DiscreteConfig & { readonly eig: EigOverride };
  readonly midpoint: { readonly eig: EigOverride };
  readonly noisy: NoisyConfig;
  readonly central: CentralConfig & { readonly eig: EigOverride };
  readonly stable: StableConfig & { readonly eig: EigOverride };
  /** The flows that carry their oscillation along. */
  readonly twoStep: Values<typeof twoStep>;
  /** The rod flows. */
  readonly rod: Values<typeof rod>;
  /** The edge flow. */
  readonly edge: Values<typeof edge>;
  readonly checkpoint: Values<typeof checkpoint>;
  readonly load: Values<typeof load>;
  readonly log: Values<typeof log>;
};

/** Optimizer, data set or network. */
export type PartName = "opt" | "data" | "arch";

/** What a run is made of: its three parts, and a quantity of the user's where it logs one. */
export type SlotName = PartName | "observe";

/** The words before a file of the user's on the command line. */
export type FileKind = SlotName | "loss";

/** An optimizer, data set or network as its settings tell of it, built in or from a file. */
export interface AnyPart extends Part {
  /** Settings that stand under `options` in a configuration: those that a file declares. */
  readonly nested?: Settings;
  /** Of a part from a file, what its file is. */
  readonly fileKind?: FileKind;
}

/** The optimizer, data set and network that a run has, and the quantity of the user's if it logs one. */
export type Selection = { readonly [P in PartName]: AnyPart } & { readonly observe?: AnyPart };
