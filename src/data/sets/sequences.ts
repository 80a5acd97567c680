import { Random } from "../../base/index.ts";
import type { Dataset, Examples } from "../dataset.ts";
import { checkSize, integer, oneOf } from "../options.ts";

/** Options of the sequence tasks. */
export const sequenceOptions = {
  criterion: oneOf(["ce", "mse"]),
  n: integer(1, 1000),
  nTest: integer(0, 1000),
  vocabSize: integer(2, 4),
  length: integer(1, 8),
};

/** What those options become. */
interface SequenceChoice {
  readonly criterion: "ce" | "mse";
  readonly n: number;
  readonly nTest: number;
  readonly vocabSize: number;
  readonly length: number;
}

/**
 * A task of next-token prediction: `length` random tokens, then the answer to them. Of these 2·length tokens the
 * input is all but the last and the labels are all but the first, −1 where the next token is still random, so that
 * the loss sees the answer only. Training and test examples are one draw, split.
 *
 * @param task names the stream of random numbers
 * @param answer overwrites tokens with their answer, of the same length
 */
export function sequenceDataset(
  operation: string,
  task: string,
  choice: SequenceChoice,
  answer: (tokens: Float64Array) => void,
): Omit<Dataset, "name" | "inputShape"> {
  const { n, nTest, vocabSize, length, criterion } = choice;
  checkSize(operation, n + nTest, [2 * length]);
  // The reference code draws its sequences with seed 0 whatever the run's seed.
  const random = new Random(0, task);
  return {
    train: drawSequences(n, vocabSize, length, random, answer),
    test: nTest > 0 ? drawSequences(nTest, vocabSize, length, random, answer) : undefined,
    inputKind: "tokens",
    vocabulary: vocabSize,
    outputDim: vocabSize,
    criterion,
  };
}

function drawSequences(
  n: number,
  vocabSize: number,
  length: number,
  random: Random,
  answer: (tokens: Float64Array) => void,
): Examples {
  const width = 2 * length - 1;
  const inputs = new Float64Array(n * width);
  const labels = new Float64Array(n * width);
  const tokens = new Float64Array(2 * length);
  for (let i = 0; i < n; i++) {
    for (let t = 0; t < length; t++) tokens[t] = random.integer(vocabSize);
    tokens.copyWithin(length, 0, length);
    answer(tokens.subarray(length));
    inputs.set(tokens.subarray(0, width), i * width);
    labels.set(tokens.subarray(1), i * width);
    labels.fill(-1, i * width, i * width + length - 1);
  }
  return { inputs, shape: [width], labels, labelShape: [width], n };
}
