import type { AdaptivityAt, MagnitudeHistogram } from "../../analysis/index.ts";
import { formatNumber } from "../format.ts";
import { type Chart, chart, group } from "./chart.ts";
import type { Axis } from "./dynamics-charts.ts";

/** Charts with axes of their own. */
export interface DiagnosticCharts {
  readonly axes: readonly Axis[];
  readonly charts: readonly Chart[];
}

/** The histograms of |g_i| and √ν̂_i, each on its own axis. */
export function histogramCharts({ gradients, roots, scalar }: AdaptivityAt): DiagnosticCharts {
  const axisOf = ({ places }: MagnitudeHistogram): Axis => ({ steps: Float64Array.from(places) });
  const sharesOf = ({ shares }: MagnitudeHistogram): Float64Array => Float64Array.from(shares);
  const charts = chart({
    id: "epsilon-histogram",
    title: "Gradients and what they are divided by",
    caption: scalar
      ? "The share of the weights in each fifth of a factor of ten of |g|; the rule divides all of them by one √ν̂."
      : "The share of the weights in each fifth of a factor of ten: |g| at the last weights, and √ν̂ as the last step divided by it. Left of ε all weights are divided by the same.",
    axis: "share of the weights",
    along: "log10 of the magnitude",
    wide: true,
    groups: [
      ...group("|g|", "run-1", [{ name: "|g|", values: sharesOf(gradients), axis: 0 }]),
      ...(scalar ? [] : group("√ν̂", "run-0", [{ name: "√ν̂", values: sharesOf(roots), axis: 1 }])),
    ],
  });
  return { axes: [axisOf(gradients), axisOf(roots)], charts };
}

/** What ε does, in a sentence. */
export function epsilonSentence({
  epsilon,
  adaptivity,
  interval: [low, high],
  scalar,
}: AdaptivityAt): string {
  const range = `from ${formatNumber(low)} (A = 0.99) to ${formatNumber(high)} (A = 0.01)`;
  const where =
    epsilon < low
      ? "it lies below that interval and does next to nothing"
      : epsilon > high
        ? "it lies above it: the rule is close to one that divides by ε alone, with the learning rate η/ε"
        : "it lies within it: small second moments are cut off at ε";
  const mean = scalar ? "√ν̂/(√ν̂ + ε)" : "the mean of √ν̂/(√ν̂ + ε) over the weights";
  return `A(ε), ${mean}, is ${formatNumber(adaptivity)} at ε = ${formatNumber(epsilon)}. The ε that matter go ${range}; ${where}.`;
}
