import { EPS, exp, Random, type ShouldStop, throwIfStopped, valueError } from "../../base/index.ts";
import { orthonormalise } from "../dense/orthonormalise.ts";
import { symmetricEigen } from "../dense/symmetric-eigen.ts";
import { addScaled, allFinite, dot, norm } from "../dense/vectors.ts";
import type { SolverResult } from "../result.ts";
import type { Estimate } from "./estimate.ts";
import type { BlockOperator } from "./operator.ts";

/** Options of `spectralDensity`. */
export interface DensityOptions {
  /** random starting vectors, at least 1. Default 10 */
  readonly probes?: number;
  /** Lanczos steps of each, one application each; moments up to 2·steps − 1 are exact for a probe. Default 60 */
  readonly steps?: number;
  /** source of random vectors; default: seed 0 */
  readonly random?: Random;
  /** looked at before every application: true ends the run with `Stopped` */
  readonly shouldStop?: ShouldStop | undefined;
}

/** What one probe saw of a spectrum: masses at places. */
export interface DensityProbe {
  /** places, ascending: Ritz values */
  readonly nodes: Float64Array;
  /** masses there, not negative, of sum 1 */
  readonly weights: Float64Array;
}

/** A spectral density (1/n)·Σ_i δ(x − λ_i), as seen by random probes; each is an unbiased view of it. */
export interface SpectralDensity {
  readonly dimension: number;
  readonly probes: readonly DensityProbe[];
}

/** A spectral density, how it ended and what it took. */
export type DensityResult = SolverResult<
  SpectralDensity,
  "converged" | "not-finite",
  { readonly applications: number }
>;

/** A next basis vector shorter than this many ε·‖A‖ is rounding error: the subspace is invariant. */
const ROUNDOFF_REACH = 1e3;

/**
 * The spectral density of a symmetric operator by stochastic Lanczos quadrature (docs/derivations.md, section 15): for a
 * random unit vector v, vᵀf(A)v is on average tr f(A)/n, and m Lanczos steps from v give its Gauss quadrature, whose nodes
 * are the Ritz values and whose weights are the squared first entries of the tridiagonal matrix' eigenvectors. The basis is
 * reorthogonalised in full, so that no node stands twice for one eigenvalue.
 * Source: Golub and Welsch, Math. Comp. 23 (1969); Ubaru, Chen and Saad, SIAM J. Matrix Anal. Appl. 38 (2017).
 *
 * @param n dimension
 * @param apply the operator, see `BlockOperator`; called with one vector
 * @returns status "converged"; "not-finite" with the probes before the one whose product was not finite
 * @throws InputValueError for options out of range; Stopped where `shouldStop` answers true
 * Cost besides the operator, per probe: 8·n·steps² operations; steps + 2 vectors of storage.
 */
export function spectralDensity(
  n: number,
  apply: BlockOperator,
  options: DensityOptions = {},
): DensityResult {
  const { probes: count = 10, steps = 60, random = new Random(0, "density"), shouldStop } = options;
  if (!Number.isSafeInteger(n) || n < 1) throw valueError("spectralDensity", "a dimension n ≥ 1", String(n));
  if (!Number.isSafeInteger(count) || count < 1)
    throw valueError("spectralDensity", "at least 1 probe", String(count));
  if (!Number.isSafeInteger(steps) || steps < 1)
    throw valueError("spectralDensity", "at least 1 step", String(steps));
  const most = Math.min(steps, n);
  const basis = new Float64Array((most + 1) * n);
  const product = new Float64Array(n);
  const probes: DensityProbe[] = [];
  let applications = 0;
  for (let i = 0; i < count; i++) {
    do random.fillNormal(basis.subarray(0, n));
    while (!orthonormalise(basis, 0, n));
    const projected = new Float64Array(most * most);
    let size = 0;
    let length = 0;
    while (length < most) {
      throwIfStopped("spectralDensity", shouldStop);
      apply(basis.subarray(length * n, (length + 1) * n), product, 1);
      applications++;
      if (!allFinite(product))
        return { value: { dimension: n, probes }, status: "not-finite", stats: { applications } };
      size = Math.max(size, norm(product));
      for (let j = 0; j <= length; j++) {
        const h = dot(basis, j * n, product, 0, n);
        addScaled(-h, basis, j * n, product, 0, n);
        if (j === length) projected[j * most + j] = h;
      }
      const next = norm(product);
      length++;
      basis.set(product, length * n);
      if (length === most || next <= ROUNDOFF_REACH * EPS * size || !orthonormalise(basis, length, n)) break;
      projected[length * most + length - 1] = next;
      projected[(length - 1) * most + length] = next;
    }
    probes.push(quadrature(projected, most, length));
  }
  return { value: { dimension: n, probes }, status: "converged", stats: { applications } };
}

/** The Gauss quadrature of a tridiagonal matrix: the first `length` rows and columns of one with a row stride. */
function quadrature(projected: Float64Array, stride: number, length: number): DensityProbe {
  const small = new Float64Array(length * length);
  for (let i = 0; i < length; i++) small.set(projected.subarray(i * stride, i * stride + length), i * length);
  const { values, vectors } = symmetricEigen(small, length);
  return { nodes: values, weights: values.map((_, i) => vectors[i * length] * vectors[i * length]) };
}

/**
 * The mean of f over a spectrum. Its error is that of a law: vᵀf(A)v has variance 2/(n + 2)·(tr f²/n − (tr f/n)²) for a random
 * unit vector v, and few probes give that better than they give their own variance. Where one eigenvalue has all the say, its
 * weights are squared normal numbers, and so is the mean of few: two standard errors then hold less than 95 times in 100.
 */
function meanOver({ dimension, probes }: SpectralDensity, f: (x: number) => number): Estimate {
  let sum = 0;
  let squares = 0;
  for (const { nodes, weights } of probes)
    for (let i = 0; i < nodes.length; i++) {
      const value = f(nodes[i]);
      sum += weights[i] * value;
      squares += weights[i] * value * value;
    }
  const value = sum / probes.length;
  const spread = Math.max(0, squares / probes.length - value * value);
  return { value, error: Math.sqrt((2 * spread) / ((dimension + 2) * probes.length)) };
}

/** tr(A^power)/n, the mean of λ^power over the spectrum, with its standard error. */
export function densityMoment(density: SpectralDensity, power: number): Estimate {
  return meanOver(density, (x) => {
    let product = 1;
    for (let k = 0; k < power; k++) product *= x;
    return product;
  });
}

/**
 * A spectral density smoothed by a Gaussian, at given places.
 *
 * @param places read
 * @param width the Gaussian's standard deviation, above 0
 * @returns for each place the density, per unit of x and of integral 1, and its standard error
 * @throws InputValueError for a width that is not above 0
 */
export function smoothedDensity(
  density: SpectralDensity,
  places: Float64Array,
  width: number,
): { readonly values: Float64Array; readonly errors: Float64Array } {
  if (!(width > 0)) throw valueError("smoothedDensity", "a width above 0", String(width));
  const height = 1 / (width * Math.sqrt(2 * Math.PI));
  const values = new Float64Array(places.length);
  const errors = new Float64Array(places.length);
  places.forEach((place, at) => {
    const { value, error } = meanOver(density, (x) => {
      const distance = (place - x) / width;
      return height * exp(-0.5 * distance * distance);
    });
    values[at] = value;
    errors[at] = error;
  });
  return { values, errors };
}
