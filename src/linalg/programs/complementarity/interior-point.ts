import { EPS, type ShouldStop, throwIfStopped } from "../../../base/index.ts";
import { cholesky, choleskySolve } from "../../dense/cholesky.ts";
import {
  congruence,
  multiply,
  multiplyInto,
  multiplyVector,
  spectralSum,
  transpose,
} from "../../dense/matrix.ts";
import { smat, svec, svecLength } from "../../dense/svec.ts";
import { symmetricEigen } from "../../dense/symmetric-eigen.ts";
import { addScaled, dot, norm } from "../../dense/vectors.ts";
import { type SdcpProblem, slack } from "./problem.ts";

/** Where the interior point iteration ended. `direction`: X/‖X‖ when it proves that no solution is near. */
export interface InteriorOutcome {
  readonly x: Float64Array;
  readonly iterations: number;
  readonly direction?: Float64Array;
}

const MAX_ITERATIONS = 80;
/** Complementarity, relative to ‖X‖·‖A‖, at which the semismooth Newton method takes over. */
const TARGET = 1e-14;
/** A proof that every solution is larger than this many ‖A‖/‖B‖ counts as a proof that there is none. */
export const HUGE_SOLUTION = 1e10;
/** Shorter steps than this make no progress. */
const LEAST_STEP = 1e-9;

/**
 * Infeasible primal–dual interior point method for Y = A + B[X], X ≻ 0, Y ≻ 0, XY → 0, with the direction of
 * Nesterov and Todd (SIAM J. Optim. 8, 1998; the form below is Todd, Toh and Tütüncü, ibid.) and Mehrotra's
 * predictor and corrector.
 *
 * With X = L Lᵀ, Y = M Mᵀ, MᵀL = U D Vᵀ and G = L V D^{-1/2}, the congruence by G maps both X and Y to D:
 * G⁻¹XG⁻ᵀ = GᵀYG = D. In that frame the linearised complementarity is dX + dY = C and Y's equation gives
 * dY = B̃[dX] + GᵀrG with r = A + B[X] − Y, so that (I + B̃) dX = C − GᵀrG: positive definite with least
 * eigenvalue 1, however singular B is.
 *
 * Divergence is examined by D = X/‖X‖: a solution X* has 0 ≤ ⟨D, Y*⟩ = ⟨D, A⟩ + ⟨B[D], X*⟩, hence
 * ‖X*‖ ≥ −⟨A, D⟩/‖B[D]‖.
 *
 * @param problem A and B of norm about 1, read
 * Cost per iteration: about 8k³m + m³/3 operations, m = k(k+1)/2.
 */
export function interiorPoint(problem: SdcpProblem): InteriorOutcome {
  const { k } = problem;
  let x = identity(k);
  let y = identity(k);
  let best: Float64Array = x;
  let bestMerit = Number.POSITIVE_INFINITY;
  let short = 0;
  for (let iterations = 0; ; iterations++) {
    throwIfStopped("sdcp", problem.shouldStop);
    const exact = slack(problem, x);
    const residual = exact.map((entry, i) => entry - y[i]);
    const gap = dot(x, 0, y, 0, k * k) / norm(x);
    const merit = Math.max(gap, norm(residual));
    if (merit < bestMerit) {
      best = x;
      bestMerit = merit;
    }
    const direction = proofOfUnsolvability(problem, x);
    if (direction) return { x: best, iterations, direction };
    if (merit <= TARGET || iterations === MAX_ITERATIONS || short === 3) return { x: best, iterations };
    const step = newtonStep(problem, x, y, residual);
    if (!step) return { x: best, iterations };
    x = step.x;
    y = step.y;
    short = step.length < LEAST_STEP ? short + 1 : 0;
  }
}

function identity(k: number): Float64Array {
  const matrix = new Float64Array(k * k);
  for (let i = 0; i < k; i++) matrix[i * k + i] = 1;
  return matrix;
}

/** X/‖X‖ if it shows that a solution would be larger than HUGE_SOLUTION. */
function proofOfUnsolvability(problem: SdcpProblem, x: Float64Array): Float64Array | undefined {
  const size = norm(x);
  const direction = x.map((entry) => entry / size);
  const coordinates = svec(direction, problem.k);
  const image = multiplyVector(problem.b, coordinates, coordinates.length, coordinates.length);
  const descent = -dot(problem.a, 0, direction, 0, direction.length);
  return descent > 1e-8 && descent > HUGE_SOLUTION * norm(image) ? direction : undefined;
}

/** Whether D shows, for A and B of any size, that a solution would be larger than HUGE_SOLUTION·‖A‖/‖B‖. */
export function proves({ k, a, b }: SdcpProblem, d: Float64Array): boolean {
  const [sizeA, sizeB] = [norm(a), norm(b)];
  const unit = { k, a: a.map((entry) => entry / sizeA), b: b.map((entry) => entry / sizeB) };
  return proofOfUnsolvability(unit, d) !== undefined;
}

/** Rounds of `refinedProof`; each gains a constant factor unless cone and null space only touch. */
const PROJECTIONS = 100;

/**
 * A proof near X/‖X‖ when roundoff kept X from diverging far enough to be one: alternating projections on the null
 * space of B and the positive semidefinite matrices.
 * Cost: one eigen decomposition of order m, and of order k per round.
 */
export function refinedProof(problem: SdcpProblem, x: Float64Array): Float64Array | undefined {
  const { k, b } = problem;
  const m = svecLength(k);
  const { values, vectors } = symmetricEigen(b, m, problem.shouldStop);
  const seen = values.findIndex((value) => value > m * EPS * values[m - 1]);
  let d = x;
  for (let round = 0; round < PROJECTIONS; round++) {
    throwIfStopped("sdcp", problem.shouldStop);
    if (!(norm(d) > 0)) return undefined;
    const proof = proofOfUnsolvability(problem, d);
    if (proof) return proof;
    const coordinates = svec(d, k);
    for (let e = seen; e < m; e++)
      addScaled(-dot(vectors, e * m, coordinates, 0, m), vectors, e * m, coordinates, 0, m);
    const { values: weights, vectors: axes } = symmetricEigen(smat(coordinates, k), k);
    d = spectralSum(
      weights.map((value) => Math.max(value, 0)),
      axes,
      k,
    );
  }
  return undefined;
}

/** One predictor–corrector step; undefined if a factorisation breaks down, at the limit of roundoff. */
function newtonStep(problem: SdcpProblem, x: Float64Array, y: Float64Array, residual: Float64Array) {
  const { k } = problem;
  const scaling = nesterovTodd(x, y, k);
  if (!scaling) return undefined;
  const { g, d } = scaling;
  const m = svecLength(k);
  const scaled = operatorCongruence(problem.b, g, k, problem.shouldStop);
  const system = scaled.map((entry, i) => entry + (i % (m + 1) === 0 ? 1 : 0));
  const { factor, status } = cholesky(system, m, problem.shouldStop);
  if (status !== "solved") return undefined;
  const scaledResidual = svec(congruence(g, residual, k), k);
  const solve = (target: Float64Array) => {
    const dx = svec(target, k).map((entry, i) => entry - scaledResidual[i]);
    choleskySolve(factor, m, dx);
    const dy = multiplyVector(scaled, dx, m, m).map((entry, i) => entry + scaledResidual[i]);
    return { dx: smat(dx, k), dy: smat(dy, k) };
  };
  const mu = dot(d, 0, d, 0, k) / k;
  const predictor = solve(complementarityTarget(d, 0, undefined, k));
  const reach = Math.min(1, stepLength(d, predictor.dx, k), stepLength(d, predictor.dy, k));
  const remaining = affineGap(d, predictor.dx, predictor.dy, reach, k) / mu;
  const sigma = remaining * remaining * remaining;
  const second = multiply(predictor.dx, predictor.dy, k, k, k);
  const corrector = solve(complementarityTarget(d, Math.min(1, sigma) * mu, second, k));
  const far = Math.min(stepLength(d, corrector.dx, k), stepLength(d, corrector.dy, k));
  const length = Math.min(1, 0.9 * far + 0.09 * Math.min(1, far) * far);
  const back = transpose(g, k, k);
  const move = congruence(back, corrector.dx, k);
  const moveSlack = problemSlackMove(problem, move, residual);
  return {
    length,
    x: x.map((entry, i) => entry + length * move[i]),
    y: y.map((entry, i) => entry + length * moveSlack[i]),
  };
}

/** dY = B[dX] + r in the original frame. */
function problemSlackMove(problem: SdcpProblem, move: Float64Array, residual: Float64Array): Float64Array {
  const moved = slack(problem, move);
  return moved.map((entry, i) => entry - problem.a[i] + residual[i]);
}

/** G and the diagonal d of D in G⁻¹XG⁻ᵀ = GᵀYG = D; undefined if X or Y is not positive definite. */
function nesterovTodd(x: Float64Array, y: Float64Array, k: number) {
  const l = cholesky(x, k);
  const m = cholesky(y, k);
  if (l.status !== "solved" || m.status !== "solved") return undefined;
  const product = multiply(transpose(m.factor, k, k), l.factor, k, k, k);
  const { values, vectors } = symmetricEigen(multiply(transpose(product, k, k), product, k, k, k), k);
  if (!(values[0] > 0)) return undefined;
  const d = values.map(Math.sqrt);
  const v = transpose(vectors, k, k).map((entry, at) => entry / Math.sqrt(d[at % k]));
  return { g: multiply(l.factor, v, k, k, k), d };
}

/**
 * The operator Z ↦ Gᵀ B[G Z Gᵀ] G in svec coordinates.
 *
 * @param shouldStop looked at before each of 2m congruences
 * Cost: 8k³m operations, m = k(k+1)/2.
 */
export function operatorCongruence(
  b: Float64Array,
  g: Float64Array,
  k: number,
  shouldStop?: ShouldStop,
): Float64Array {
  const m = svecLength(k);
  const turnedG = transpose(g, k, k);
  const matrix = new Float64Array(k * k);
  const product = new Float64Array(k * k);
  // Row i of B·K is the congruence of row i of B; KᵀBK follows from the rows of (BK)ᵀ.
  const congruent = (from: Float64Array): Float64Array => {
    const to = new Float64Array(m * m);
    for (let i = 0; i < m; i++) {
      throwIfStopped("sdcp", shouldStop);
      smat(from.subarray(i * m, (i + 1) * m), k, matrix);
      multiplyInto(product, matrix, g, k, k, k);
      multiplyInto(matrix, turnedG, product, k, k, k);
      svec(matrix, k, to.subarray(i * m, (i + 1) * m));
    }
    return to;
  };
  return congruent(transpose(congruent(b), m, m));
}

/** C with (D C + C D)/2 = σμ I − D² − (second + secondᵀ)/2. */
function complementarityTarget(
  d: Float64Array,
  sigmaMu: number,
  second: Float64Array | undefined,
  k: number,
): Float64Array {
  const c = new Float64Array(k * k);
  for (let i = 0; i < k; i++)
    for (let j = 0; j < k; j++) {
      const diagonal = i === j ? sigmaMu - d[i] * d[i] : 0;
      const cross = second ? (second[i * k + j] + second[j * k + i]) / 2 : 0;
      c[i * k + j] = (2 * (diagonal - cross)) / (d[i] + d[j]);
    }
  return c;
}

/** The largest α with D + α·move ⪰ 0. */
function stepLength(d: Float64Array, move: Float64Array, k: number): number {
  const relative = move.map((entry, at) => entry / Math.sqrt(d[Math.floor(at / k)] * d[at % k]));
  const least = symmetricEigen(relative, k).values[0];
  return least < 0 ? -1 / least : Number.POSITIVE_INFINITY;
}

/** ⟨D + α dX, D + α dY⟩/k. */
function affineGap(d: Float64Array, dx: Float64Array, dy: Float64Array, alpha: number, k: number): number {
  let sum = 0;
  for (let i = 0; i < k; i++)
    for (let j = 0; j < k; j++) {
      const diagonal = i === j ? d[i] : 0;
      sum += (diagonal + alpha * dx[i * k + j]) * (diagonal + alpha * dy[i * k + j]);
    }
  return sum / k;
}
