import { cholesky, solveLower } from "../../dense/cholesky.ts";
import { multiply, multiplyVector, transpose } from "../../dense/matrix.ts";
import { applyQTransposed, qr, solveUpper } from "../../dense/qr.ts";
import { smat, svec, svecLength } from "../../dense/svec.ts";
import { symmetricEigen } from "../../dense/symmetric-eigen.ts";
import { norm } from "../../dense/vectors.ts";
import { type SdcpProblem, slack } from "../complementarity/problem.ts";

/** XY + YX − s·YXY − V[X] = N with Y = A + B[X]: s = 0 is the Lyapunov form, s = 1 the full one. */
export interface NoiseProblem extends SdcpProblem {
  /** N, k×k, symmetric positive semidefinite */
  readonly noise: Float64Array;
  /** V in svec coordinates, symmetric, which takes X ⪰ 0 to V[X] ⪰ 0; absent: 0 */
  readonly multiplicative?: Float64Array;
}

/** The recomputed violations; each is 0 for an exact solution. */
export interface NoiseViolations {
  /** ‖XY + YX − s·YXY − V[X] − N‖ / max(‖A‖·‖X‖, ‖N‖) */
  readonly equation: number;
  /** −λ_min(X)/‖X‖, at least 0 */
  readonly semidefiniteX: number;
  /** −λ_min(Y)/‖A‖, at least 0 */
  readonly semidefiniteY: number;
}

/** N − (XY + YX − s·YXY − V[X]), symmetric. */
function rest(problem: NoiseProblem, x: Float64Array, y: Float64Array, s: number): Float64Array {
  const { k, noise, multiplicative } = problem;
  const m = svecLength(k);
  const xy = multiply(x, y, k, k, k);
  const yxy = s === 0 ? undefined : multiply(y, xy, k, k, k);
  const driven = multiplicative && smat(multiplyVector(multiplicative, svec(x, k), m, m), k);
  return noise.map((entry, at) => {
    const mirrored = (at % k) * k + Math.floor(at / k);
    const cubic = yxy ? (s * (yxy[at] + yxy[mirrored])) / 2 : 0;
    return entry - xy[at] - xy[mirrored] + cubic + (driven?.[at] ?? 0);
  });
}

/** Measures X; all norms are Frobenius norms, NaN counts as infinity. */
export function noiseViolations(problem: NoiseProblem, x: Float64Array, s: number): NoiseViolations {
  const { k, a, noise } = problem;
  const y = slack(problem, x);
  const [sizeA, sizeX] = [norm(a), norm(x)];
  const relative = (amount: number, size: number) => {
    const ratio = amount > 0 ? amount / size : 0;
    return Number.isFinite(amount) && Number.isFinite(ratio) ? ratio : Number.POSITIVE_INFINITY;
  };
  return {
    equation: relative(norm(rest(problem, x, y, s)), Math.max(sizeA * sizeX, norm(noise))),
    semidefiniteX: relative(-(symmetricEigen(x, k).values[0] ?? 0), sizeX),
    semidefiniteY: relative(-(symmetricEigen(y, k).values[0] ?? 0), sizeA || norm(y)),
  };
}

/** The largest of the three. */
export function worstNoise({ equation, semidefiniteX, semidefiniteY }: NoiseViolations): number {
  return Math.max(equation, semidefiniteX, semidefiniteY);
}

/** The matrix in svec coordinates, by columns, of H ↦ MH + HMᵀ − s·(the symmetric part of) YHY. */
function operator(m: Float64Array, y: Float64Array | undefined, s: number, k: number): Float64Array {
  const size = svecLength(k);
  const columns = new Float64Array(size * size);
  const unit = new Float64Array(size);
  for (let c = 0; c < size; c++) {
    unit.fill(0);
    unit[c] = 1;
    const h = smat(unit, k);
    const product = multiply(m, h, k, k, k);
    // svec takes the symmetric part: half of MH + HMᵀ.
    for (let at = 0; at < product.length; at++) product[at] *= 2;
    if (y) {
      const cubic = multiply(multiply(y, h, k, k, k), y, k, k, k);
      for (let at = 0; at < product.length; at++) product[at] -= s * cubic[at];
    }
    columns.set(svec(product, k), c * size);
  }
  return columns;
}

/**
 * The derivatives of XY + YX − s·YXY in svec coordinates, by columns: along X it is YH + HY − s·YHY, along Y it is
 * (X − s·YX)G + G(X − s·XY).
 */
function derivatives(x: Float64Array, y: Float64Array, s: number, k: number) {
  const yx = s === 0 ? undefined : multiply(y, x, k, k, k);
  return {
    alongX: operator(y, s === 0 ? undefined : y, s, k),
    alongY: operator(yx ? x.map((entry, at) => entry - s * yx[at]) : x, undefined, 0, k),
  };
}

/**
 * One Newton step: dX and dY with dY = B[dX] − gap and derivative(dX, dY) = target, or undefined if the system is
 * singular to working precision.
 * Cost: 4k³m operations for the derivatives, 2m³ + 4/3·m³ for the system, m = k(k+1)/2.
 */
function newtonStep(
  problem: NoiseProblem,
  x: Float64Array,
  y: Float64Array,
  s: number,
  target: Float64Array,
  gap: Float64Array,
) {
  const { k, b } = problem;
  const m = svecLength(k);
  const { alongX, alongY } = derivatives(x, y, s, k);
  // Columns: alongX − V + alongY·B. B is symmetric, so its row c is its column c.
  const { multiplicative } = problem;
  const system = multiplicative ? alongX.map((entry, at) => entry - multiplicative[at]) : alongX;
  const image = new Float64Array(m);
  for (let c = 0; c < m; c++)
    for (let i = 0; i < m; i++) {
      const factor = b[c * m + i];
      if (factor === 0) continue;
      for (let row = 0; row < m; row++) system[c * m + row] += factor * alongY[i * m + row];
    }
  const gapped = svec(gap, k);
  for (let i = 0; i < m; i++) for (let row = 0; row < m; row++) image[row] += gapped[i] * alongY[i * m + row];
  const factored = qr(system, m, m);
  const move = svec(target, k).map((entry, i) => entry + image[i]);
  applyQTransposed(factored, move);
  solveUpper(factored, m, move);
  if (!move.every(Number.isFinite)) return undefined;
  const dy = multiplyVector(b, move, m, m).map((entry, i) => entry - gapped[i]);
  return { dx: smat(move, k), dy: smat(dy, k) };
}

/** Where an iteration ended: the X of the least violation. */
export interface NoiseOutcome {
  readonly x: Float64Array;
  readonly violation: number;
  readonly iterations: number;
}

const MAX_NEWTON = 30;
/** Steps without half the best violation end the run. */
const PATIENCE = 4;
/** Violations below this are rounding errors. */
const ROUNDOFF = 1e-15;

/** `end`: the last X of a path, which grows without bound where there is no solution. */
export interface PathOutcome extends NoiseOutcome {
  readonly end: Float64Array;
}

/** Newton's method from X, not globalised: the way from the complementarity problem's solution, and the last polish. */
export function newton(problem: NoiseProblem, start: Float64Array, s: number): NoiseOutcome {
  const none = new Float64Array(start.length);
  let x = start;
  let best = { x, violation: worstNoise(noiseViolations(problem, x, s)) };
  let stale = 0;
  for (let iterations = 0; ; iterations++) {
    if (best.violation <= ROUNDOFF || stale === PATIENCE || iterations === MAX_NEWTON)
      return { ...best, iterations };
    const y = slack(problem, x);
    const step = newtonStep(problem, x, y, s, rest(problem, x, y, s), none);
    if (!step) return { ...best, iterations };
    x = x.map((entry, at) => entry + step.dx[at]);
    const violation = worstNoise(noiseViolations(problem, x, s));
    stale = violation < best.violation / 2 ? 0 : stale + 1;
    if (violation < best.violation) best = { x, violation };
  }
}

const MAX_PATH = 120;
/** The part of the way to a matrix that is not positive definite which a step may take. */
const INSIDE = 0.9;
/** By these factors the distance left is cut: boldly after a long step, carefully after a short one. */
const BOLD = 0.1;
const CAREFUL = 0.6;
const LONG = 0.7;
/** A step shorter than this goes nowhere. */
const SHORT = 1e-8;
/** From here on Newton's method alone. */
const ARRIVED = 1e-13;

/**
 * The Lyapunov form by continuation: from any X₀, Y₀ ≻ 0 with X₀Y₀ + Y₀X₀ ≻ 0 along the solutions of
 *
 *     Y = A + B[X] + τ(Y₀ − A − B[X₀]),   XY + YX − V[X] = (1 − τ)N + τ(X₀Y₀ + Y₀X₀ − V[X₀]),   τ from 1 to 0,
 *
 * by Newton steps that keep X and Y positive definite, of a length 1 or less. Newton's system is regular wherever
 * X, Y ≻ 0 and XY + YX ⪰ 0 (docs/derivations.md) if V = 0, so the path exists until X leaves every bound, which it does only where
 * there is no solution. With N = 0 it is an infeasible interior point method along the path of Alizadeh, Haeberly and
 * Overton (SIAM J. Optim. 8, 1998).
 */
export function followPath(problem: NoiseProblem, x0: Float64Array, y0: Float64Array): PathOutcome {
  const { k, noise } = problem;
  let [x, y] = [x0, y0];
  let tau = 1;
  const pull = rest({ ...problem, noise: new Float64Array(k * k) }, x0, y0, 0).map((entry) => -entry);
  let best = { x, violation: worstNoise(noiseViolations(problem, x, 0)) };
  let sigma = CAREFUL;
  for (let iterations = 1; iterations <= MAX_PATH; iterations++) {
    const next = tau <= ARRIVED ? 0 : sigma * tau;
    const exact = slack(problem, x);
    const gap = y.map((entry, at) => (entry - exact[at]) * (1 - next / tau));
    const goal = { ...problem, noise: noise.map((entry, at) => (1 - next) * entry + next * pull[at]) };
    const step = newtonStep(problem, x, y, 0, rest(goal, x, y, 0), gap);
    if (!step) break;
    const reach = Math.min(reachOf(x, step.dx, k), reachOf(y, step.dy, k));
    const length = Math.min(1, INSIDE * reach);
    x = x.map((entry, at) => entry + length * step.dx[at]);
    y = y.map((entry, at) => entry + length * step.dy[at]);
    tau = Math.max(tau + length * (next - tau), Number.MIN_VALUE);
    sigma = length >= LONG ? BOLD : CAREFUL;
    const violation = worstNoise(noiseViolations(problem, x, 0));
    if (violation < best.violation) best = { x, violation };
    if (best.violation <= 1e-12 || (next === 0 && violation > best.violation / 2))
      return { ...best, iterations, end: x };
    if (length < SHORT) return { ...best, iterations, end: x };
  }
  return { ...best, iterations: MAX_PATH, end: x };
}

/** The largest α with M + α·move ⪰ 0 for M ≻ 0; 0 if M is not. */
function reachOf(m: Float64Array, move: Float64Array, k: number): number {
  const { factor, status } = cholesky(m, k);
  if (status !== "solved") return 0;
  const half = move.slice();
  for (let i = 0; i < k; i++) solveLower(factor, k, half.subarray(i * k, (i + 1) * k));
  const relative = transpose(half, k, k);
  for (let i = 0; i < k; i++) solveLower(factor, k, relative.subarray(i * k, (i + 1) * k));
  const least = symmetricEigen(relative, k).values[0];
  return least < 0 ? -1 / least : Number.POSITIVE_INFINITY;
}
