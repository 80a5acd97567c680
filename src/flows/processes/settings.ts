import type { EigenSettings } from "../dynamics/eigen-tracker.ts";
import type { Integrator } from "../dynamics/integrator.ts";
import type { NoiseSource } from "../dynamics/substep-noise.ts";

/** How flows with an oscillation take a step. */
export interface CentralSettings {
  /** Substeps per step: dt = 1/substeps. */
  readonly substeps: number;
  /** Eigenvalues above this are critical, in the unit where c = 2. */
  readonly criticalThreshold: number;
  /** Count the eigenvalues' frequency in substeps instead of steps. */
  readonly frequencyInSubsteps: boolean;
  /** By default that of the rule: Euler for the gradient, leapfrog for an average of gradients. */
  readonly integrator?: Integrator;
}

/** How the stable flow takes a step, and where it ends. */
export interface StableSettings {
  readonly minSubsteps: number;
  /** The effective sharpness, in the unit where c = 2, beyond which the flow stops for good; null: never. */
  readonly maxSharpness: number | null;
  /** By default that of the rule: Euler for the gradient, leapfrog for an average of gradients. */
  readonly integrator?: Integrator;
}

/** How the flows start that carry their oscillation along. */
export interface TwoStepSettings {
  /** The amplitude below which an oscillation along a tracked direction starts anew, P-normalised: uᵀPδ with uᵀPu = 1. */
  readonly seed: number;
  /**
   * What the start's displacement along tracked directions is: `split`, an oscillation already; `seed`, part of the slow
   * flow, and the oscillation begins at the seed's amplitude.
   */
  readonly start: "split" | "seed";
}

/** How rod flows keep their extent. */
export interface RodSettings {
  /** Columns of V in Σ = VVᵀ. */
  readonly rank: number;
}

/** How the edge flow starts. */
export interface EdgeFlowSettings {
  /** The least magnitude of the oscillation, P-normalised. */
  readonly floor: number;
}

/** The settings of all processes, of which each reads its own. */
export interface ProcessSettings {
  readonly central: CentralSettings;
  readonly stable: StableSettings;
  /** Default: measured, all of it, in the full form. */
  readonly noisy?: NoiseSource;
  /** Default that of `PROCESS_DEFAULTS`, as for the next two. */
  readonly twoStep?: TwoStepSettings;
  readonly rod?: RodSettings;
  readonly edge?: EdgeFlowSettings;
}

/** The settings that hold where none are given, on the command line and in a program. */
export const PROCESS_DEFAULTS = {
  central: { substeps: 4, criticalThreshold: 1.95, frequencyInSubsteps: false },
  stable: { minSubsteps: 4, maxSharpness: 100 },
  // Far below what an oscillation is at the edge, far above rounding.
  twoStep: { seed: 1e-7, start: "split" },
  // Enough for a few directions at the edge beside those of the path.
  rod: { rank: 6 },
  // With less the oscillation comes far too late.
  edge: { floor: 1e-4 },
  eigen: { trackThreshold: 1.5, initialCount: 1, solver: "lobpcg", tolerance: 1e-10 },
} as const satisfies ProcessSettings & { readonly eigen: Omit<EigenSettings, "frequency"> };
