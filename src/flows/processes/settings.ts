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

/** The settings of all processes, of which each reads its own. */
export interface ProcessSettings {
  readonly central: CentralSettings;
  readonly stable: StableSettings;
  /** Default: measured, all of it, in the full form. */
  readonly noisy?: NoiseSource;
}

/** The settings that hold where none are given, on the command line and in a program. */
export const PROCESS_DEFAULTS = {
  central: { substeps: 4, criticalThreshold: 1.95, frequencyInSubsteps: false },
  stable: { minSubsteps: 4, maxSharpness: 100 },
  eigen: { trackThreshold: 1.5, initialCount: 1, solver: "lobpcg", tolerance: 1e-10 },
} as const satisfies ProcessSettings & { readonly eigen: Omit<EigenSettings, "frequency"> };
