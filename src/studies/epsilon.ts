import { adaptivity, adaptivityInterval, magnitudeHistogram } from "../analysis/index.ts";
import { Random } from "../base/index.ts";
import { stopIfAsked, study } from "./study.ts";

/** The spread of log s in the synthetic distributions: from weights that are alike to six orders of magnitude. */
const SPREADS = [0.25, 1, 2, 4] as const;
/** ε over the median of s, as log10. */
const PLACES = Array.from({ length: 49 }, (_, i) => -6 + i / 4);

/**
 * A(ε) for log s ~ N(0, spread²) by the trapezoidal rule, exponentially exact for an analytic integrand that decays: with
 * steps of 1/64 of a standard deviation within ±9 of them the error is below 1e-13 at all the spreads used here.
 */
export function logNormalAdaptivity(epsilon: number, spread: number): number {
  let total = 0;
  for (let i = -576; i <= 576; i++) {
    const z = i / 64;
    total += Math.exp((-z * z) / 2) / (1 + epsilon * Math.exp(-spread * z));
  }
  return total / (64 * Math.sqrt(2 * Math.PI));
}

/** Study `epsilon`: which values of ε are worth trying, read off the distribution of √ν̂. */
export const epsilon = study({
  name: "epsilon",
  title: "ε by the histogram of gradient magnitudes",
  papers: [
    {
      title: "Optimal Hyperparameter ε for Adaptive Stochastic Optimizers through Gradient Histograms",
      arxiv: "2311.11532",
      standing: ["abstract", "derived"],
    },
  ],
  question:
    "Which values of ε are worth trying for a rule that divides by √ν̂ + ε? The distribution of s = √ν̂ says it: far below it ε does nothing, far above it the rule is a momentum method with the learning rate η/ε.",
  method:
    "A(ε) is the mean of s/(s + ε) over the weights, and the interval that from A = 0.99 to A = 0.01 (both ours). For log-normal s samples are held against quadrature.",
  criteria: {
    sampled: {
      sentence:
        "A(ε) of log-normal samples against quadrature: the largest difference in standard errors, over 49 values of ε and 4 spreads",
      bound: { below: 5 },
    },
  },
  unavailable:
    "the body of the paper. What is measured here follows from what ε does in the update; the paper’s own rule for the interval and its experiments are not reproduced.",
  run(task) {
    const count = task.size === "full" ? 100_000 : 10_000;
    let worst = 0;
    const curves = SPREADS.map((spread, i) => {
      stopIfAsked(task);
      task.progress(i / SPREADS.length, `log-normal samples, spread ${spread}`);
      const random = new Random(1, `epsilon ${spread}`);
      const s = Float64Array.from({ length: count }, () => Math.exp(spread * random.normal()));
      for (const place of PLACES) {
        const epsilon = 10 ** place;
        const exact = logNormalAdaptivity(epsilon, spread);
        // The variance of one summand: E of its square by the same samples.
        let squares = 0;
        for (const each of s) squares += (each / (each + epsilon) - exact) ** 2;
        const error = Math.sqrt(squares) / count;
        worst = Math.max(worst, Math.abs(adaptivity(s, epsilon) - exact) / error);
      }
      return { spread, s };
    });
    return {
      measured: { sampled: worst },
      told: curves.flatMap(({ spread, s }) => {
        const [low, high] = adaptivityInterval(s);
        return [
          { label: `interval of ε at spread ${spread}, lower end over the median of s`, value: low },
          { label: `interval of ε at spread ${spread}, upper end over the median of s`, value: high },
        ];
      }),
      figures: [
        {
          id: "adaptivity",
          title: "How adaptive a rule is, by ε",
          caption:
            "A(ε) for log-normal s. The wider the distribution, the longer the interval of ε that matters.",
          along: "log10 of ε over the median of s",
          axis: "A(ε)",
          curves: SPREADS.map((spread) => ({
            label: `spread of log s ${spread}`,
            x: PLACES,
            y: PLACES.map((place) => logNormalAdaptivity(10 ** place, spread)),
          })),
        },
        {
          id: "histogram",
          title: "The distributions of s",
          caption: "The share of the weights in each fifth of a factor of ten.",
          along: "log10 of s over its median",
          axis: "share of the weights",
          curves: curves.map(({ spread, s }) => {
            const { places, shares } = magnitudeHistogram(s);
            return { label: `spread of log s ${spread}`, x: [...places], y: [...shares] };
          }),
        },
      ],
    };
  },
});
