import { exp, type Random, type ShouldStop, throwIfStopped } from "../../base/index.ts";
import { batchMeans, type Estimate } from "../statistics/estimate.ts";

/**
 * Inner loss L_T = ½θᵀ(A₀ + e^λ I)θ − bᵀθ with A₀ diagonal, outer loss L_V = ½(θ − v)ᵀH(θ − v). At temperature τ the inner
 * solutions are N(θ*, τA⁻¹) with A = A₀ + e^λ I and θ* = A⁻¹b.
 */
export interface Ridge {
  /** the diagonal of A₀ */
  readonly a0: Float64Array;
  readonly b: Float64Array;
  readonly v: Float64Array;
  /** H, d×d, symmetric positive semidefinite */
  readonly outer: Float64Array;
  readonly lambda: number;
}

/** A random one. */
export function drawRidge(d: number, lambda: number, random: Random): Ridge {
  const root = random.fillNormal(new Float64Array(d * d));
  const outer = new Float64Array(d * d);
  for (let i = 0; i < d; i++)
    for (let j = 0; j < d; j++)
      for (let k = 0; k < d; k++) outer[i * d + j] += root[k * d + i] * root[k * d + j];
  return {
    a0: Float64Array.from({ length: d }, (_, i) => 0.3 + i),
    b: random.fillNormal(new Float64Array(d)),
    v: random.fillNormal(new Float64Array(d)),
    outer,
    lambda,
  };
}

/** The diagonal of A, θ*, and the gradient of the outer loss there. */
export function solutionOf(ridge: Ridge) {
  const weight = exp(ridge.lambda);
  const a = ridge.a0.map((entry) => entry + weight);
  const theta = ridge.b.map((entry, i) => entry / a[i]);
  return { weight, a, theta, gradient: outerGradient(ridge, theta) };
}

function outerGradient({ outer, v }: Ridge, theta: Float64Array): Float64Array {
  const d = theta.length;
  const gradient = new Float64Array(d);
  for (let i = 0; i < d; i++) for (let j = 0; j < d; j++) gradient[i] += outer[i * d + j] * (theta[j] - v[j]);
  return gradient;
}

/** The outer loss. */
export function outerLoss(ridge: Ridge, theta: Float64Array): number {
  const gradient = outerGradient(ridge, theta);
  let sum = 0;
  for (let i = 0; i < theta.length; i++) sum += 0.5 * gradient[i] * (theta[i] - ridge.v[i]);
  return sum;
}

/** E L_V = L_V(θ*) + ½tr(H C), at the stationary covariance C of Langevin steps h; h → 0: C = τA⁻¹. */
export function expectedOuter(ridge: Ridge, tau: number, h = 0): number {
  const { a, theta } = solutionOf(ridge);
  const d = a.length;
  let sum = outerLoss(ridge, theta);
  for (let i = 0; i < d; i++) sum += 0.5 * ridge.outer[i * (d + 1)] * stationaryVariance(a[i], tau, h);
  return sum;
}

/**
 * The variance of θ ← θ − (h/τ)aθ + √(2h)ξ at rest, τ/(a(1 − (h/2τ)a)): it is infinite at the edge, (h/τ)a = 2.
 */
export function stationaryVariance(a: number, tau: number, h: number): number {
  return tau / (a * (1 - (h * a) / (2 * tau)));
}

/**
 * Its derivative by λ: −e^λ[∇L_VᵀA⁻¹θ* + (τ/2)tr(H A⁻²)] for h → 0, and with c(a) the variance above
 * e^λ[−∇L_VᵀA⁻¹θ* + ½Σ H_ii c′(a_i)] at a finite step. For τ → 0 that of the implicit function.
 */
export function outerDerivative(ridge: Ridge, tau: number, h = 0): number {
  const { weight, a, theta, gradient } = solutionOf(ridge);
  const d = a.length;
  let sum = 0;
  for (let i = 0; i < d; i++) {
    sum -= (gradient[i] * theta[i]) / a[i];
    if (tau > 0) {
      const rest = 1 - (h * a[i]) / (2 * tau);
      sum -= (0.5 * ridge.outer[i * (d + 1)] * tau * (1 - (h * a[i]) / tau)) / (a[i] * rest) ** 2;
    }
  }
  return weight * sum;
}

/** The covariance of two sequences, as the mean of products of centred entries with its error over equal parts. */
function covariance(x: Float64Array, y: Float64Array): Estimate {
  const mean = (values: Float64Array) => values.reduce((sum, each) => sum + each / values.length, 0);
  const [mx, my] = [mean(x), mean(y)];
  return batchMeans(x.map((each, i) => (each - mx) * (y[i] - my)));
}

/** −Cov(L_V, ∂_λL_T)/τ over a sequence of inner solutions: the derivative by the score; L_V does not depend on λ. */
export function scoreDerivative(outer: Float64Array, innerSlope: Float64Array, tau: number): Estimate {
  const { mean, error } = covariance(outer, innerSlope);
  return { mean: -mean / tau, error: error / tau };
}

/** The score's derivative from independent draws of N(θ*, τA⁻¹). */
export function ridgeScore(ridge: Ridge, tau: number, draws: number, random: Random): Estimate {
  const { weight, a, theta } = solutionOf(ridge);
  const [outer, slope] = [new Float64Array(draws), new Float64Array(draws)];
  const x = new Float64Array(a.length);
  for (let draw = 0; draw < draws; draw++) {
    let square = 0;
    for (let i = 0; i < x.length; i++) {
      x[i] = theta[i] + Math.sqrt(tau / a[i]) * random.normal();
      square += x[i] * x[i];
    }
    outer[draw] = outerLoss(ridge, x);
    slope[draw] = 0.5 * weight * square;
  }
  return scoreDerivative(outer, slope, tau);
}

/** What a long Langevin run says. */
export interface LangevinRun {
  /** the variance of each coordinate */
  readonly variances: readonly Estimate[];
  /** the mean of ∇L_VᵀJ */
  readonly path: Estimate;
}

/**
 * θ′ = θ − (h/τ)∇L_T + √(2h)ξ with its derivative by λ for fixed noise, J′ = (I − (h/τ)A)J − (h/τ)e^λθ, from θ* on. The mean of
 * ∇L_VᵀJ at rest is the derivative of the mean of L_V at rest, at this very h.
 */
export function langevinRun(
  ridge: Ridge,
  tau: number,
  h: number,
  steps: number,
  random: Random,
  shouldStop: ShouldStop,
): LangevinRun {
  const { weight, a, theta } = solutionOf(ridge);
  const d = a.length;
  const x = theta.slice();
  const J = x.map((entry, i) => (-weight * entry) / a[i]);
  const noise = Math.sqrt(2 * h);
  const along = new Float64Array(steps);
  const squares = Array.from({ length: d }, () => new Float64Array(steps));
  for (let t = 0; t < steps; t++) {
    if (t % 4096 === 0) throwIfStopped("langevinRun", shouldStop);
    for (let i = 0; i < d; i++) {
      J[i] -= (h / tau) * (a[i] * J[i] + weight * x[i]);
      x[i] += (-h / tau) * (a[i] * x[i] - ridge.b[i]) + noise * random.normal();
      squares[i][t] = (x[i] - theta[i]) ** 2;
    }
    const gradient = outerGradient(ridge, x);
    for (let i = 0; i < d; i++) along[t] += gradient[i] * J[i];
  }
  return { variances: squares.map((each) => batchMeans(each)), path: batchMeans(along) };
}
