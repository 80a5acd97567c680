import {
  formatShape,
  less,
  logSumExp,
  multiply,
  oneHot,
  reshape,
  select,
  sizeOf,
  softplus,
  square,
  subtract,
  sum,
  type Tensor,
} from "../../autodiff/index.ts";
import { kindError, valueError } from "../../base/index.ts";

/** What is minimised; the binary forms have one output per row and labels in {0, 1}. */
export type Criterion = "mse" | "ce" | "mse_binary" | "ce_binary";

/** The names of the criteria. */
export const CRITERIA: readonly Criterion[] = ["mse", "ce", "mse_binary", "ce_binary"];

/**
 * Loss of each row of a chunk, for outputs [rows, classes] and labels [rows] (docs/derivations.md, section 1). A row
 * with label −1 has some finite loss; its weight must be 0. mse: ½ Σ_c (f_c − onehot_c)²; ce: log Σ e^f − f_label;
 * mse_binary: ½(f ∓ 1)²; ce_binary: log(1 + e^{∓f}).
 */
export function rowLosses(criterion: Criterion, outputs: Tensor, labels: Tensor): Tensor {
  const classes = outputs.shape[1];
  switch (criterion) {
    case "mse":
      return multiply(sum(square(subtract(outputs, oneHot(labels, classes))), { axes: [1] }), 0.5);
    case "ce":
      return subtract(logSumExp(outputs), sum(multiply(outputs, oneHot(labels, classes)), { axes: [1] }));
    case "mse_binary": {
      const target = subtract(multiply(labels, 2), 1);
      return multiply(square(subtract(reshape(outputs, labels.shape), target)), 0.5);
    }
    case "ce_binary": {
      const logit = reshape(outputs, labels.shape);
      return subtract(softplus(logit), select(less(0, labels), logit, 0));
    }
  }
}

/**
 * ½ Σ (f − y)² of each example, for outputs [n, …] and real labels [n, …] of as many numbers per example: [n].
 * @throws InputValueError where the numbers are not as many
 */
export function regressionLosses(outputs: Tensor, labels: Tensor): Tensor {
  const [n, ...shape] = labels.shape;
  const [, ...got] = outputs.shape;
  if (sizeOf(shape) !== sizeOf(got))
    throw valueError(
      "regression",
      `as many outputs per example as labels, of shape ${formatShape(shape)}`,
      formatShape(got),
      "outputDim is the number of outputs that data ask a network for",
    );
  const squares = square(subtract(reshape(outputs, labels.shape), labels));
  return multiply(sum(reshape(squares, [n, -1]), { axes: [1] }), 0.5);
}

/**
 * 1/N for each kept row and 0 for each masked one (label −1), N the number of kept rows.
 * Throws when no row is kept.
 */
export function rowWeights(labels: Float64Array): Float64Array {
  const kept = labels.reduce((count, label) => (label === -1 ? count : count + 1), 0);
  if (kept === 0) throw kindError("loss", "at least one label that is not −1", "none");
  return labels.map((label) => (label === -1 ? 0 : 1 / kept));
}

/**
 * The fraction of kept rows classified right: largest output, ties to the lowest index; binary: f > 0.
 * Reads outputs [rows, classes] and labels [rows].
 */
export function accuracy(criterion: Criterion, outputs: Float64Array, labels: Float64Array): number {
  const classes = outputs.length / labels.length;
  let kept = 0;
  let right = 0;
  for (let row = 0; row < labels.length; row++) {
    if (labels[row] === -1) continue;
    kept++;
    if (predicted(criterion, outputs, row, classes) === labels[row]) right++;
  }
  return right / kept;
}

function predicted(criterion: Criterion, outputs: Float64Array, row: number, classes: number): number {
  if (criterion === "mse_binary" || criterion === "ce_binary") return outputs[row] > 0 ? 1 : 0;
  let best = 0;
  for (let c = 1; c < classes; c++) if (outputs[row * classes + c] > outputs[row * classes + best]) best = c;
  return best;
}

/** Outputs [examples, …rows, classes] as [rows, classes]. */
export function asRows(outputs: Tensor): Tensor {
  return reshape(outputs, [-1, outputs.shape[outputs.shape.length - 1]]);
}
