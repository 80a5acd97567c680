import { labelOf, processesIn } from "../processes.ts";
import { columnOf, columnsOf, pathsUnder, sumOf } from "../series.ts";
import { type Chart, chart, group } from "./chart.ts";
import { averageGroup, type ChartSource, edgeLabel, lineOf, processGroups } from "./dynamics-charts.ts";

/** The squared gradient norm, with what the central flow predicts of its average. */
export function gradientChart(source: ChartSource): Chart[] {
  const predicted = lineOf(source.rows, "central/predicted_grad_norm_sq");
  return chart({
    id: "gradient",
    title: "Squared gradient norm",
    caption: `Most of the optimizer’s gradient is back-and-forth across the valley, which its average path does not
      follow: the central flow’s gradient is much smaller. Flow plus predicted oscillation should match the
      optimizer’s average.`,
    axis: "squared norm",
    log: true,
    groups: [
      ...processGroups(source, "grad_norm_sq"),
      ...group("Predicted average", "prediction", [predicted]),
      ...averageGroup(source, "discrete/grad_norm_sq", true),
    ],
  });
}

/** The batch's sharpness beside the largest eigenvalue; empty without mini-batches. */
export function batchSharpnessChart(source: ChartSource): Chart[] {
  const { rows, criticalValue } = source;
  const path = "discrete/effective_batch_sharpness";
  const each = lineOf(rows, path);
  if (!each) return [];
  const top = columnsOf(rows, "discrete/effective_hessian_eigs")[0];
  return chart({
    id: "batch-sharpness",
    title: "Sharpness of the mini-batches",
    caption: `The curvature of each mini-batch’s loss along its own step, averaged, beside the largest eigenvalue of the
      loss of all examples. With noise it is the mean over batches that is said to settle at the edge, while the
      largest eigenvalue stays below.`,
    terms: [
      [
        "Batch sharpness",
        "dᵀHd/dᵀPd with H and d = P⁻¹g the Hessian and the step of the mini-batch alone: for gradient descent η times gᵀHg/‖g‖²",
      ],
    ],
    axis: "sharpness",
    groups: [
      ...averageGroup(source, path, true),
      ...group("Largest eigenvalue, all examples", "discrete", [
        top && { name: "discrete/effective_hessian_eigs[0]", values: top },
      ]),
      ...group("Batch sharpness, every step", "warm", [each], { shown: false, strays: true }),
    ],
    level: { value: criticalValue, label: edgeLabel(criticalValue) },
  });
}

export function accuracyChart(source: ChartSource): Chart[] {
  const tests = processesIn(source.rows).flatMap((process) =>
    group(`${labelOf(process)}, test`, process, [lineOf(source.rows, `${process}/test_acc`)], {
      shown: false,
    }),
  );
  return chart({
    id: "accuracy",
    title: "Training accuracy",
    caption: "The share of training examples that each process classifies correctly.",
    axis: "accuracy",
    groups: [...processGroups(source, "train_acc"), ...tests],
  });
}

/** A quantity of the user's, one line for each of its numbers. */
export function observedCharts(source: ChartSource): Chart[] {
  const { rows } = source;
  const processes = processesIn(rows);
  const names = new Set(
    processes.flatMap((process) => {
      const prefix = `${process}/${OBSERVED}`;
      return pathsUnder(rows, prefix).map((path) => path.slice(prefix.length));
    }),
  );
  return [...names].flatMap((name) =>
    chart({
      id: `observed-${name}`,
      title: name,
      caption: "A quantity of your own, of each process before the step. All its numbers are in data.hdf5.",
      axis: name,
      groups: processes.flatMap((process) => {
        const path = `${process}/${OBSERVED}${name}`;
        const columns = columnsOf(rows, path).slice(0, OBSERVED_LINES);
        const lines = columns.map((values, i) => ({
          name: columns.length > 1 ? `${path}[${i}]` : path,
          values,
        }));
        return group(labelOf(process), process, lines, { shown: process !== "midpoint" });
      }),
    }),
  );
}

/** Where rows hold a quantity of the user's, under its process. */
const OBSERVED = "observed/";

/** So many numbers of a quantity are drawn at most. */
const OBSERVED_LINES = 8;

/** Optimizer quantities worth a chart: path under the process, title, axis and what to see. */
const OPTIMIZER_QUANTITIES: readonly (readonly [string, string, string, string])[] = [
  [
    "opt.nu",
    "Second moment ν",
    "ν",
    "The optimizer’s running average of the squared gradient. Oscillation feeds it: the central flow must count the oscillation to follow it.",
  ],
  [
    "opt.nu_l1",
    "Second moment ν, summed",
    "‖ν‖₁",
    "The optimizer’s running average of squared gradients, summed over all weights. Oscillation feeds it: the central flow must count the oscillation to follow it.",
  ],
  [
    "opt.effective_step_size",
    "Effective step size",
    "step size",
    "The step size that the optimizer has set itself. At the edge it is 2 divided by the sharpness, whatever the learning rate.",
  ],
  [
    "opt.ess_mean",
    "Mean step size",
    "step size",
    "The step sizes that the optimizer has set itself, averaged over all weights.",
  ],
  [
    "opt.ess_harmonic_mean",
    "Harmonic mean step size",
    "step size",
    "The harmonic mean of the step sizes that the optimizer has set itself: the weights with the smallest steps dominate it.",
  ],
];

export function optimizerCharts(source: ChartSource): Chart[] {
  return OPTIMIZER_QUANTITIES.flatMap(([quantity, title, axis, caption]) =>
    chart({
      id: quantity.replace(".", "-"),
      title,
      caption,
      axis,
      groups: processGroups(source, quantity),
    }),
  );
}

export function costCharts(source: ChartSource): Chart[] {
  return [...timeChart(source), ...productsChart(source)];
}

function timeChart(source: ChartSource): Chart[] {
  const { rows } = source;
  const parts = processesIn(rows).map((process) => ({
    process,
    lines: pathsUnder(rows, `${process}/times/`).flatMap((path) => lineOf(rows, path) ?? []),
  }));
  const totals = parts.flatMap(({ process, lines }) => {
    const values = sumOf(lines.map((line) => line.values));
    const total = { name: `sum of ${process}/times`, values };
    return group(labelOf(process), process, lines.length > 0 ? [total] : []);
  });
  const single = parts.flatMap(({ process, lines }) =>
    lines.flatMap((line) => {
      const part = line.name.slice(`${process}/times/`.length).replaceAll("_", " ");
      return group(`${labelOf(process)}: ${part}`, process, [line], { shown: false });
    }),
  );
  return chart({
    id: "times",
    title: "Time per step",
    caption: `Seconds of computing that each process took for a step. The parts can be added from the legend: eig is
      the eigenvalue solver, dH the third derivatives, flow the complementarity problem and the step itself.`,
    axis: "seconds",
    log: true,
    groups: [...totals, ...single],
  });
}

function productsChart(source: ChartSource): Chart[] {
  const groups = processesIn(source.rows).flatMap((process) => {
    const paths = [`${process}/eig_logs/matvec_count`, `${process}/flow_aux/eig_logs/matvec_count`];
    const path = paths.find((path) => columnOf(source.rows, path) !== undefined);
    return group(labelOf(process), process, path ? [lineOf(source.rows, path)] : []);
  });
  return chart({
    id: "products",
    title: "Hessian–vector products per step",
    caption:
      "What the eigenvalue solver asks for. It starts each step from the last one’s vectors, so the count falls where the landscape changes slowly.",
    axis: "products",
    groups,
  });
}
