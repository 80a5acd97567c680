import { sizeOf, valueError } from "../../base/index.ts";
import { type ClassChoice, checkSize, classCount, type Examples, head } from "../dataset.ts";
import type { MadeDataset } from "../definition.ts";
import { firstOfEachClass, groupByClass, labelsAt } from "./select.ts";

/** Labelled images of one split, decoded only when chosen. */
export interface ImageSplit {
  readonly labels: ArrayLike<number>;
  /** Pixels of the given images one after the other, each [channels, height, width], as stored (0 to 255). */
  readonly pixels: (indices: readonly number[]) => Float64Array;
}

/** What all images of a data set share. */
export interface ImageFormat {
  /** [channels, height, width] */
  readonly shape: readonly [number, number, number];
  /** Per channel, on the scale of the stored pixels: a pixel becomes (value − mean)/std. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
  readonly attribution: string;
}

/** What a user chooses of a labelled image data set. */
export interface ImageChoice {
  readonly n: number;
  /** Null: ten. */
  readonly classes: ClassChoice | null;
  readonly criterion: "mse" | "ce";
}

/**
 * A classification problem from labelled images: training examples by {@link firstOfEachClass}, every test
 * example of the same classes, channels normalised.
 *
 * @throws InputValueError when n does not suit the data or a label or pixel is impossible
 */
export function imageDataset(
  operation: string,
  format: ImageFormat,
  train: ImageSplit,
  test: ImageSplit,
  choice: ImageChoice,
): MadeDataset {
  const classes = classCount(choice.classes ?? 10);
  for (const split of [train, test]) checkLabels(operation, split.labels);
  const { chosen } = firstOfEachClass(operation, train.labels, classes, choice.n);
  const tested = groupByClass(test.labels, classes).flat();
  return {
    train: imageExamples(operation, format, train, chosen),
    test: tested.length > 0 ? imageExamples(operation, format, test, tested) : undefined,
    inputKind: "real",
    ...head(choice.criterion, choice.classes ?? 10),
    attribution: format.attribution,
  };
}

/** The given images of a split as normalised examples. */
export function imageExamples(
  operation: string,
  format: ImageFormat,
  split: ImageSplit,
  indices: readonly number[],
): Examples {
  const { shape, mean, std } = format;
  checkSize(operation, indices.length, shape);
  const inputs = split.pixels(indices);
  const channelSize = sizeOf(shape.slice(1));
  for (let i = 0; i < inputs.length; i++) {
    if (!(inputs[i] >= 0 && inputs[i] <= 255))
      throw valueError(
        operation,
        "pixels from 0 to 255",
        String(inputs[i]),
        "use the files as they were published",
      );
    const channel = Math.floor(i / channelSize) % shape[0];
    inputs[i] = (inputs[i] - mean[channel]) / std[channel];
  }
  return { inputs, shape, labels: labelsAt(split.labels, indices), labelShape: [], n: indices.length };
}

/** All image data sets here have ten classes. */
function checkLabels(operation: string, labels: ArrayLike<number>): void {
  for (let i = 0; i < labels.length; i++) {
    if (!(Number.isInteger(labels[i]) && labels[i] >= 0 && labels[i] <= 9))
      throw valueError(operation, "labels from 0 to 9", `${labels[i]} for image ${i}`);
  }
}
