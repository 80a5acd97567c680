import { type SpectralDensity, smoothedDensity } from "../linalg/index.ts";

/** A smoothed spectral density, ready to be drawn. */
export interface DensityCurve {
  /** Ascending. */
  readonly places: Float64Array;
  /** Per unit of x, of integral 1. */
  readonly values: Float64Array;
  /** Standard errors of the values. */
  readonly errors: Float64Array;
  /** The standard deviation of the Gaussian that smooths it. */
  readonly width: number;
}

/** Places of a curve, and how many widths of the Gaussian its range is. */
const PLACES = 401;
const WIDTHS = 100;

/** A density as a curve over its whole range, smoothed by a hundredth of that. */
export function densityCurve(density: SpectralDensity): DensityCurve {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const { nodes } of density.probes) {
    low = Math.min(low, nodes[0]);
    high = Math.max(high, nodes[nodes.length - 1]);
  }
  // A spectrum of one eigenvalue still has a width, and one of 0 alone.
  const width = Math.max((high - low) / WIDTHS, 1e-6 * Math.max(Math.abs(low), Math.abs(high))) || 1 / WIDTHS;
  const start = low - 4 * width;
  const step = (high - low + 8 * width) / (PLACES - 1);
  const places = Float64Array.from({ length: PLACES }, (_, i) => start + i * step);
  return { places, ...smoothedDensity(density, places, width), width };
}
