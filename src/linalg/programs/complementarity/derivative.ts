import { valueError } from "../../../base/index.ts";
import { cholesky, choleskySolve } from "../../dense/cholesky.ts";
import { congruence, multiplyVector, symmetrise, transpose } from "../../dense/matrix.ts";
import { smat, svec, svecIndex, svecLength } from "../../dense/svec.ts";
import { symmetricEigen } from "../../dense/symmetric-eigen.ts";
import { norm } from "../../dense/vectors.ts";
import type { SolverResult } from "../../result.ts";
import { operatorCongruence } from "./interior-point.ts";
import { positivePart, type SdcpProblem, slack, violations, worst } from "./problem.ts";

/** How `differentiateSdcp` ended. */
export type SdcpDerivativeStatus = "differentiable" | "degenerate" | "not-unique" | "inaccurate";

/** The derivative of X by A and B, ready for any number of directions. */
export interface SdcpDerivative {
  /** dX (k×k) along changes of A (k×k) and of B (m×m in `svec` coordinates), of which the symmetric parts count. */
  apply(da: Float64Array, db?: Float64Array): Float64Array;
  /** The gradients of ⟨X̄, X⟩ by A and by B, both symmetric; the transpose of `apply`. */
  transpose(cotangent: Float64Array): { readonly A: Float64Array; readonly B: Float64Array };
}

/** What `differentiateSdcp` measured. */
export interface SdcpDerivativeStats {
  /** the rank of X */
  readonly rank: number;
  /** min |λ| of X/‖X‖ − Y/‖A‖: how far every direction is from belonging to neither X nor Y */
  readonly margin: number;
  /** the largest violation of the three conditions by the X given */
  readonly violation: number;
}

/** The derivative if it exists, how the test ended and what was measured. */
export type SdcpDerivativeResult = SolverResult<
  SdcpDerivative | undefined,
  SdcpDerivativeStatus,
  SdcpDerivativeStats
>;

/** A margin below this is no strict complementarity for solutions that are right to 1e-10. */
const LEAST_MARGIN = 1e-7;
/** X must satisfy the conditions to this. */
const TOLERANCE = 1e-8;
/** The least pivot, squared, of the system with diagonal 1 that counts as positive. */
const LEAST_PIVOT = 1e-12;

/**
 * The derivative of the solution of `sdcp` by its data. X and Y = A + B[X] commute: in the basis of their eigenvectors,
 * with x_i > 0 for i ∈ α and y_i > 0 for the others (strict complementarity), X∘dY + dX∘Y = 0 reads
 *
 *     dY_ij = 0 (i, j ∈ α),   x_i dY_ij + y_j dX_ij = 0 (i ∈ α, j ∉ α),   dX_ij = 0 (i, j ∉ α),
 *
 * and with dY = dA + dB[X] + B[dX]: (W + B)dX = −(dA + dB[X]) on the first two blocks, W_ij = 0 and y_j/x_i there. The
 * system is symmetric positive definite if X is unique, and its own transpose. For k = 1 and X > 0, dX = −(dA + X dB)/B.
 *
 * @param k order, a, b: as for `sdcp`, read
 * @param x its solution X, k×k, read
 * @returns "differentiable" with the derivative; without it "degenerate" (the margin is below 1e-7), "not-unique" (B does
 *   not determine X) or "inaccurate" (X violates the conditions by more than 1e-8)
 * @throws InputValueError for lengths that do not fit
 * Cost: 4k³m + m³/3 operations, m = k(k+1)/2, then 2m² for each direction.
 */
export function differentiateSdcp(
  k: number,
  a: Float64Array,
  b: Float64Array,
  x: Float64Array,
): SdcpDerivativeResult {
  const m = svecLength(k);
  const check = (name: string, given: Float64Array, size: number) => {
    if (given.length !== size ** 2)
      throw valueError("differentiateSdcp", `${name} of ${size}×${size} elements`, `${given.length}`);
  };
  check("A", a, k);
  check("B", b, m);
  check("X", x, k);
  const problem: SdcpProblem = { k, a: symmetrise(a, k), b: positivePart(b, m).b };
  const y = slack(problem, x);
  // Y may be zero up to rounding, and then has no size of its own.
  const [sizeX, sizeY] = [norm(x) || 1, norm(problem.a) || 1];
  const { values, vectors } = symmetricEigen(
    x.map((entry, at) => entry / sizeX - y[at] / sizeY),
    k,
  );
  const margin = values.reduce((least, value) => Math.min(least, Math.abs(value)), Number.POSITIVE_INFINITY);
  const stats = {
    rank: values.filter((value) => value > 0).length,
    margin,
    violation: worst(violations(problem, x)),
  };
  const refuse = (status: SdcpDerivativeStatus): SdcpDerivativeResult => ({
    value: undefined,
    status,
    stats,
  });
  if (!(stats.violation <= TOLERANCE)) return refuse("inaccurate");
  if (!(margin >= LEAST_MARGIN)) return refuse("degenerate");

  // An eigenvalue of x/‖x‖ − y/‖a‖ belongs to x/‖x‖ where it is positive, to −y/‖a‖ where it is negative.
  const basis = transpose(vectors, k, k);
  const rotated = operatorCongruence(problem.b, basis, k);
  const places: number[] = [];
  const weights: number[] = [];
  for (let i = 0; i < k; i++)
    for (let j = i; j < k; j++) {
      const [low, high] = [values[i], values[j]];
      if (high < 0) continue;
      places.push(svecIndex(k, i, j));
      weights.push(low > 0 ? 0 : (-low * sizeY) / (high * sizeX));
    }
  const size = places.length;
  const scale = places.map((place, at) => 1 / Math.sqrt(rotated[place * m + place] + weights[at] || 1));
  const system = new Float64Array(size * size);
  places.forEach((place, row) => {
    places.forEach((other, column) => {
      const diagonal = row === column ? weights[row] : 0;
      system[row * size + column] = (rotated[place * m + other] + diagonal) * scale[row] * scale[column];
    });
  });
  const { factor, status } = cholesky(system, size);
  for (let i = 0; i < size; i++)
    if (status !== "solved" || !(factor[i * (size + 1)] ** 2 > LEAST_PIVOT)) return refuse("not-unique");

  const solve = (right: Float64Array): Float64Array => {
    const turned = svec(congruence(basis, right, k), k);
    const z = Float64Array.from(places, (place, at) => -turned[place] * scale[at]);
    choleskySolve(factor, size, z);
    const coordinates = new Float64Array(m);
    places.forEach((place, at) => {
      coordinates[place] = z[at] * scale[at];
    });
    return congruence(vectors, smat(coordinates, k), k);
  };
  const flat = svec(x, k);
  return {
    value: {
      apply: (da, db) => {
        check("dA", da, k);
        if (db) check("dB", db, m);
        const image = db ? smat(multiplyVector(symmetrise(db, m), flat, m, m), k) : new Float64Array(k * k);
        return solve(symmetrise(da, k).map((entry, at) => entry + image[at]));
      },
      transpose: (cotangent) => {
        check("a cotangent", cotangent, k);
        const A = solve(symmetrise(cotangent, k));
        const g = svec(A, k);
        const B = new Float64Array(m * m).map(
          (_, at) => 0.5 * (g[Math.floor(at / m)] * flat[at % m] + flat[Math.floor(at / m)] * g[at % m]),
        );
        return { A, B };
      },
    },
    status: "differentiable",
    stats,
  };
}
