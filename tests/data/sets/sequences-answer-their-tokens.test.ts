import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { loadDataset } from "../../../src/data/index.ts";

const answers = {
  sorting: (tokens: number[]) => [...tokens].sort((a, b) => a - b),
  copying: (tokens: number[]) => tokens,
};

describe.each(["sorting", "copying"] as const)("%s", (name) => {
  test("inputs and labels are a sequence and its answer, shifted by one, masked where the answer has not begun", () => {
    const sizes = { n: fc.integer({ min: 1, max: 20 }), nTest: fc.nat(10) };
    const shape = { vocabSize: fc.integer({ min: 2, max: 20 }), length: fc.integer({ min: 1, max: 12 }) };
    fc.assert(
      fc.property(fc.record({ ...sizes, ...shape }), (options) => {
        const { n, nTest, vocabSize, length } = options;
        const dataset = loadDataset(name, { ...options, criterion: "ce" });
        expect(dataset).toMatchObject({
          inputKind: "tokens",
          vocabulary: vocabSize,
          outputDim: vocabSize,
          criterion: "ce",
        });
        expect([dataset.train.n, dataset.test?.n ?? 0]).toEqual([n, nTest]);
        const width = 2 * length - 1;
        for (const split of [dataset.train, dataset.test]) {
          if (split === undefined) continue;
          expect([split.shape, split.labelShape]).toEqual([[width], [width]]);
          for (let i = 0; i < split.n; i++) {
            const x = [...split.inputs.subarray(i * width, (i + 1) * width)];
            const y = [...split.labels.subarray(i * width, (i + 1) * width)];
            const tokens = x.slice(0, length);
            expect(tokens.every((token) => Number.isInteger(token) && token >= 0 && token < vocabSize)).toBe(
              true,
            );
            const answer = answers[name](tokens);
            expect(x.slice(length)).toEqual(answer.slice(0, -1));
            expect(y).toEqual([...new Array(length - 1).fill(-1), ...answer]);
          }
        }
      }),
    );
  });

  test("tokens are uniform: each of four within five standard errors of a quarter", () => {
    const { train } = loadDataset(name, { criterion: "mse", n: 4000 });
    const first = Array.from({ length: 4000 * 8 }, (_, k) => train.inputs[Math.floor(k / 8) * 15 + (k % 8)]);
    for (let token = 0; token < 4; token++) {
      const share = first.filter((t) => t === token).length / first.length;
      expect(Math.abs(share - 0.25)).toBeLessThan(5 * Math.sqrt(0.1875 / first.length));
    }
    expect(loadDataset(name, { criterion: "mse" })).toEqual(loadDataset(name, { criterion: "mse" }));
  });
});
