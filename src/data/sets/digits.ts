import { classCount, head } from "../dataset.ts";
import { defineDataset } from "../definition.ts";
import { inflateChecked } from "../formats/inflate.ts";
import { classChoice, integer, oneOf } from "../options.ts";
import { attribution, count, packed } from "./digits-embedded.ts";
import { type ImageFormat, type ImageSplit, imageExamples } from "./images.ts";
import { firstOfEachClass } from "./select.ts";

const PIXELS = 64;

/** Mean and population standard deviation over all pixels of all 1797 images. */
const FORMAT: ImageFormat = {
  shape: [1, 8, 8],
  mean: [4.884164579855314],
  std: [6.016787548672236],
  attribution,
};

/** Expands the embedded images: all images' first pixel, then all second pixels, …, then all labels. */
function embeddedDigits(operation: string): ImageSplit {
  const bytes = Uint8Array.from(atob(packed.base64), (character) => character.charCodeAt(0));
  const columns = inflateChecked(operation, bytes, (PIXELS + 1) * count, packed.crc32);
  const pixels = (indices: readonly number[]): Float64Array => {
    const out = new Float64Array(indices.length * PIXELS);
    for (let i = 0; i < out.length; i++)
      out[i] = columns[(i % PIXELS) * count + indices[Math.floor(i / PIXELS)]];
    return out;
  };
  return { labels: columns.subarray(PIXELS * count), pixels };
}

/**
 * Handwritten digits, 8 × 8 pixels, built in. Training examples are the first ⌊n/classes⌋ of each class; the
 * others of those classes are the test examples.
 */
export const digits = defineDataset(
  "digits",
  {
    n: integer(2, 200),
    classes: classChoice(10, 10),
    criterion: oneOf(["mse", "ce"], "mse"),
  },
  (options, _readFile, operation) => {
    const split = embeddedDigits(operation);
    const { chosen, rest } = firstOfEachClass(
      operation,
      split.labels,
      classCount(options.classes),
      options.n,
    );
    return {
      train: imageExamples(operation, FORMAT, split, chosen),
      test: rest.length > 0 ? imageExamples(operation, FORMAT, split, rest) : undefined,
      inputKind: "real",
      ...head(options.criterion, options.classes),
      attribution,
    };
  },
);
