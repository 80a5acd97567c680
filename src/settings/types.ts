import type { Part, Settings, Values } from "../base/index.ts";
import type { datasets } from "../data/index.ts";
import type { optimizers, SettledKind, StepValues } from "../flows/index.ts";
import type { architectures } from "../models/index.ts";
import type { central, checkpoint, discrete, eig, general, load, log, stable } from "./general.ts";

/** A process that the reference has too. */
export type ReferenceProcess = SettledKind;

// One of a list of parts, by its name, with its values.
type OneOf<L extends Readonly<Record<string, Part>>> = {
  [N in keyof L]: { readonly name: N } & Values<L[N]["settings"]>;
}[keyof L];

/** A value of an option that an update rule in a file declares. */
export type OptionValue = number | boolean | string;

/** A custom update rule, `opt:FILE` on the command line. */
export type OwnRuleConfig = StepValues & {
  readonly name: "own";
  /** The file, as it was named. */
  readonly file: string;
  /** The hash of its bytes. */
  readonly sha256: string;
  /** c as the rule gives it; null until the rule has been run. */
  readonly criticalValue: number | null;
  /** The options that the file declares, lr left out. */
  readonly options: Readonly<Record<string, OptionValue>>;
};

/** The optimizers that are there by name. */
export type NamedOptConfig = OneOf<typeof optimizers>;
/** The optimizer of a run. */
export type OptConfig = NamedOptConfig | OwnRuleConfig;
/** The data set of a run. */
export type DataConfig = OneOf<typeof datasets>;
/** The network of a run. */
export type ArchConfig = OneOf<typeof architectures>;
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
/** The stable flow. */
export type StableConfig = Values<typeof stable>;

/** Everything that determines a run. */
export type RunConfig = GeneralConfig & {
  readonly opt: OptConfig;
  readonly data: DataConfig;
  readonly arch: ArchConfig;
  readonly eig: EigConfig;
  readonly discrete: DiscreteConfig & { readonly eig: EigOverride };
  readonly midpoint: { readonly eig: EigOverride };
  readonly central: CentralConfig & { readonly eig: EigOverride };
  readonly stable: StableConfig & { readonly eig: EigOverride };
  readonly checkpoint: Values<typeof checkpoint>;
  readonly load: Values<typeof load>;
  readonly log: Values<typeof log>;
};

/** Optimizer, data set or network. */
export type PartName = "opt" | "data" | "arch";

/** An optimizer, data set or network as its settings tell of it, built in or from a file. */
export interface AnyPart extends Part {
  /** Settings that stand under `options` in a configuration: those that a file declares. */
  readonly nested?: Settings;
}

/** The optimizer, data set and network that a run has. */
export type Selection = { readonly [P in PartName]: AnyPart };
