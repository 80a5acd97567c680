import type { Objective } from "../../autodiff/index.ts";
import { pairIndex, throwIfStopped } from "../../base/index.ts";
import {
  diagonalMajorant,
  type MajorantOptions,
  type MajorantResult,
  symmetricEigen,
  traceConstrainedSdcp,
} from "../../linalg/index.ts";
import { inOrthonormalBasis } from "./central-substep.ts";
import { innerProduct } from "./effective-hessian.ts";
import type { Oscillation } from "./oscillation.ts";

/**
 * RMSProp's ν at rest for the weights where the objective stands (docs/derivations.md, section 10): with ν fast, dν/dt
 * = 0, the oscillation Σ and P̄ = √ν̄/η are functions of the weights alone.
 */
export interface StationaryPoint {
  /** The diagonal of P̄. */
  readonly preconditioner: Float64Array;
  /** Σ, in the metric of P̄. */
  readonly oscillation: Oscillation;
}

/** That of the rule with one ν per weight, with how its program was solved. */
export interface DiagonalStationaryPoint extends StationaryPoint {
  readonly majorant: MajorantResult;
}

/**
 * P̄ = argmin tr P + η⁻²‖∇L‖²_{P⁻¹} over diagonal P ⪰ 0 with H ⪯ cP, and Σ = (η²/c)Z with Z the multiplier of
 * cP − H ⪰ 0: the optimality conditions 1 − (g_l/(ηP_l))² = cZ_ll say that ν̄ = (ηP̄)² equals g⊙g + diag(HΣH), since
 * HΣH = c²P̄ΣP̄ on the range of Σ. With `gradient` zero it is P̂, the best preconditioner whatever the gradient.
 * Limit: with H ⪯ (c/η)·diag|g|, P̄ = |g|/η and Σ = 0.
 *
 * @param objective stands at the weights; its Hessian-vector products are taken
 * @param c the edge of stability of P⁻¹H
 */
export function diagonalStationaryPoint(
  objective: Objective,
  gradient: Float64Array,
  learningRate: number,
  c: number,
  options: MajorantOptions = {},
): DiagonalStationaryPoint {
  const p = objective.dimension;
  const drive = gradient.map((entry) => (c * Math.abs(entry)) / learningRate);
  const majorant = diagonalMajorant(
    p,
    (vectors, products, count) => objective.hvp(vectors, products, count),
    drive,
    { shouldStop: objective.shouldStop, ...options },
  );
  const { d, columns, rank } = majorant.value;
  const preconditioner = d.map((entry) => entry / c);
  const variances = new Float64Array(rank);
  const directions = new Float64Array(rank * p);
  for (let j = 0; j < rank; j++) {
    let squares = 0;
    for (let l = 0; l < p; l++) squares += preconditioner[l] * columns[j * p + l] ** 2;
    variances[j] = (learningRate / c) ** 2 * squares;
    for (let l = 0; l < p; l++) directions[j * p + l] = columns[j * p + l] / Math.sqrt(squares);
  }
  return { preconditioner, oscillation: { variances, directions }, majorant };
}

/** ½∇⟨Σ, H⟩ at the objective's weights. */
export function curvatureForce(objective: Objective, { variances, directions }: Oscillation): Float64Array {
  const p = objective.dimension;
  const force = new Float64Array(p);
  const third = new Float64Array(p);
  variances.forEach((variance, j) => {
    objective.thirdDerivatives(directions.subarray(j * p, (j + 1) * p), 1, third);
    for (let l = 0; l < p; l++) force[l] += 0.5 * variance * third[l];
  });
  return force;
}

/** P̄ of scalar RMSProp, the root of dν/dt = 0: max(‖g‖/η, S/c), S the sharpness. */
export function scalarStationaryPreconditioner(
  gradient: Float64Array,
  sharpness: number,
  learningRate: number,
  c: number,
): number {
  const size = Math.sqrt(innerProduct(gradient, 0, gradient, 0, gradient.length));
  return Math.max(size / learningRate, sharpness / c);
}

export interface ScalarOscillation {
  readonly oscillation: Oscillation;
  /** ½∇⟨Σ, H⟩. */
  readonly force: Float64Array;
  /** The violation of the conditions that X was found from, relative. */
  readonly violation: number;
}

/**
 * Σ of scalar RMSProp at rest: its trace is η²/c² − ‖g‖²/(cP)², what is missing in ν̄ = ‖g‖² + tr HΣH. With one
 * critical eigenvalue that is all. With k of them Σ = UXUᵀ is spread so that after dt the top eigenvalues of H have not
 * drifted apart: Y = S⁺I − Uᵀ(H + dt·dH/dt)U ⪰ 0, ⟨X, Y⟩ = 0, with S⁺ the new sharpness, the multiplier of the trace.
 *
 * @param values the critical eigenvalues of H, descending; @param vectors their unit eigenvectors
 * @param drift dw/dt without Σ; @param P P̄ with what the flow adds to it, by which the weights move
 */
export function scalarStationaryOscillation(
  objective: Objective,
  drift: Float64Array,
  { values, vectors }: { readonly values: Float64Array; readonly vectors: Float64Array },
  trace: number,
  P: number,
  dt: number,
): ScalarOscillation {
  const p = drift.length;
  const k = values.length;
  const pairs = (k * (k + 1)) / 2;
  const third = new Float64Array(pairs * p);
  objective.thirdDerivatives(vectors, k, third);
  const M = new Float64Array(k * k);
  const beta = new Float64Array(pairs * pairs);
  for (let i = 0; i < k; i++)
    for (let j = i; j < k; j++) {
      const a = pairIndex(i, j, k);
      M[i * k + j] = (i === j ? values[i] : 0) + dt * innerProduct(third, a, drift, 0, p);
      M[j * k + i] = M[i * k + j];
      throwIfStopped("stationary oscillation", objective.shouldStop);
      for (let b = 0; b < pairs; b++)
        beta[a * pairs + b] = (dt * innerProduct(third, a, third, b, p)) / (2 * P);
    }
  const { value, stats } = traceConstrainedSdcp(
    k,
    M,
    inOrthonormalBasis(beta, k),
    trace,
    undefined,
    objective.shouldStop,
  );
  const { values: shares, vectors: turns } = symmetricEigen(value.X, k, objective.shouldStop);
  const force = new Float64Array(p);
  for (let i = 0; i < k; i++)
    for (let j = i; j < k; j++) {
      const weight = (i === j ? 0.5 : 1) * value.X[i * k + j];
      for (let l = 0, at = pairIndex(i, j, k) * p; l < p; l++) force[l] += weight * third[at + l];
    }
  const directions = new Float64Array(k * p);
  const variances = new Float64Array(k);
  for (let row = 0; row < k; row++) {
    const from = k - 1 - row;
    variances[row] = P * Math.max(0, shares[from]);
    for (let i = 0; i < k; i++)
      for (let l = 0; l < p; l++)
        directions[row * p + l] += (turns[from * k + i] * vectors[i * p + l]) / Math.sqrt(P);
  }
  return { oscillation: { variances, directions }, force, violation: stats.violation };
}
