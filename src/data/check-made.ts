import { kindError, sizeOf, valueError } from "../base/index.ts";
import type { Dataset, Examples } from "./dataset.ts";

type Made = Pick<Dataset, "train" | "outputDim" | "criterion" | "vocabulary"> & Partial<Dataset>;

const isShape = (shape: unknown): shape is readonly number[] =>
  Array.isArray(shape) && shape.every((length) => Number.isSafeInteger(length) && length >= 1);

/** Where entry `at` of an array of rows of this shape stands. */
function placeIn(shape: readonly number[], at: number): string {
  const size = sizeOf(shape);
  return shape.length === 0 ? `example ${at}` : `example ${Math.floor(at / size)}, entry ${at % size}`;
}

/** Throws unless an array holds `n` rows of a shape, all finite. */
function checkArray(where: string, data: unknown, shape: unknown, shapeName: string, n: number): void {
  if (!isShape(shape))
    throw kindError(
      where,
      `${shapeName}: a list of lengths, such as [2], or [] for one number per example`,
      JSON.stringify(shape) ?? "nothing",
    );
  if (!(data instanceof Float64Array))
    throw kindError(
      where,
      "a Float64Array",
      data === null ? "null" : Array.isArray(data) ? "a list" : typeof data,
    );
  if (data.length !== n * sizeOf(shape))
    throw valueError(
      where,
      `${n * sizeOf(shape)} numbers, n = ${n} examples of shape [${shape}]`,
      String(data.length),
      `make n, ${shapeName} and the array agree`,
    );
  const bad = data.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) throw valueError(where, "finite numbers", `${data[bad]} in ${placeIn(shape, bad)}`);
}

function checkSplit(where: string, split: Examples, made: Made): void {
  if (typeof split !== "object" || split === null)
    throw kindError(where, "examples { inputs, shape, labels, labelShape, n }", String(split));
  const { inputs, shape, labels, labelShape, n } = split;
  if (!Number.isSafeInteger(n) || n < 1)
    throw valueError(`${where}.n`, "a number of examples ≥ 1", String(n));
  checkArray(`${where}.inputs`, inputs, shape, "shape", n);
  checkArray(`${where}.labels`, labels, labelShape, "labelShape", n);
  const { criterion, outputDim } = made;
  if (criterion === "regression" || typeof criterion === "function") return;
  const classes = criterion.endsWith("_binary") ? 2 : outputDim;
  const least = labelShape.length === 0 ? 0 : -1;
  const bad = labels.findIndex((label) => !(Number.isInteger(label) && label >= least && label < classes));
  if (bad >= 0)
    throw valueError(
      `${where}.labels`,
      `classes, whole numbers from ${least} to ${classes - 1}, under the criterion ${criterion}`,
      `${labels[bad]} in ${placeIn(labelShape, bad)}`,
      "for targets that are real numbers the criterion is regression",
    );
}

const CRITERIA = ["mse", "ce", "mse_binary", "ce_binary", "regression"];

/**
 * Checks what a data set has made, one of the user's above all.
 *
 * @param operation names it in errors
 * @throws InputKindError or InputValueError that says what of it is wrong, and where
 */
export function checkMade(operation: string, made: Made): void {
  if (typeof made !== "object" || made === null)
    throw kindError(operation, "data { train, outputDim, criterion }", String(made));
  const { train, test, outputDim, criterion } = made;
  if (!Number.isSafeInteger(outputDim) || outputDim < 1)
    throw valueError(`${operation}, outputDim`, "a number of network outputs ≥ 1", String(outputDim));
  if (typeof criterion !== "function" && !CRITERIA.includes(criterion))
    throw valueError(
      `${operation}, criterion`,
      `one of ${CRITERIA.join(", ")}, or a function of outputs and labels`,
      String(criterion),
    );
  if (typeof criterion === "string" && criterion.endsWith("_binary") && outputDim !== 1)
    throw valueError(`${operation}, outputDim`, `1 under the criterion ${criterion}`, String(outputDim));
  checkSplit(`${operation}, train`, train, made);
  if (test !== undefined) checkSplit(`${operation}, test`, test, made);
  if (test && `${test.shape};${test.labelShape}` !== `${train.shape};${train.labelShape}`)
    throw valueError(
      `${operation}, test`,
      `examples like those for training, of shape [${train.shape}] and labels [${train.labelShape}]`,
      `[${test.shape}] and [${test.labelShape}]`,
    );
}
