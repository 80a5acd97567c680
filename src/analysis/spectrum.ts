import type { Objective } from "../autodiff/index.ts";
import { Random, type ShouldStop, throwIfStopped, valueError } from "../base/index.ts";
import {
  type EigenStatus,
  type Estimate,
  hutchPlusPlus,
  lanczos,
  type SpectralDensity,
  spectralDensity,
} from "../linalg/index.ts";
import { type Block, type BlockKind, blocksOf } from "./blocks.ts";
import { curvatureOperator, MATRICES, type MatrixName } from "./operator.ts";

/** What is asked of the spectra at some weights. */
export interface SpectrumOptions {
  /** Which of H, G and S; default all for a loss over examples, the Hessian for another, of which there are no parts. */
  readonly matrices?: readonly MatrixName[];
  /** Blocks beside all weights; default none. */
  readonly blocks?: BlockKind;
  /** Eigenpairs at the upper end, and at the lower; default 5 each, fewer for small blocks. */
  readonly largest?: number;
  readonly smallest?: number;
  /** See `DensityOptions`: random vectors, default 10, and Lanczos steps of each, default 60. */
  readonly probes?: number;
  readonly steps?: number;
  /** Applications for the trace, see `TraceOptions`; default 60. */
  readonly products?: number;
  /** Of all random vectors; default 0. */
  readonly seed?: number;
  /** The diagonal of P, one positive number per weight, read: then all is of P^{-1/2}·P^{-1/2}, as of P⁻¹H. */
  readonly preconditioner?: Float64Array;
  /** Looked at before every application: true ends it with `Stopped`. */
  readonly shouldStop?: ShouldStop | undefined;
}

/** The ends of a spectrum: pair i is values[i] and vectors[i·size …]. */
export interface SpectrumEnd {
  readonly values: Float64Array;
  /** Orthonormal, of the block's size, in coordinates P^{1/2}w where there is a P. */
  readonly vectors: Float64Array;
  /** ‖A x − θ x‖ of each, from a fresh application. */
  readonly residuals: Float64Array;
}

/** The spectrum of one block of one matrix. */
export interface Spectrum {
  readonly matrix: MatrixName;
  readonly block: Block;
  /** The largest eigenvalues, descending. */
  readonly largest: SpectrumEnd;
  /** The smallest, ascending: the most negative first. */
  readonly smallest: SpectrumEnd;
  /** How the search for eigenpairs ended. */
  readonly status: EigenStatus;
  readonly trace: Estimate;
  readonly density: SpectralDensity;
  /** Vectors that the matrix was applied to. */
  readonly applications: number;
}

/** What there is to say of the curvature at some weights. */
export interface CurvatureAt {
  readonly loss: number;
  /** ‖∇L‖. */
  readonly gradientNorm: number;
  /** By block, all weights first, then by matrix. */
  readonly spectra: readonly Spectrum[];
}

/**
 * Pairs have relative residuals of at most this, or residuals of at most so many ‖A‖: an eigenvalue is as near to one of A as
 * its residual is small, and near zero, where a spectrum's lower end is often crowded, a relative one cannot be had. Products
 * with the Hessian are known to some 10⁻¹⁴ of its norm.
 */
const TOLERANCE = 1e-11;
/** Steps of the search for eigenpairs at most: several searches of some hundred steps. */
const MOST_STEPS = 5000;

/**
 * The spectra of the Hessian at given weights: both ends with eigenvectors, density, trace; by blocks, with its Gauss–Newton
 * part and the rest. Over all examples; the random vectors come from the seed, the matrix and the block's name, so that a
 * spectrum is the same to the bit whatever else is asked for, and on any number of threads.
 *
 * @param objective moved to the weights, and left there
 * @param weights one per dimension, read
 * @throws InputValueError for weights, or a preconditioner, that do not fit, options out of range, weights at which loss or
 *   gradient are not finite, and parts of a loss without examples; Stopped where `shouldStop` answers true
 * Cost: for each block and matrix some (probes·steps + products + a hundred) Hessian-vector products, twice as many for S.
 */
export function hessianSpectrum(
  objective: Objective,
  weights: Float64Array,
  options: SpectrumOptions = {},
): CurvatureAt {
  const { dimension: p } = objective;
  const { matrices = objective.examples > 0 ? MATRICES : ["hessian"], blocks = "none", shouldStop } = options;
  if (weights.length !== p)
    throw valueError("hessianSpectrum", `${p} weights, as the loss has`, String(weights.length));
  const { preconditioner } = options;
  if (preconditioner && preconditioner.length !== p)
    throw valueError(
      "hessianSpectrum",
      `${p} entries of the preconditioner, one per weight`,
      String(preconditioner.length),
    );
  const bad = preconditioner?.find((entry) => !(entry > 0 && entry < Number.POSITIVE_INFINITY));
  if (bad !== undefined)
    throw valueError("hessianSpectrum", "a preconditioner of positive numbers", String(bad));
  const inverseRoot = preconditioner?.map((entry) => 1 / Math.sqrt(entry));
  objective.setWeights(weights);
  throwIfStopped("hessianSpectrum", shouldStop);
  const loss = objective.loss();
  const squares = objective.gradient().reduce((sum, entry) => sum + entry * entry, 0);
  if (!Number.isFinite(loss) || !Number.isFinite(squares))
    throw valueError(
      "hessianSpectrum",
      "weights with a finite loss and gradient",
      `a loss of ${loss} and a gradient of norm ${Math.sqrt(squares)}`,
    );
  const spectra = blocksOf(objective.parameters, blocks).flatMap((block) =>
    matrices.map((matrix) => spectrumOf(objective, matrix, block, inverseRoot, options)),
  );
  return { loss, gradientNorm: Math.sqrt(squares), spectra };
}

function spectrumOf(
  objective: Objective,
  matrix: MatrixName,
  block: Block,
  inverseRoot: Float64Array | undefined,
  options: SpectrumOptions,
): Spectrum {
  const { largest = 5, smallest = 5, probes, steps, products, seed = 0, shouldStop } = options;
  const n = block.size;
  const apply = curvatureOperator(objective, matrix, block, inverseRoot);
  const random = (what: string): Random => new Random(seed, `${what} of ${matrix}, ${block.name}`);
  const top = Math.min(largest, n);
  const bottom = Math.min(smallest, n - top);
  const { value, status, stats } = lanczos(n, apply, {
    largest: top,
    smallest: bottom,
    tolerance: TOLERANCE,
    floor: TOLERANCE,
    confirm: true,
    settled: TOLERANCE,
    maxIterations: MOST_STEPS,
    random: random("eigenpairs"),
    shouldStop,
  });
  const end = (from: number, to: number): SpectrumEnd => ({
    values: value.values.slice(from, to),
    vectors: value.vectors.slice(from * n, to * n),
    residuals: stats.residuals.slice(from, to),
  });
  const given = { ...(probes !== undefined && { probes }), ...(steps !== undefined && { steps }) };
  const density = spectralDensity(n, apply, { ...given, random: random("density"), shouldStop });
  const trace = hutchPlusPlus(n, apply, {
    ...(products !== undefined && { products }),
    random: random("trace"),
    shouldStop,
  });
  return {
    matrix,
    block,
    largest: end(0, top),
    smallest: end(top, top + bottom),
    status,
    trace: trace.value,
    density: density.value,
    applications: stats.applications + density.stats.applications + trace.stats.applications,
  };
}
