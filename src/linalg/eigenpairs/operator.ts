import { EPS } from "../../base/index.ts";
import type { SolverResult } from "../result.ts";
import type { EigenStatus } from "../status.ts";

/**
 * A symmetric operator on blocks: reads `count` vectors of length n and overwrites the first count·n elements
 * of `products` by A times each. The two arrays never overlap. The arrays may be views of solver storage: do
 * not keep them.
 */
export type BlockOperator = (vectors: Float64Array, products: Float64Array, count: number) => void;

/** `count` orthonormal vectors with their Ritz values and products; pair i is values[i], vectors[i·n …]. */
export interface EigenPairs {
  readonly values: Float64Array;
  /** count vectors of length n */
  readonly vectors: Float64Array;
  /** A times each vector: for the pairs verified by fresh applications as the operator returned it, else combined */
  readonly products: Float64Array;
  readonly count: number;
}

/**
 * A residual of at most this many times ‖A‖ (estimated from below) passes whatever its tolerance: an
 * eigenvalue near zero cannot be had with a relative error, and the pair is exact for a matrix this close to A.
 */
export const ROUNDOFF_RESIDUAL = 10 * EPS;

/** What an eigensolver measured. */
export interface EigenStats {
  /** rounds of expansion, each one call of the operator */
  readonly iterations: number;
  /** vectors that the operator was applied to, verification included */
  readonly applications: number;
  /** how many of the applications only verified the result */
  readonly verifications: number;
  /** ‖A x_i − θ_i x_i‖₂ */
  readonly residuals: Float64Array;
  /** residuals[i] / (‖A x_i‖ + |θ_i|), the quantity that tolerances bound; 0 where A x_i = 0 */
  readonly relativeResiduals: Float64Array;
  /**
   * true if the residuals (of the required pairs at least) come from fresh applications to the vectors returned, or from
   * applications to vectors that these are combinations of, with rounding errors bounded as `verify: "rounding"` says
   */
  readonly verified: boolean;
  /** leading pairs that had to meet the full tolerance */
  readonly required: number;
}

/** Eigenpairs, how the solve ended and what it took. */
export type EigenResult = SolverResult<EigenPairs, EigenStatus, EigenStats>;
