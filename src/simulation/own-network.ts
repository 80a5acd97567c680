import { formatShape, type Shape, type Shapes, sizeOf, Tensor } from "../autodiff/index.ts";
import { kindError, Random, valueError } from "../base/index.ts";
import type { Dataset } from "../data/index.ts";
import type { Model, OwnLoss } from "../models/index.ts";

const isShape = (shape: unknown): shape is Shape =>
  Array.isArray(shape) && shape.every((length) => Number.isSafeInteger(length) && length >= 1);

/** Throws unless parameters are shapes by name and initial weights as many finite numbers. */
function checkParameters(
  where: string,
  parameters: Shapes,
  initialWeights: (random: Random) => Float64Array,
): void {
  if (typeof parameters !== "object" || parameters === null || Object.keys(parameters).length === 0)
    throw kindError(
      `${where}, parameters`,
      'shapes by name, such as { "1.weight": [8, 2] }',
      String(parameters),
    );
  for (const [name, shape] of Object.entries(parameters))
    if (!isShape(shape))
      throw kindError(
        `${where}, parameters`,
        `a shape for "${name}", such as [8, 2]`,
        JSON.stringify(shape) ?? "nothing",
      );
  if (typeof initialWeights !== "function")
    throw kindError(`${where}, initialWeights`, "a function (random) => Float64Array", typeof initialWeights);
  const count = Object.values(parameters).reduce((total, shape) => total + sizeOf(shape), 0);
  const weights = initialWeights(new Random(0, "initial weights"));
  if (!(weights instanceof Float64Array) || weights.length !== count)
    throw valueError(
      `${where}, initialWeights`,
      `a Float64Array of ${count} numbers, the parameters one after the other`,
      weights instanceof Float64Array ? String(weights.length) : typeof weights,
      "drawParameters(parameters, (name, shape) => …) of central-flows puts them together",
    );
  const bad = weights.findIndex((weight) => !Number.isFinite(weight));
  if (bad >= 0)
    throw valueError(`${where}, initialWeights`, "finite numbers", `${weights[bad]} at position ${bad}`);
}

/** Throws unless a function of the user's has returned a tensor. */
function tensorOf(where: string, found: unknown): Tensor {
  if (found instanceof Tensor) return found;
  throw kindError(
    where,
    "a tensor",
    found === undefined ? "nothing" : typeof found === "number" ? `number ${found}` : typeof found,
    "tensors are added by add, not by +, and so on",
  );
}

/**
 * A network of the user's whose outputs are checked when it is traced: one number per class and label under a criterion
 * of classes; any under others.
 *
 * @param where names it in errors
 * @throws InputKindError or InputValueError where it lacks a part or its parameters are none
 */
export function checkedNetwork(where: string, model: Model, dataset: Dataset): Model {
  checkParameters(where, model.parameters, model.initialWeights);
  if (typeof model.forward !== "function")
    throw kindError(`${where}, forward`, "a function (parameters, inputs) => outputs", typeof model.forward);
  const { criterion, outputDim, train } = dataset;
  const free = criterion === "regression" || typeof criterion === "function";
  return {
    ...model,
    forward(parameters, inputs) {
      const outputs = tensorOf(`${where}, forward`, model.forward(declared(where, parameters), inputs));
      const wanted = [inputs.shape[0], ...train.labelShape, outputDim];
      if (!free && `${outputs.shape}` !== `${wanted}`)
        throw valueError(
          `${where}, forward`,
          `outputs of shape ${formatShape(wanted)} for ${inputs.shape[0]} examples of shape ${formatShape(inputs.shape.slice(1))}`,
          formatShape(outputs.shape),
          "the last axis has outputDim numbers, which build is told",
        );
      return outputs;
    },
  };
}

/** A loss of the weights alone of the user's. @throws as `checkedNetwork` */
export function checkedLoss(
  where: string,
  built: ReturnType<OwnLoss["build"]>,
): ReturnType<OwnLoss["build"]> {
  const { parameters, loss, initialWeights } = built;
  checkParameters(where, parameters, initialWeights);
  if (typeof loss !== "function")
    throw kindError(`${where}, loss`, "a function of the parameters that returns a scalar", typeof loss);
  return {
    parameters,
    initialWeights,
    loss(tensors) {
      const value = tensorOf(`${where}, loss`, loss(declared(where, tensors)));
      if (value.shape.length === 0) return value;
      throw valueError(
        `${where}, loss`,
        "a scalar",
        `a tensor of shape ${formatShape(value.shape)}`,
        "sum or mean of it is one",
      );
    },
  };
}

/** The parameters; asking for one that is not declared is a mistake worth a sentence. */
function declared(
  where: string,
  parameters: Readonly<Record<string, Tensor>>,
): Readonly<Record<string, Tensor>> {
  return new Proxy(parameters, {
    get(target, key) {
      if (typeof key !== "string" || Object.hasOwn(target, key)) return Reflect.get(target, key);
      throw valueError(where, `parameters that it declares (${Object.keys(target).join(", ")})`, key);
    },
  });
}
