import { valueError } from "../../base/index.ts";
import { criterion, datasetInFiles, examples, oneOfEach, type ReadFile, tenClasses } from "../definition.ts";
import { type IdxArray, readIdx } from "../formats/idx.ts";
import { missingFiles, type Source } from "../missing.ts";
import { type ImageSplit, imageDataset } from "./images.ts";

const SIDE = 28;

/**
 * One file of the distribution, whole or gzipped, in the data set's folder or its subfolder `raw`, there or in a folder
 * that is called like it.
 */
function readPart(
  operation: string,
  folder: string,
  file: string,
  dimensions: number,
  readFile: ReadFile,
  source: Source,
): IdxArray {
  const spellings = [file, `${file}.gz`, file.replace("-idx", ".idx"), `${file.replace("-idx", ".idx")}.gz`];
  const names = [
    ...spellings,
    ...spellings.flatMap((outer) => spellings.map((inner) => `${outer}/${inner}`)),
  ];
  for (const path of [folder, `${folder}/raw`].flatMap((place) => names.map((name) => `${place}/${name}`))) {
    const bytes = readFile(path);
    if (bytes !== undefined) return readIdx(path, bytes, dimensions);
  }
  throw missingFiles(operation, [`${folder}/${file} (or ${file}.gz)`], folder, source);
}

function readSplit(
  operation: string,
  folder: string,
  prefix: "train" | "t10k",
  readFile: ReadFile,
  source: Source,
): ImageSplit {
  const images = readPart(operation, folder, `${prefix}-images-idx3-ubyte`, 3, readFile, source);
  const labels = readPart(operation, folder, `${prefix}-labels-idx1-ubyte`, 1, readFile, source);
  const [n, height, width] = images.shape;
  if (height !== SIDE || width !== SIDE || labels.shape[0] !== n)
    throw valueError(
      operation,
      `${labels.shape[0]} ${prefix} images of 28 × 28`,
      `${n} of ${height} × ${width}`,
    );
  const size = SIDE * SIDE;
  const pixels = (indices: readonly number[]): Float64Array => {
    const out = new Float64Array(indices.length * size);
    indices.forEach((index, i) => {
      out.set(images.data.subarray(index * size, (index + 1) * size), i * size);
    });
    return out;
  };
  return { labels: labels.data, pixels };
}

/** A data set of 28 × 28 images in MNIST's four files, in a folder of the class's name; mean and std are for pixels from 0 to 1. */
const idxImages = <const N extends string>(
  name: N,
  className: string,
  help: string,
  mean: number,
  std: number,
  source: Source,
) =>
  datasetInFiles({
    name,
    className,
    help,
    gives: "images",
    settings: { criterion, n: examples, classes: tenClasses },
    check: ({ n, classes }) => oneOfEach(n, classes),
    make(options, readFile, operation) {
      const folder = `${options.cacheDir}/${className}`;
      const format = {
        shape: [1, SIDE, SIDE],
        mean: [255 * mean],
        std: [255 * std],
        attribution: source.distribution,
      } as const;
      const [train, test] = (["train", "t10k"] as const).map((prefix) =>
        readSplit(operation, folder, prefix, readFile, source),
      );
      return imageDataset(operation, format, train, test, options);
    },
  });

/** MNIST from its four IDX files in `cacheDir/MNIST`. */
export const mnist = idxImages(
  "mnist",
  "MNIST",
  "28×28 handwritten digits, from files in --data.cache-dir",
  0.1307,
  0.3081,
  {
    distribution:
      "the MNIST database of handwritten digits by Y. LeCun, C. Cortes and C. Burges, CC BY-SA 3.0",
    homePage: "http://yann.lecun.com/exdb/mnist/",
  },
);

/** Fashion-MNIST from its four IDX files in `cacheDir/FashionMNIST`. */
export const fashionMnist = idxImages(
  "fashion-mnist",
  "FashionMNIST",
  "28×28 pictures of clothes, from files in --data.cache-dir",
  0.286,
  0.353,
  {
    distribution: "Fashion-MNIST by H. Xiao, K. Rasul and R. Vollgraf (Zalando SE), MIT licence",
    homePage: "https://github.com/zalandoresearch/fashion-mnist",
  },
);
