import { integer, valueError } from "../../base/index.ts";
import { checkSize, type Examples, head } from "../dataset.ts";
import { criterion, datasetInFiles, examples } from "../definition.ts";
import type { NpyFile } from "../formats/npy.ts";
import { type NpzFile, openNpz } from "../formats/npz.ts";
import { missingFiles } from "../missing.ts";
import { firstOfEachClass, labelsAt } from "./select.ts";

/** Word pieces of the tokenizer bert-base-uncased, with which the reference code makes its cache. */
const VOCABULARY = 30522;

const SOURCE = {
  distribution:
    "SST-2 of the GLUE benchmark by R. Socher et al. and A. Wang et al., as the reference code caches it " +
    "(token ids train_x [n,66], test_x; labels train_y, test_y)",
  homePage: "https://gluebenchmark.com",
};

interface Split {
  readonly sentences: NpyFile;
  readonly labels: Float64Array;
}

function readSplit(path: string, arrays: NpzFile, split: "train" | "test"): Split {
  const sentences = arrays.get(`${split}_x`);
  const labels = arrays.get(`${split}_y`);
  if (sentences === undefined || labels === undefined)
    throw valueError(path, `arrays ${split}_x and ${split}_y`, `${[...arrays.keys()].join(", ") || "none"}`);
  const [n, length] = sentences.shape;
  if (sentences.shape.length !== 2 || length === 0 || `${labels.shape}` !== `${[n]}`)
    throw valueError(
      path,
      "token ids [n,length] and labels [n]",
      `[${sentences.shape}] and [${labels.shape}]`,
    );
  return { sentences, labels: labels.elements() };
}

function examplesAt(path: string, { sentences, labels }: Split, indices: readonly number[]): Examples {
  const shape = sentences.shape.slice(1);
  checkSize(path, indices.length, shape);
  const inputs = sentences.rows(indices);
  const wrong = inputs.findIndex((token) => !(Number.isInteger(token) && token >= 0 && token < VOCABULARY));
  if (wrong >= 0) throw valueError(path, `token ids from 0 to ${VOCABULARY - 1}`, String(inputs[wrong]));
  return { inputs, shape, labels: labelsAt(labels, indices), labelShape: [], n: indices.length };
}

/**
 * Sentiment of sentences from film reviews: token ids, one binary output (1 positive). Training examples are the
 * first n/2 negative and the first n/2 positive sentences, labels chosen with them. (The reference code chooses
 * inputs so but pairs them with the labels of the first n sentences; that is not repeated here.) GLUE publishes
 * no labels for its test sentences, −1 instead; those are left out, so a cache of it has no test examples.
 */
export const sst2 = datasetInFiles({
  name: "sst2",
  className: "SST2",
  gives: "tokens",
  help: "sentences and their sentiment, from files in --data.cache-dir",
  // Half of them for each sentiment.
  settings: { criterion, n: { ...examples, kind: integer({ min: 2, multipleOf: 2 }) } },
  make({ n, criterion, cacheDir }, readFile, operation) {
    const path = `${cacheDir}/SST2.npz`;
    const file = readFile(path);
    if (file === undefined) throw missingFiles(operation, [path], cacheDir, SOURCE);
    const arrays = openNpz(file, path);
    const train = readSplit(path, arrays, "train");
    const test = readSplit(path, arrays, "test");
    if (test.sentences.shape[1] !== train.sentences.shape[1])
      throw valueError(
        path,
        `sentences of ${train.sentences.shape[1]} tokens`,
        `${test.sentences.shape[1]} in test_x`,
      );
    for (const [name, { labels }] of Object.entries({ train, test })) {
      const wrong = labels.findIndex(
        (label) => label !== 0 && label !== 1 && !(name === "test" && label === -1),
      );
      if (wrong >= 0) throw valueError(path, `labels 0 and 1 in ${name}_y`, `${labels[wrong]} at ${wrong}`);
    }
    const labelled = Array.from(test.labels.keys()).filter((i) => test.labels[i] >= 0);
    return {
      train: examplesAt(path, train, firstOfEachClass(operation, train.labels, 2, n).chosen),
      test: labelled.length > 0 ? examplesAt(path, test, labelled) : undefined,
      inputKind: "tokens",
      vocabulary: VOCABULARY,
      ...head(criterion, "binary"),
      attribution: "SST-2: R. Socher et al. (2013); GLUE: A. Wang et al. (2019)",
    };
  },
});
