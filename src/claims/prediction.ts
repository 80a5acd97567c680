import {
  type ClaimExperiment,
  type ClaimNumber,
  gradientChart,
  lossChart,
  variancesChart,
} from "../report/index.ts";
import type { Experiment } from "./experiments.ts";
import { above, below, chartSourceOf, findingsOf, lateAtEdge, meanOf, meanSum } from "./measure.ts";

/** What time averages of the loss may miss. */
const LOSS_TOLERANCE = 0.1;
/** What averages of squares may: they sway by as much from one stretch of a run to the next. */
const SQUARE_TOLERANCE = 0.3;
/** Fewer steps at the edge are no average. */
const FEWEST_STEPS = 20;

const miss = (predicted: number, measured: number): number => Math.abs(predicted / measured - 1);

/** The central flow predicts time averages of the optimizer: loss, squared gradient, variances. */
export function measurePrediction(experiment: Experiment): ClaimExperiment {
  const { rows } = experiment;
  const late = lateAtEdge(rows);
  const loss = meanOf(late, "discrete/train_loss");
  const squared = meanOf(late, "discrete/grad_norm_sq");
  const numbers: ClaimNumber[] = [
    above("steps at the edge in the second half", late.length, FEWEST_STEPS),
    below(
      "loss: predicted average against measured, relative difference",
      miss(meanOf(late, "central/predicted_loss"), loss),
      LOSS_TOLERANCE,
    ),
    {
      label: "loss: the flow’s own, without its oscillation, against measured",
      value: miss(meanOf(late, "central/train_loss"), loss),
    },
    below(
      "squared gradient: predicted average against measured, relative difference",
      miss(meanOf(late, "central/predicted_grad_norm_sq"), squared),
      SQUARE_TOLERANCE,
    ),
    {
      label: "squared gradient: the flow’s own against measured",
      value: miss(meanOf(late, "central/grad_norm_sq"), squared),
    },
    below(
      "variances, all directions: predicted average against measured, relative difference",
      miss(
        meanSum(late, "central/predicted_variances"),
        meanSum(late, "deltas", (delta) => delta * delta),
      ),
      SQUARE_TOLERANCE,
    ),
  ];
  const source = chartSourceOf(experiment);
  return findingsOf(experiment, numbers, {
    axes: source.axes,
    charts: [...lossChart(source), ...gradientChart(source), ...variancesChart(source)],
  });
}
