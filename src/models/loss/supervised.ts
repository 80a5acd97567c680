import { type LossDefinition, multiply, reshape, type Shape, sum } from "../../autodiff/index.ts";
import { valueError } from "../../base/index.ts";
import type { Model } from "../architecture.ts";
import { asRows, type Criterion, rowLosses, rowWeights } from "./criteria.ts";

/** Examples a loss is taken over: arrays with a row per example. */
export interface LabelledExamples {
  readonly inputs: Float64Array;
  /** The shape of one example's input. */
  readonly shape: Shape;
  /** Whole numbers; −1 masks a row. */
  readonly labels: Float64Array;
  /** [] for one label per example, [length] for one per position. */
  readonly labelShape: Shape;
}

/**
 * The full-batch training loss of a model (docs/derivations.md, section 1): the mean over kept rows. Weights 1/N are an
 * input, so the sum over chunks is exact with masked rows and a short last chunk.
 */
export function supervisedLoss(
  model: Model,
  criterion: Criterion,
  examples: LabelledExamples,
): LossDefinition {
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
  return {
    parameters: model.parameters,
    examples: {
      inputs: { data: inputs, shape, padding: "repeat" },
      labels: { data: labels, shape: labelShape, padding: "repeat" },
      weights: { data: rowWeights(labels), shape: labelShape, padding: "zero" },
    },
    loss(parameters, batch) {
      const outputs = model.forward(parameters, batch.inputs);
      const losses = rowLosses(criterion, asRows(outputs), reshape(batch.labels, [-1]));
      return { loss: sum(multiply(losses, reshape(batch.weights, [-1]))), outputs };
    },
  };
}
