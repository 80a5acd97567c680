import { EPS, throwIfStopped } from "../../../base/index.ts";
import { cholesky, choleskySolve } from "../../dense/cholesky.ts";
import { congruence, spectralSum, transpose } from "../../dense/matrix.ts";
import { smat, svec, svecIndex, svecLength } from "../../dense/svec.ts";
import { symmetricEigen } from "../../dense/symmetric-eigen.ts";
import { dot, norm } from "../../dense/vectors.ts";
import { operatorCongruence } from "./interior-point.ts";
import { type SdcpProblem, slack } from "./problem.ts";

/** The best point of a Newton run: X ⪰ 0, and its natural residual ‖X − P₊(X − γY)‖/‖X‖. */
export interface NewtonOutcome {
  readonly x: Float64Array;
  readonly residual: number;
  readonly iterations: number;
}

const MAX_ITERATIONS = 25;
/** Steps without a residual below half the best end the run: it diverges, cycles or has reached roundoff. */
const PATIENCE = 4;

/**
 * Semismooth Newton method for F(X) = X − P₊(X − γ(A + B[X])) = 0, whose zeros are the solutions; P₊ is the
 * projection onto the positive semidefinite matrices. Qi and Sun (Math. Program. 58, 1993); P₊ is strongly
 * semismooth by D. Sun and J. Sun (Math. Oper. Res. 27, 2002), so convergence is quadratic near a solution,
 * strict complementarity or not. It is not globalised: it serves to polish, and to try a warm start.
 *
 * With X − γY = QΛQᵀ, P₊' multiplies entry (i,j) in the basis Q by ω_ij, the divided difference of max(0,·)
 * at λ_i, λ_j. So H = dX satisfies (1 − ω)∘H + γ ω∘B_Q[H] = −F_Q: H = −F where ω = 0, and elsewhere the
 * symmetric system ((1 − ω)/(γω) + B_Q) H = rest. A shift at roundoff level keeps it definite for singular B.
 *
 * @param problem read
 * @param start X to begin with, read
 * @param gamma weight of Y against X, about ‖X‖/‖Y‖
 */
export function semismoothNewton(problem: SdcpProblem, start: Float64Array, gamma: number): NewtonOutcome {
  const { k } = problem;
  let x = start;
  let best: NewtonOutcome = { x: start, residual: Number.POSITIVE_INFINITY, iterations: 0 };
  let stale = 0;
  for (let iterations = 0; ; iterations++) {
    throwIfStopped("sdcp", problem.shouldStop);
    const y = slack(problem, x);
    const { values, vectors, status } = symmetricEigen(
      x.map((entry, i) => entry - gamma * y[i]),
      k,
    );
    if (status !== "solved") return { ...best, iterations };
    const projected = spectralSum(
      values.map((value) => Math.max(value, 0)),
      vectors,
      k,
    );
    const residual = naturalResidual(problem, projected, gamma);
    stale = residual < best.residual / 2 ? 0 : stale + 1;
    if (residual < best.residual) best = { x: projected, residual, iterations };
    if (best.residual <= EPS || stale === PATIENCE || iterations === MAX_ITERATIONS)
      return { ...best, iterations };
    const step = newtonStep(problem, x, values, vectors, gamma);
    if (!step) return { ...best, iterations };
    x = x.map((entry, i) => entry + step[i]);
  }
}

/** ‖X − P₊(X − γY)‖/‖X‖ for X ⪰ 0; for X = 0 the scale is γ‖A‖. */
function naturalResidual(problem: SdcpProblem, x: Float64Array, gamma: number): number {
  const { k, a } = problem;
  const y = slack(problem, x);
  const { values, vectors } = symmetricEigen(
    x.map((entry, i) => entry - gamma * y[i]),
    k,
  );
  const image = spectralSum(
    values.map((value) => Math.max(value, 0)),
    vectors,
    k,
  );
  const size = norm(x) || gamma * norm(a);
  const residual = norm(image.map((entry, i) => entry - x[i])) / size;
  return Number.isFinite(residual) ? residual : Number.POSITIVE_INFINITY;
}

function newtonStep(
  problem: SdcpProblem,
  x: Float64Array,
  values: Float64Array,
  vectors: Float64Array,
  gamma: number,
): Float64Array | undefined {
  const { k, b } = problem;
  const m = svecLength(k);
  const q = transpose(vectors, k, k);
  const residual = congruence(q, x, k);
  for (let i = 0; i < k; i++) residual[i * k + i] -= Math.max(values[i], 0);
  const f = svec(residual, k);
  const rotated = operatorCongruence(b, q, k, problem.shouldStop);
  const weights = new Float64Array(m);
  for (let i = 0; i < k; i++)
    for (let j = i; j < k; j++) weights[svecIndex(k, i, j)] = dividedDifference(values[i], values[j]);
  const h = f.map((entry) => -entry);
  const active = Array.from(weights.keys()).filter((i) => weights[i] > 0);
  const size = active.length;
  const system = new Float64Array(size * size);
  let largest = 0;
  for (const i of active) largest = Math.max(largest, rotated[i * m + i]);
  const right = new Float64Array(size);
  active.forEach((i, row) => {
    active.forEach((j, column) => {
      system[row * size + column] = rotated[i * m + j];
    });
    system[row * size + row] += (1 - weights[i]) / (gamma * weights[i]) + m * EPS * largest;
    let known = 0;
    for (let j = 0; j < m; j++) if (weights[j] === 0) known += rotated[i * m + j] * h[j];
    right[row] = -f[i] / (gamma * weights[i]) - known;
  });
  const { factor, status } = cholesky(system, size, problem.shouldStop);
  if (status !== "solved") return undefined;
  choleskySolve(factor, size, right);
  active.forEach((i, row) => {
    h[i] = right[row];
  });
  return congruence(vectors, smat(h, k), k);
}

/** (max(0,λ) − max(0,μ))/(λ − μ), with an element of the generalised derivative where λ = μ. */
function dividedDifference(lambda: number, mu: number): number {
  if (lambda > 0 && mu > 0) return 1;
  if (lambda <= 0 && mu <= 0) return 0;
  return Math.max(lambda, mu) / Math.abs(lambda - mu);
}

/** ‖X‖/‖Y‖, the weight that makes both sides of X − γY count; 1 if either vanishes. */
export function balance(problem: SdcpProblem, x: Float64Array): number {
  const y = slack(problem, x);
  const ratio = Math.sqrt(dot(x, 0, x, 0, x.length) / dot(y, 0, y, 0, y.length));
  return ratio > 0 && Number.isFinite(ratio) ? ratio : 1;
}
