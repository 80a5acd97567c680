import type {
  ArchConfig,
  CentralConfig,
  DataConfig,
  DiscreteConfig,
  EigConfig,
  GeneralConfig,
  NamedOptConfig,
  StableConfig,
} from "../types.ts";

// A part by its name with some of its settings; the others keep their defaults.
type Given<C extends { readonly name: string }> = C extends unknown
  ? Pick<C, "name"> & Partial<Omit<C, "name">>
  : never;

/**
 * A run by name: the parts and the settings that are not defaults, under the keys of RunConfig. A key or value that
 * RunConfig cannot have does not compile.
 */
export interface Preset
  extends Partial<Pick<GeneralConfig, "runs" | "steps" | "warmStart" | "seed" | "memory" | "chunk">> {
  /** What help prints. */
  readonly help: string;
  readonly opt: Given<NamedOptConfig>;
  readonly data: Given<DataConfig>;
  readonly arch: Given<ArchConfig>;
  readonly eig?: Partial<EigConfig>;
  readonly discrete?: Partial<DiscreteConfig>;
  readonly central?: Partial<CentralConfig>;
  readonly stable?: Partial<StableConfig>;
}
