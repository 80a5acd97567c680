import {
  type ExampleArray,
  type ExampleLoss,
  reshape,
  type Shape,
  type Shapes,
  type Tensor,
} from "../../autodiff/index.ts";
import { valueError } from "../../base/index.ts";
import type { Model } from "../architecture.ts";
import { asRows, type Criterion, regressionLosses, rowLosses, rowWeights } from "./criteria.ts";

/** A criterion of one's own: one loss per row of outputs [n, …] and labels [n, …labelShape]. */
export type RowCriterion = (outputs: Tensor, labels: Tensor) => Tensor;

/** Examples a loss is taken over: arrays with a row per example. */
export interface LabelledExamples {
  readonly inputs: Float64Array;
  /** The shape of one example's input. */
  readonly shape: Shape;
  /** Whole numbers; −1 masks a row. Under `regression` and criteria of one's own, any numbers. */
  readonly labels: Float64Array;
  /** [] for one label per example, [length] for one per position; of real numbers, any shape. */
  readonly labelShape: Shape;
}

/**
 * The full-batch training loss of a model (docs/derivations.md, section 1): the mean over kept rows. Weights 1/N are an
 * input, so the sum over chunks is exact with masked rows and a short last chunk. Under `regression` and criteria of one's
 * own no row is masked.
 */
export function supervisedLoss(
  model: Model,
  criterion: Criterion | "regression" | RowCriterion,
  examples: LabelledExamples,
): ExampleLoss<Shapes, Record<"inputs" | "labels", ExampleArray>> {
  const { inputs, shape, labels, labelShape } = examples;
  const bad = inputs.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) throw valueError("inputs", "finite numbers", `${inputs[bad]} at position ${bad}`);
  const { vocabulary } = model;
  if (vocabulary !== undefined) {
    const strange = inputs.findIndex(
      (token) => !(Number.isInteger(token) && token >= 0 && token < vocabulary),
    );
    if (strange >= 0)
      throw valueError(
        "inputs",
        `tokens, whole numbers from 0 to ${vocabulary - 1}`,
        `${inputs[strange]} at position ${strange}`,
      );
  }
  const common = {
    parameters: model.parameters,
    examples: { inputs: { data: inputs, shape }, labels: { data: labels, shape: labelShape } },
    outputs: (parameters: Readonly<Record<string, Tensor>>, examples: { readonly inputs: Tensor }) =>
      model.forward(parameters, examples.inputs),
  };
  if (criterion === "regression" || typeof criterion === "function") {
    const losses = criterion === "regression" ? regressionLosses : criterion;
    return { ...common, criterion: (outputs, examples) => losses(outputs, examples.labels) };
  }
  return {
    ...common,
    rowWeights: rowWeights(labels),
    criterion: (outputs, examples) =>
      reshape(rowLosses(criterion, asRows(outputs), reshape(examples.labels, [-1])), examples.labels.shape),
  };
}
