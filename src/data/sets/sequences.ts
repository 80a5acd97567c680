import { integer, Random, type Setting } from "../../base/index.ts";
import { checkSize, type Examples } from "../dataset.ts";
import { criterion, dataset, examples, testExamples } from "../definition.ts";

/**
 * A task of next-token prediction: `length` random tokens, then the answer to them. Of these 2·length tokens the
 * input is all but the last and the labels are all but the first, −1 where the next token is still random, so that
 * the loss sees the answer only. Training and test examples are one draw, split.
 *
 * @param name also names the stream of random numbers
 * @param answer overwrites tokens with their answer, of the same length
 */
const sequenceTask = <const N extends string>(
  name: N,
  className: string,
  help: string,
  answer: (tokens: Float64Array) => void,
) =>
  dataset({
    name,
    className,
    gives: "tokens",
    help,
    settings: {
      criterion,
      n: { ...examples, kind: integer({ min: 1 }), default: 1000 },
      nTest: testExamples(1000),
      vocabSize: {
        kind: integer({ min: 2 }),
        default: 4,
        help: "different tokens",
      } satisfies Setting<number>,
      length: {
        kind: integer({ min: 1 }),
        default: 8,
        help: "tokens in a sequence",
      } satisfies Setting<number>,
    },
    make({ n, nTest, vocabSize, length, criterion }, _readFile, operation) {
      checkSize(operation, n + nTest, [2 * length]);
      // The reference code draws its sequences with seed 0 whatever the run's seed.
      const random = new Random(0, name);
      return {
        train: drawSequences(n, vocabSize, length, random, answer),
        test: nTest > 0 ? drawSequences(nTest, vocabSize, length, random, answer) : undefined,
        inputKind: "tokens",
        vocabulary: vocabSize,
        outputDim: vocabSize,
        criterion,
      };
    },
  });

/** Random tokens followed by the same tokens in ascending order. */
export const sorting = sequenceTask("sorting", "Sorting", "sort a sequence of tokens", (tokens) =>
  tokens.sort(),
);

/** Random tokens followed by the same tokens again. */
export const copying = sequenceTask("copying", "Copying", "repeat a sequence of tokens", () => {});

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
