import { sizeOf, valueError } from "../base/index.ts";

/**
 * Examples of one split, row-major and ready for an engine: nothing is left to normalise or to reorder.
 *
 * `inputs` holds n·∏shape numbers (token ids when the data set's `inputKind` is "tokens"); `labels` holds one
 * class index per example (`labelShape` []) or one per position (`labelShape` [length]), where −1 marks a
 * position that the loss and the accuracy leave out. With the criterion `regression`, or one of one's own, labels are
 * real numbers, ∏labelShape of them per example.
 */
export interface Examples {
  readonly inputs: Float64Array;
  /** Shape of one example. */
  readonly shape: readonly number[];
  readonly labels: Float64Array;
  /** Shape of one example's labels: [] or [length]; of real numbers, any. */
  readonly labelShape: readonly number[];
  /** Number of examples, at least 1. */
  readonly n: number;
}

/** A loss criterion of class labels. The binary ones have a single output whose sign is the prediction. */
export type Criterion = "mse" | "ce" | "mse_binary" | "ce_binary";

/**
 * A criterion of one's own: traced, of outputs [n, …] and labels [n, …labelShape], both tensors of the engine; returns a
 * tensor with one loss per row, [n] or [n, …], without mean or sum over examples.
 */
export type OwnCriterion = (outputs: never, labels: never) => unknown;

/** A training problem: examples, and what a network needs to know about them. */
export interface Dataset {
  readonly name: string;
  readonly train: Examples;
  /** Examples kept for testing, of the same shape; undefined when there are none with labels. */
  readonly test: Examples | undefined;
  /** Equal to `train.shape`. Images are [channels, height, width]; sequences [length]; features [count]. */
  readonly inputShape: readonly number[];
  readonly inputKind: "real" | "tokens";
  /** Width of the network's last layer: the number of classes, or 1 for a binary criterion. */
  readonly outputDim: number;
  /**
   * `regression`: labels are real numbers of any shape, and the loss is half the squared distance of an example's outputs
   * to them. With a function labels are whatever it makes of them.
   */
  readonly criterion: Criterion | "regression" | OwnCriterion;
  /** Number of token ids; present when `inputKind` is "tokens". */
  readonly vocabulary?: number;
  /** Whose data these are and under which licence, for reports; absent for generated and user data. */
  readonly attribution?: string;
}

/** What a user chooses for a classification: a number of classes, or "binary" for two classes and one output. */
export type ClassChoice = number | "binary";

/** Number of classes meant by a choice. */
export function classCount(choice: ClassChoice): number {
  return choice === "binary" ? 2 : choice;
}

/** Width of the last layer and the criterion's full name for a choice of classes. */
export function head(
  criterion: "mse" | "ce",
  choice: ClassChoice,
): { readonly outputDim: number; readonly criterion: Criterion } {
  return choice === "binary"
    ? { outputDim: 1, criterion: `${criterion}_binary` }
    : { outputDim: choice, criterion };
}

/**
 * Refuses a data set whose arrays would not fit in memory, before anything is allocated.
 *
 * @param n number of examples
 * @param shape shape of one example
 */
export function checkSize(operation: string, n: number, shape: readonly number[]): void {
  const most = 2 ** 30;
  if (n * sizeOf(shape) > most)
    throw valueError(
      operation,
      `at most ${most} numbers in all`,
      `${n} × [${shape}]`,
      "ask for fewer examples",
    );
}
