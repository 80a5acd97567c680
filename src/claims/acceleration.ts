import {
  type Chart,
  type ClaimExperiment,
  type ClaimNumber,
  chart,
  columnOf,
  columnsOf,
  group,
  lossChart,
} from "../report/index.ts";
import type { Experiment } from "./experiments.ts";
import { above, below, chartSourceOf, findingsOf } from "./measure.ts";

/**
 * Acceleration via regularization: without its curvature penalty the flow drifts into sharper regions, therefore takes
 * smaller steps, and therefore ends with a higher loss.
 */
export function measureAcceleration(experiment: Experiment): ClaimExperiment {
  const { rows } = experiment;
  const end = (path: string): number => columnOf(rows, path)?.at(-1) ?? Number.NaN;
  const ratio = (path: string): number => end(`ablated/${path}`) / end(`central/${path}`);
  const step =
    columnOf(rows, "central/opt.effective_step_size") === undefined
      ? "opt.ess_harmonic_mean"
      : "opt.effective_step_size";
  const numbers: ClaimNumber[] = [
    above("sharpness at the end, ablated over central", ratio("hessian_eigs"), 1),
    below("step size at the end, ablated over central", ratio(step), 1),
    above("loss at the end, ablated over central", ratio("train_loss"), 1),
    {
      label: "steps the central flow needs to the loss that the ablated flow has at the end",
      value: stepsTo(columnOf(rows, "central/train_loss"), end("ablated/train_loss")),
    },
    { label: "steps in all", value: rows.length },
  ];
  const source = chartSourceOf(experiment);
  return findingsOf(experiment, numbers, {
    axes: source.axes,
    charts: [
      ...lossChart(source),
      ...compared(rows, "hessian_eigs", "sharpness", "Sharpness", "largest eigenvalue of the Hessian"),
      ...compared(rows, step, "step-size", "Step size", "step size"),
    ],
  });
}

/** The first row with a loss no larger than the given one; NaN if there is none. */
function stepsTo(loss: Float64Array | undefined, bound: number): number {
  const found = loss?.findIndex((entry) => entry <= bound) ?? -1;
  return found < 0 ? Number.NaN : found;
}

/** One quantity of both flows. */
function compared(
  rows: Experiment["rows"],
  quantity: string,
  id: string,
  title: string,
  axis: string,
): Chart[] {
  const groups = (["central", "ablated"] as const).flatMap((process) => {
    const values = columnsOf(rows, `${process}/${quantity}`)[0];
    const label = process === "central" ? "Central flow" : "Ablated flow";
    return group(label, process, [values && { name: `${process}/${quantity}`, values }]);
  });
  return chart({ id, title, caption: "", axis, groups, log: true });
}
