import { integer } from "../../base/index.ts";
import { classCount, head } from "../dataset.ts";
import { criterion, dataset, examples, oneOfEach, tenClasses } from "../definition.ts";
import { PackedImages } from "../formats/pixel-code.ts";
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

let unpacked: PackedImages | undefined;

/** The embedded images, each unpacked when it is first asked for. */
function embeddedDigits(): ImageSplit {
  unpacked ??= new PackedImages(
    Uint8Array.from(atob(packed), (character) => character.charCodeAt(0)),
    count,
  );
  const images = unpacked;
  const pixels = (indices: readonly number[]): Float64Array => {
    const out = new Float64Array(indices.length * PIXELS);
    indices.forEach((index, i) => {
      out.set(images.image(index), i * PIXELS);
    });
    return out;
  };
  return { labels: images.labels, pixels };
}

/**
 * Handwritten digits, 8 × 8 pixels, built in. Training examples are the first ⌊n/classes⌋ of each class; the
 * others of those classes are the test examples.
 */
export const digits = dataset({
  name: "digits",
  className: "Digits",
  gives: "images",
  help: "8×8 handwritten digits, built in",
  settings: {
    criterion: { ...criterion, default: "mse" },
    n: { ...examples, kind: integer({ min: 2, max: count }), default: 200 },
    classes: tenClasses,
  },
  check: ({ n, classes }) => oneOfEach(n, classes),
  make({ n, classes: choice, criterion }, _readFile, operation) {
    const classes = choice ?? 10;
    const split = embeddedDigits();
    const { chosen, rest } = firstOfEachClass(operation, split.labels, classCount(classes), n);
    return {
      train: imageExamples(operation, FORMAT, split, chosen),
      test: rest.length > 0 ? imageExamples(operation, FORMAT, split, rest) : undefined,
      inputKind: "real",
      ...head(criterion, classes),
      attribution,
    };
  },
});
