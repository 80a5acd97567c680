import {
  type Complaint,
  choice,
  countOrMinusOne,
  either,
  flag,
  type IgnoredSetting,
  type Inputs,
  integer,
  number,
  type Part,
  type Setting,
  type Settings,
  seed,
  settle,
  text,
  type Values,
} from "../base/index.ts";
import { checkMade } from "./check-made.ts";
import { type ClassChoice, classCount, type Dataset } from "./dataset.ts";

/** Reads a whole file; undefined when there is none at that path. Relative paths start where the reader says. */
export type ReadFile = (path: string) => Uint8Array | undefined;

/** What a data set makes: everything but its name and what follows from the training examples. */
export type MadeDataset = Omit<Dataset, "name" | "inputShape" | "inputKind" | "test"> & {
  /** Default: real. */
  readonly inputKind?: Dataset["inputKind"];
  /** Default: none. */
  readonly test?: Dataset["test"];
};

/** All there is to say of a data set: its name, what its examples are, its settings and how it is made of them. */
export interface DatasetDefinition<S extends Settings = Settings> extends Part<S> {
  /** What its examples are; arrays of the user's may be anything. */
  readonly gives: Inputs | "any arrays";
  /** Makes the data set of complete values. `operation` names it in errors. @throws InputKindError, InputValueError */
  make(values: Values<S>, readFile: ReadFile, operation: string): MadeDataset;
}

const ghostBatchSize = {
  kind: countOrMinusOne,
  default: -1,
  help: "examples per chunk where --chunk is auto; -1: all at once",
} satisfies Setting<number>;

/**
 * How the optimizer draws its mini-batches; whatever is at its default is left out of a run's digest, since older versions
 * had none.
 */
export const batchSettings = {
  batchSize: {
    kind: either(integer({ min: 1 }), "all", null),
    default: null,
    help: "examples in a step of the optimizer; flows see them all",
    younger: true,
  },
  batchReplacement: {
    kind: flag,
    default: false,
    help: "draw each batch anew; else in shuffled epochs",
    younger: true,
  },
  batchSeed: {
    kind: either(seed, "auto", "auto"),
    default: "auto",
    help: "seed of the batches; auto: that of the run",
    younger: true,
  },
} as const satisfies Settings;

const cacheDir = {
  kind: text("DIR"),
  default: "data_cache",
  help: "folder of downloaded or converted data",
} satisfies Setting<string>;

/** What data sets have that are built in, generated, or in a file of their own. */
const common = {
  ghostBatchSize,
  ...batchSettings,
  cacheDir: { ...cacheDir, ignored: "these data come from no folder" } satisfies IgnoredSetting<string>,
};

/** What data sets have that are read from files in a folder. */
const commonInFiles = { ghostBatchSize, ...batchSettings, cacheDir };

/** Declares a data set that needs no folder of files; the settings that all have come first. */
export const dataset = <const N extends string, const S extends Settings>(
  definition: DatasetDefinition<S> & { readonly name: N },
): DatasetDefinition<typeof common & S> & { readonly name: N } =>
  ({ ...definition, settings: { ...common, ...definition.settings } }) as DatasetDefinition<
    typeof common & S
  > & { readonly name: N };

/** Declares a data set whose files are in the folder `cacheDir`. */
export const datasetInFiles = <const N extends string, const S extends Settings>(
  definition: Omit<DatasetDefinition<typeof commonInFiles & S>, "settings"> & {
    readonly name: N;
    readonly settings: S;
  },
): DatasetDefinition<typeof commonInFiles & S> & { readonly name: N } => ({
  ...definition,
  settings: { ...commonInFiles, ...definition.settings },
});

/**
 * Makes a data set, a built-in one or another, from some of its settings.
 *
 * @param operation names it in errors; the examples of one that is not built in are checked under this name
 * @throws InputKindError or InputValueError for settings that it does not take, and for examples that are none
 */
export function makeDataset(
  definition: DatasetDefinition,
  given: object,
  readFile: ReadFile,
  operation = `data:${definition.name}`,
): Dataset {
  const made = definition.make(settle(operation, definition, given), readFile, operation);
  checkMade(operation, made);
  return { name: definition.name, inputShape: made.train.shape, inputKind: "real", test: undefined, ...made };
}

/** The loss of a classification. */
export const criterion = {
  kind: choice("ce", "mse"),
  help: "cross-entropy, or half the squared error",
  example: "mse",
} satisfies Setting<"ce" | "mse">;

/** A number of classes from 2 to `most`, two on one output, or no choice. */
export const classes = (most: number) =>
  either(either(integer({ min: 2, max: most }), "binary", "binary"), "none", null);

/** The classes of the images that come in ten of them. */
export const tenClasses = {
  kind: classes(10),
  default: 10,
  help: "classes to keep; binary: two, on one output",
} satisfies Setting<ClassChoice | null>;

/** The number of training examples. */
export const examples = {
  kind: integer({ min: 2 }),
  help: "training examples to keep",
  example: "1000",
} satisfies Setting<number>;

/** The number of test examples, which may be none. */
export const testExamples = (usual: number) =>
  ({ kind: integer({ min: 0 }), default: usual, help: "test examples" }) satisfies Setting<number>;

/** The standard deviation of noise. */
export const noise = {
  kind: number({ min: 0 }),
  default: 0.2,
  help: "standard deviation of the noise",
} satisfies Setting<number>;

/** Whether there is at least one training example of each class. */
export function oneOfEach(n: number, choice: ClassChoice | null): Complaint | undefined {
  const count = classCount(choice ?? 10);
  if (n >= count) return undefined;
  return { setting: "n", expected: `at least one example of each of ${count} classes`, got: String(n) };
}
