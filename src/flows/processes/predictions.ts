import { innerProduct } from "../dynamics/effective-hessian.ts";
import type { Oscillation } from "../dynamics/oscillation.ts";
import type { Observation } from "./process.ts";

const NONE = new Float64Array(0);

/** What the central flow predicts of time averages along the discrete run (docs/derivations.md, section 12). */
export interface Predictions {
  /** L + (c/2)·tr X, or L + ½⟨H, Σ⟩ where directions below the edge oscillate too. */
  readonly loss: number;
  /** ‖g‖² + Σ_i Λ_i‖h_i‖² with h_i = c P u_i. */
  readonly gradientNormSquared: number;
  /** g⊙g + Σ_i Λ_i h_i⊙h_i at the entries that are logged. */
  readonly gradientSquared: Float64Array;
  /** tr Σ = Σ_i Λ_i‖u_i‖². */
  readonly sigmaTrace: number;
}

/**
 * @param c the rule's critical value at the observation's state
 * @param logged the entries, of a vector like the gradient, whose squares are predicted (default: none); handed arrays that are overwritten
 */
export function predict(
  observation: Observation,
  { variances, directions, curvatures }: Oscillation,
  c: number,
  logged: (vector: Float64Array) => Float64Array = () => NONE,
): Predictions {
  const { gradient, preconditioner, loss } = observation;
  const p = gradient.length;
  let total = 0;
  let gradientNormSquared = innerProduct(gradient, 0, gradient, 0, p);
  let sigmaTrace = 0;
  const gradientSquared = logged(gradient).map((entry) => entry ** 2);
  const h = new Float64Array(p);
  variances.forEach((variance, i) => {
    const curvature = curvatures?.[i] ?? c;
    total += curvatures ? curvature * variance : variance;
    sigmaTrace += variance * innerProduct(directions, i, directions, i, p);
    gradientNormSquared += variance * shift(curvature, preconditioner, directions, i, h);
    logged(h).forEach((entry, at) => {
      gradientSquared[at] += variance * entry ** 2;
    });
  });
  return {
    loss: loss + (curvatures ? 0.5 : c / 2) * total,
    gradientNormSquared,
    gradientSquared,
    sigmaTrace,
  };
}

/** h ← curvature·P·u for vector i of a block. Returns ‖h‖². */
function shift(
  curvature: number,
  preconditioner: Float64Array,
  u: Float64Array,
  i: number,
  h: Float64Array,
): number {
  const p = preconditioner.length;
  let total = 0;
  for (let l = 0, at = i * p; l < p; l++) {
    h[l] = curvature * preconditioner[l] * u[at + l];
    total += h[l] ** 2;
  }
  return total;
}

/** (UQ)ᵀP·displacement: a displacement from the flow in the coordinates whose variances are predicted. */
export function deltasAlong(
  { variances, directions }: Oscillation,
  preconditioner: Float64Array,
  displacement: Float64Array,
): Float64Array {
  const p = displacement.length;
  const scaled = displacement.map((entry, l) => entry * preconditioner[l]);
  return variances.map((_, i) => innerProduct(directions, i, scaled, 0, p));
}
