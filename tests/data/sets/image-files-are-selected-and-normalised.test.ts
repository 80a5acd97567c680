import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { EPS } from "../../../src/base/index.ts";
import { type Dataset, type Examples, loadDataset, writeNpz } from "../../../src/data/index.ts";
import { FILES, firstPositions, IMAGE_LABELS, inMemory, inputOf, pixel, testFile } from "../support.ts";

type Format = { readonly side: number; readonly mean: readonly number[]; readonly std: readonly number[] };

/** Checks a split against the formula of make-files.py, in the order [channel, row, column]. */
function expectImages(examples: Examples | undefined, positions: readonly number[], format: Format): void {
  expect(examples?.n).toBe(positions.length);
  if (examples === undefined) return;
  expect([...examples.labels]).toEqual(positions.map((i) => IMAGE_LABELS[i]));
  const { side, mean, std } = format;
  positions.forEach((image, i) => {
    const values = inputOf(examples, i);
    let worst = 0;
    for (let k = 0; k < values.length; k++) {
      const channel = Math.floor(k / side ** 2);
      const expected =
        (pixel(image, channel, Math.floor(k / side) % side, k % side) - mean[channel]) / std[channel];
      worst = Math.max(worst, Math.abs(values[k] - expected) / (1 + Math.abs(expected)));
    }
    expect(worst).toBeLessThan(4 * EPS);
  });
}

const CIFAR: Format = {
  side: 32,
  mean: [0.49139968, 0.48215827, 0.44653124].map((v) => 255 * v),
  std: [0.24703233, 0.24348505, 0.26158768].map((v) => 255 * v),
};
const choice = { n: 9, classes: 4, criterion: "mse" };
const trained = firstPositions(IMAGE_LABELS, 4, 9);

/** The 23 images in the official binary layout, a label byte and three planes each. */
function binaryRecords(images: readonly number[]): Uint8Array {
  return Uint8Array.from(
    images.flatMap((i) => [
      IMAGE_LABELS[i],
      ...Array.from({ length: 3072 }, (_, k) =>
        pixel(i, Math.floor(k / 1024), Math.floor(k / 32) % 32, k % 32),
      ),
    ]),
  );
}

/** The official folder: five batches of up to five images, and a test batch of twelve. */
const batches: Record<string, Uint8Array> = {
  "d/cifar-10-batches-bin/test_batch.bin": binaryRecords(Array.from({ length: 12 }, (_, i) => i)),
};
for (let batch = 0; batch < 5; batch++) {
  const images = Array.from({ length: batch < 4 ? 5 : 3 }, (_, i) => 5 * batch + i);
  batches[`d/cifar-10-batches-bin/data_batch_${batch + 1}.bin`] = binaryRecords(images);
}

describe("cifar10", () => {
  const cached = loadDataset("cifar10", { ...choice, cacheDir: FILES });

  test("the reference's cache: channels first, normalised, the first of each class", () => {
    expectImages(cached.train, trained, CIFAR);
    expectImages(cached.test, firstPositions(IMAGE_LABELS.slice(0, 12), 4, 400), CIFAR);
    expect(cached).toMatchObject({
      inputShape: [3, 32, 32],
      outputDim: 4,
      criterion: "mse",
      inputKind: "real",
    });
    expect(cached.attribution).toMatch(/Krizhevsky/);
  });

  test("the official binary batches give the same data set", () => {
    expect(loadDataset("cifar10", { ...choice, cacheDir: "d" }, inMemory(batches))).toEqual(cached);
  });

  test("a missing batch, a truncated batch and a label beyond 9 are named", () => {
    const without = { ...batches };
    delete without["d/cifar-10-batches-bin/data_batch_3.bin"];
    const load = (files: Record<string, Uint8Array>): Dataset =>
      loadDataset("cifar10", { ...choice, cacheDir: "d" }, inMemory(files));
    expect(() => load(without)).toThrow(
      /data_batch_3\.bin.*CIFAR10\.npz.*Krizhevsky.*cs\.toronto\.edu.*folder d/,
    );
    expect(() => load(without)).not.toThrow(/data_batch_2/);
    const path = "d/cifar-10-batches-bin/test_batch.bin";
    expect(() => load({ ...batches, [path]: batches[path].slice(1) })).toThrow(/records of 3073 bytes/);
    const wrong = batches[path].slice();
    wrong[0] = 10;
    expect(() => load({ ...batches, [path]: wrong })).toThrow(/labels from 0 to 9, got 10 for image 0/);
  });

  test("a cache of another shape is refused", () => {
    const array = { shape: [1, 3, 32, 32], data: new Float64Array(3072) };
    const labels = { shape: [1], data: [0] };
    const file = writeNpz({ train_x: array, train_y: labels, test_x: array, test_y: labels });
    expect(() => loadDataset("cifar10", choice, inMemory({ "data_cache/CIFAR10.npz": file }))).toThrow(
      /\[n,32,32,3\].*\[1,3,32,32\]/,
    );
  });
});

const mnistNames = [
  "train-images-idx3-ubyte",
  "train-labels-idx1-ubyte",
  "t10k-images-idx3-ubyte",
  "t10k-labels-idx1-ubyte",
];
const mnistFile = (name: string): Uint8Array =>
  name.includes("images")
    ? new Uint8Array(gunzipSync(testFile(`MNIST/${name}.gz`)))
    : testFile(`MNIST/${name}`);

describe.each([
  { name: "mnist", folder: "MNIST", mean: 0.1307, std: 0.3081, source: /LeCun/ },
  { name: "fashion-mnist", folder: "FashionMNIST", mean: 0.286, std: 0.353, source: /Zalando/ },
])("$name", ({ name, folder, mean, std, source }) => {
  const format = { side: 28, mean: [255 * mean], std: [255 * std] };
  const place = (
    where: string,
    rename: (file: string) => string = (file) => file,
  ): Record<string, Uint8Array> =>
    Object.fromEntries(mnistNames.map((file) => [`${where}/${rename(file)}`, mnistFile(file)]));

  test("IDX files: the first of each class, divided by 255 and normalised", () => {
    const dataset = loadDataset(name, { ...choice, cacheDir: "d" }, inMemory(place(`d/${folder}`)));
    expectImages(dataset.train, trained, format);
    expectImages(dataset.test, firstPositions(IMAGE_LABELS, 4, 400), format);
    expect(dataset).toMatchObject({ inputShape: [1, 28, 28], outputDim: 4, criterion: "mse" });
    expect(dataset.attribution).toMatch(source);
  });

  test("the subfolder raw and the dotted names hold the same", () => {
    const [a, b] = [place(`d/${folder}`), place(`d/${folder}/raw`, (file) => file.replace("-idx", ".idx"))];
    const options = { n: 4, classes: "binary", criterion: "ce", cacheDir: "d" };
    expect(loadDataset(name, options, inMemory(b))).toEqual(loadDataset(name, options, inMemory(a)));
  });

  test("each file may lie in a folder that is called like it", () => {
    const dotted = (file: string): string => file.replace("-idx", ".idx");
    const [a, b] = [place(`d/${folder}`), place(`d/${folder}`, (file) => `${file}/${dotted(file)}`)];
    const options = { n: 4, classes: "binary", criterion: "ce", cacheDir: "d" };
    expect(loadDataset(name, options, inMemory(b))).toEqual(loadDataset(name, options, inMemory(a)));
  });

  test("missing files and files that do not fit together are named", () => {
    expect(() => loadDataset(name, choice, inMemory({}))).toThrow(
      new RegExp(`data_cache/${folder}/train-images-idx3-ubyte.*into the folder data_cache/${folder}`),
    );
    const files = place(`data_cache/${folder}`);
    const labels = `data_cache/${folder}/train-labels-idx1-ubyte`;
    const short = Uint8Array.from([0, 0, 8, 1, 0, 0, 0, 1, 5]);
    expect(() => loadDataset(name, choice, inMemory({ ...files, [labels]: short }))).toThrow(
      /1 train images .* got 23/,
    );
    expect(() =>
      loadDataset(name, choice, inMemory({ ...files, [labels]: files[labels].slice(0, -1) })),
    ).toThrow(/truncated/);
  });
});

test("gzipped files are read from disk", () => {
  const dataset = loadDataset("mnist", { ...choice, cacheDir: FILES });
  expectImages(dataset.train, trained, { side: 28, mean: [255 * 0.1307], std: [255 * 0.3081] });
});
