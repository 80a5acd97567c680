import { either, integer, sizeOf, text, valueError } from "../../base/index.ts";
import { type ClassChoice, classCount, type Examples, head } from "../dataset.ts";
import { classes, criterion, dataset, type MadeDataset } from "../definition.ts";
import type { NpyFile } from "../formats/npy.ts";
import { type NpzFile, openNpz } from "../formats/npz.ts";

/** An array with its name in the archive, for errors. */
interface Named {
  readonly name: string;
  readonly file: NpyFile;
}

/** A split's arrays and what they hold. */
interface Split {
  readonly inputs: Named;
  readonly labels: Named;
  readonly examples: Examples;
}

/** Far more classes than any network here has outputs; a larger label is a mistake. */
const MOST_CLASSES = 2 ** 20;

function namedArray(path: string, arrays: NpzFile, name: string): Named {
  const file = arrays.get(name);
  if (file === undefined)
    throw valueError(
      path,
      "arrays inputs and labels, or train_inputs, train_labels and optionally test_inputs, test_labels",
      `no ${name} among ${[...arrays.keys()].join(", ") || "none"}`,
    );
  return { name, file };
}

/** Reads one split and checks everything that concerns it alone. */
function readExamples(path: string, inputs: Named, labels: Named, areTokens: boolean): Examples {
  const [n, ...shape] = inputs.file.shape;
  const [labelCount, ...rest] = labels.file.shape;
  // A column is one label per example, unless the inputs are sequences of one token.
  const isColumn = rest.length === 1 && rest[0] === 1 && !(areTokens && shape.length === 1 && shape[0] === 1);
  const labelShape = isColumn ? [] : rest;
  if (n === undefined || shape.length === 0)
    throw valueError(path, `${inputs.name} of shape [n, …]`, `[${inputs.file.shape}]`);
  if (sizeOf([n, ...shape]) === 0)
    throw valueError(path, `${inputs.name} with examples`, `[${inputs.file.shape}]`);
  const perPosition = labelShape.length === 1 && shape.length === 1 && labelShape[0] === shape[0];
  if (labelCount !== n || !(labelShape.length === 0 || perPosition)) {
    const expected = `[${n}] or [${n},1]${shape.length === 1 ? `, for sequences [${n},${shape[0]}]` : ""}`;
    throw valueError(path, `${labels.name} of shape ${expected}`, `[${labels.file.shape}]`);
  }
  const examples = { inputs: inputs.file.elements(), shape, labels: labels.file.elements(), labelShape, n };
  refuse(path, inputs, "finite numbers", examples.inputs, Number.isFinite);
  return examples;
}

/** Throws for the first element that is not accepted, with its index. */
function refuse(
  path: string,
  array: Named,
  expected: string,
  data: Float64Array,
  accepts: (value: number) => boolean,
): void {
  const first = data.findIndex((value) => !accepts(value));
  if (first < 0) return;
  const index: number[] = [];
  for (let axis = array.file.shape.length - 1, rest = first; axis >= 0; axis--) {
    index.unshift(rest % array.file.shape[axis]);
    rest = Math.floor(rest / array.file.shape[axis]);
  }
  throw valueError(path, `${expected} in ${array.name}`, `${data[first]} at [${index}]`);
}

/** Labels are class indices; in sequences −1 masks a position, but not all of them. */
function checkLabels(
  path: string,
  labels: Named,
  { labels: data, labelShape }: Examples,
  classes: number,
): void {
  const least = labelShape.length === 0 ? 0 : -1;
  const expected = `integers from ${least} to ${classes - 1}`;
  refuse(
    path,
    labels,
    expected,
    data,
    (label) => Number.isInteger(label) && label >= least && label < classes,
  );
  if (data.every((label) => label === -1))
    throw valueError(path, `at least one label in ${labels.name}`, "−1 (masked) everywhere");
}

/** The largest entry of the arrays, at least 0. */
function largest(...arrays: readonly Float64Array[]): number {
  return arrays.reduce((most, data) => data.reduce((a, b) => Math.max(a, b), most), 0);
}

/** As many classes as the largest label asks for, at least 2. */
function inferClasses(path: string, splits: readonly Split[]): number {
  const expected = `integers from −1 to ${MOST_CLASSES - 1}`;
  for (const { labels, examples } of splits)
    refuse(
      path,
      labels,
      expected,
      examples.labels,
      (v) => Number.isInteger(v) && v >= -1 && v < MOST_CLASSES,
    );
  return Math.max(2, 1 + largest(...splits.map(({ examples }) => examples.labels)));
}

interface TokenChoice {
  readonly inputKind: "real" | "tokens";
  readonly vocabulary?: number;
}

/**
 * Inputs are tokens when the vocabulary is given or every position has a label; then they must be token ids.
 * Without a given size the vocabulary holds all inputs and all labels, which are next tokens.
 */
function tokensOf(
  path: string,
  splits: readonly Split[],
  given: number | null,
  classes: number,
): TokenChoice {
  if (given === null && splits[0].examples.labelShape.length === 0) return { inputKind: "real" };
  const vocabulary =
    given ?? Math.max(classes, 1 + largest(...splits.map(({ examples }) => examples.inputs)));
  for (const { inputs, examples } of splits) {
    if (examples.shape.length !== 1)
      throw valueError(path, `token ids in ${inputs.name} of shape [n,length]`, `[${inputs.file.shape}]`);
    const expected = `token ids from 0 to ${vocabulary - 1}`;
    refuse(path, inputs, expected, examples.inputs, (v) => Number.isInteger(v) && v >= 0 && v < vocabulary);
  }
  return { inputKind: "tokens", vocabulary };
}

/**
 * Data of the user's own in an .npz file: arrays `inputs` [n, …shape] and `labels`, or `train_inputs`,
 * `train_labels` and optionally `test_inputs`, `test_labels`; other arrays are ignored. Used as given, without
 * shuffling or scaling; integers become float64.
 *
 * Labels are class indices [n] or [n, 1], or [n, length] for sequences of token ids [n, length], with −1 where a position is
 * masked. Inputs [n, length] with one label each are real features unless `vocabSize` says that they are token ids.
 * Without `classes` there are as many as the largest label asks for, at least 2.
 */
export const npz = dataset({
  name: "npz",
  className: "Npz",
  gives: "any arrays",
  help: "your arrays, used as they are",
  settings: {
    path: { kind: text("FILE"), help: "an .npz file with inputs and labels", example: "my-data.npz" },
    criterion,
    classes: {
      kind: classes(MOST_CLASSES),
      default: null,
      help: "outputs; none: the largest label plus one",
    },
    vocabSize: {
      kind: either(integer({ min: 1 }), "none", null),
      default: null,
      help: "different tokens; none: the largest plus one",
    },
  },
  make({ path, criterion, classes, vocabSize }, readFile, operation) {
    const bytes = readFile(path);
    if (bytes === undefined) throw valueError(operation, "path: an .npz file", `no file at ${path}`);
    return userDataset(path, openNpz(bytes, path), criterion, classes, vocabSize);
  },
});

function userDataset(
  path: string,
  arrays: NpzFile,
  criterion: "mse" | "ce",
  given: ClassChoice | null,
  vocabSize: number | null,
): MadeDataset {
  const isSplit = arrays.has("train_inputs") || arrays.has("train_labels");
  if (isSplit && (arrays.has("inputs") || arrays.has("labels")))
    throw valueError(path, "either inputs and labels or train_inputs and train_labels", "both");
  const hasTest = isSplit && (arrays.has("test_inputs") || arrays.has("test_labels"));
  const splits = (isSplit ? (hasTest ? ["train_", "test_"] : ["train_"]) : [""]).map((prefix) => {
    const inputs = namedArray(path, arrays, `${prefix}inputs`);
    const labels = namedArray(path, arrays, `${prefix}labels`);
    return { inputs, labels, examples: readExamples(path, inputs, labels, vocabSize !== null) };
  });
  const [train, test] = splits;
  if (
    test &&
    `${test.examples.shape};${test.examples.labelShape.length}` !==
      `${train.examples.shape};${train.examples.labelShape.length}`
  )
    throw valueError(
      path,
      `test examples like training examples, [${train.examples.shape}]`,
      `[${test.examples.shape}]`,
    );
  const choice = given ?? inferClasses(path, splits);
  for (const split of splits) checkLabels(path, split.labels, split.examples, classCount(choice));
  return {
    train: train.examples,
    test: test?.examples,
    ...tokensOf(path, splits, vocabSize, classCount(choice)),
    ...head(criterion, choice),
  };
}
