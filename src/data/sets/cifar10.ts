import { valueError } from "../../base/index.ts";
import { criterion, datasetInFiles, examples, oneOfEach, type ReadFile, tenClasses } from "../definition.ts";
import { type NpzFile, openNpz } from "../formats/npz.ts";
import { missingFiles } from "../missing.ts";
import { type ImageFormat, type ImageSplit, imageDataset } from "./images.ts";

const SIDE = 32;
const CHANNELS = 3;
const PLANE = SIDE * SIDE;
const SIZE = CHANNELS * PLANE;

const SOURCE = {
  distribution:
    "the CIFAR-10 binary version (folder cifar-10-batches-bin) by A. Krizhevsky, University of Toronto",
  homePage: "https://www.cs.toronto.edu/~kriz/cifar.html",
};

/** The reference code's channel statistics, of pixels from 0 to 255. */
const FORMAT: ImageFormat = {
  shape: [CHANNELS, SIDE, SIDE],
  mean: [0.49139968, 0.48215827, 0.44653124].map((mean) => 255 * mean),
  std: [0.24703233, 0.24348505, 0.26158768].map((std) => 255 * std),
  attribution: "CIFAR-10: A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images (2009)",
};

const BATCHES = {
  train: [1, 2, 3, 4, 5].map((batch) => `data_batch_${batch}.bin`),
  test: ["test_batch.bin"],
};

/** Joins binary batches, records of a label byte and 3072 pixels [channel][row][column]. */
function readBatches(folder: string, names: readonly string[], readFile: ReadFile): ImageSplit | string[] {
  const missing: string[] = [];
  const records: Uint8Array[] = [];
  for (const path of names.map((name) => `${folder}/${name}`)) {
    const bytes = readFile(path);
    if (bytes === undefined) {
      missing.push(path);
      continue;
    }
    if (bytes.length % (SIZE + 1) !== 0)
      throw valueError(
        path,
        `records of ${SIZE + 1} bytes`,
        `${bytes.length} bytes`,
        "the file is truncated",
      );
    for (let at = 0; at < bytes.length; at += SIZE + 1) records.push(bytes.subarray(at, at + SIZE + 1));
  }
  if (missing.length > 0) return missing;
  const pixels = (indices: readonly number[]): Float64Array => {
    const out = new Float64Array(indices.length * SIZE);
    indices.forEach((index, i) => {
      out.set(records[index].subarray(1), i * SIZE);
    });
    return out;
  };
  return { labels: records.map((record) => record[0]), pixels };
}

/** One split of the reference code's cache: images [n, 32, 32, 3] and labels [n]. */
function readCached(path: string, arrays: NpzFile, split: "train" | "test"): ImageSplit {
  const images = arrays.get(`${split}_x`);
  const labels = arrays.get(`${split}_y`);
  if (images === undefined || labels === undefined)
    throw valueError(path, `arrays ${split}_x and ${split}_y`, `${[...arrays.keys()].join(", ") || "none"}`);
  const [n, ...shape] = images.shape;
  if (`${shape}` !== `${[SIDE, SIDE, CHANNELS]}` || `${labels.shape}` !== `${[n]}`)
    throw valueError(path, "images [n,32,32,3] and labels [n]", `[${images.shape}] and [${labels.shape}]`);
  const pixels = (indices: readonly number[]): Float64Array => {
    const out = images.rows(indices);
    const image = new Float64Array(SIZE);
    for (let at = 0; at < out.length; at += SIZE) {
      image.set(out.subarray(at, at + SIZE));
      for (let i = 0; i < SIZE; i++) out[at + (i % CHANNELS) * PLANE + Math.floor(i / CHANNELS)] = image[i];
    }
    return out;
  };
  return { labels: labels.elements(), pixels };
}

function readImages(
  operation: string,
  cacheDir: string,
  readFile: ReadFile,
): { train: ImageSplit; test: ImageSplit } {
  const cachePath = `${cacheDir}/CIFAR10.npz`;
  const cache = readFile(cachePath);
  if (cache !== undefined) {
    const arrays = openNpz(cache, cachePath);
    return { train: readCached(cachePath, arrays, "train"), test: readCached(cachePath, arrays, "test") };
  }
  const folder = `${cacheDir}/cifar-10-batches-bin`;
  const train = readBatches(folder, BATCHES.train, readFile);
  const test = readBatches(folder, BATCHES.test, readFile);
  if (!Array.isArray(train) && !Array.isArray(test)) return { train, test };
  const missing = [train, test].flatMap((found) => (Array.isArray(found) ? found : []));
  throw missingFiles(operation, [...missing, `or the reference code's cache ${cachePath}`], cacheDir, SOURCE);
}

/**
 * CIFAR-10 from the reference code's cache `cacheDir/CIFAR10.npz`, or from the official binary batches in
 * `cacheDir/cifar-10-batches-bin`. Training examples are the first ⌊n/classes⌋ of each class, test examples all
 * of those classes.
 */
export const cifar10 = datasetInFiles({
  name: "cifar10",
  className: "CIFAR10",
  gives: "images",
  help: "32×32 colour images, from files in --data.cache-dir",
  settings: { criterion, n: examples, classes: tenClasses },
  check: ({ n, classes }) => oneOfEach(n, classes),
  make(options, readFile, operation) {
    const { train, test } = readImages(operation, options.cacheDir, readFile);
    return imageDataset(operation, FORMAT, train, test, options);
  },
});
