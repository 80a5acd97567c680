import { log, pow, type Random, type ShouldStop, throwIfStopped } from "../../base/index.ts";
import { type Estimate, estimate } from "../statistics/estimate.ts";

/*
 * The smallest contextual problem: decisions z in [−½, ½], costs y·z with E[y | x] = x, so that z = −½ sign x is best and
 * −½ sign(x − t) costs |x| more wherever x lies between 0 and t. With the density (α/2)|x|^(α−1) on [−1, 1], which holds
 * P(|x| ≤ s) = s^α, its regret is (α/(2(1 + α)))|t|^(1+α).
 */

/** What a threshold t costs more than the best one, 0. */
export function thresholdRegret(t: number, alpha: number): number {
  return (alpha / (2 * (1 + alpha))) * pow(Math.min(1, Math.abs(t)), 1 + alpha);
}

/**
 * The regrets of two rules that choose among the same thresholds, from n examples y = x + σ·normal: the plug-in rule fits
 * x − t by least squares, so t = mean(x − y); the other minimises the cost of the decisions on the examples, Σ y z(x), which
 * is least where the sum of the y to the left of t is, and takes the middle of that interval.
 */
export function thresholdRegrets(
  n: number,
  alpha: number,
  sigma: number,
  replications: number,
  random: Random,
  shouldStop: ShouldStop,
): { readonly plugIn: Estimate; readonly erm: Estimate } {
  const x = new Float64Array(n);
  const plugIn = new Float64Array(replications);
  const erm = new Float64Array(replications);
  for (let replication = 0; replication < replications; replication++) {
    throwIfStopped("thresholdRegrets", shouldStop);
    drawSorted(x, alpha, random);
    let [error, sum, least, from] = [0, 0, 0, -1];
    for (let i = 0; i < n; i++) {
      const noise = sigma * random.normal();
      error += noise;
      sum += x[i] + noise;
      if (sum < least) [least, from] = [sum, i];
    }
    const left = from < 0 ? -1 : x[from];
    const right = from + 1 < n ? x[from + 1] : 1;
    plugIn[replication] = thresholdRegret(error / n, alpha);
    erm[replication] = thresholdRegret(0.5 * (left + right), alpha);
  }
  return { plugIn: estimate(plugIn), erm: estimate(erm) };
}

/** Inputs with the density (α/2)|x|^(α−1), in increasing order: those of uniform numbers come of exponential spacings. */
function drawSorted(x: Float64Array, alpha: number, random: Random): void {
  const spacing = (): number => -log(1 - random.uniform());
  let total = 0;
  for (let i = 0; i < x.length; i++) {
    total += spacing();
    x[i] = total;
  }
  total += spacing();
  for (let i = 0; i < x.length; i++) {
    const u = (2 * x[i]) / total - 1;
    x[i] = alpha === 1 ? u : Math.sign(u) * pow(Math.abs(u), 1 / alpha);
  }
}

/** The mean of |t|^(1+α) for a standard normal t, times α/(2(1 + α)), for α = 1 and α = 3: 1/4 and 9/8. */
export const NORMAL_MOMENT: Readonly<Record<1 | 3, number>> = { 1: 1 / 4, 3: 9 / 8 };

/** E argmax² of a two-sided Brownian motion less a parabola (Groeneboom and Wellner, 2001). */
export const CHERNOFF_VARIANCE = 0.26355964;

/** What the plug-in rule's regret tends to, α = 1 or 3. */
export function plugInLaw(n: number, alpha: 1 | 3, sigma: number): number {
  return NORMAL_MOMENT[alpha] * pow((sigma * sigma) / n, (1 + alpha) / 2);
}

/**
 * What the cost minimiser's regret tends to for α = 1. Near 0 the cost of t is t²/4 + σ(2n)^(−½)W(t) with a Brownian motion
 * W: with t = 2σ^(2/3)n^(−1/3)s it is proportional to s² + W(s), and the regret to the mean of t²/4.
 */
export function ermLaw(n: number, sigma: number): number {
  return CHERNOFF_VARIANCE * pow(sigma, 4 / 3) * pow(n, -2 / 3);
}

/** The slope of log(mean) against log(n), weighted by the errors, and its error. */
export function exponent(points: readonly (Estimate & { readonly n: number })[]): Estimate {
  const rows = points.map(({ n, mean, error }) => ({
    x: log(n),
    y: log(mean),
    weight: (mean / error) ** 2,
  }));
  const total = rows.reduce((sum, { weight }) => sum + weight, 0);
  const centre = rows.reduce((sum, { x, weight }) => sum + weight * x, 0) / total;
  const spread = rows.reduce((sum, { x, weight }) => sum + weight * (x - centre) ** 2, 0);
  const slope = rows.reduce((sum, { x, y, weight }) => sum + weight * (x - centre) * y, 0) / spread;
  return { mean: slope, error: 1 / Math.sqrt(spread) };
}
