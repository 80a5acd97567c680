import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isMisuse } from "../../src/base/index.ts";
import { gridOf, parseAxis, parseSweepWords } from "../../src/sweep/index.ts";

const integers = (least: number, most: number) => fc.integer({ min: least, max: most });
const numbers = (name: string, values: string): number[] => parseAxis(`${name}=${values}`).values.map(Number);

test("words with commas between are the values, whatever they are", () => {
  const word = fc.stringMatching(/^[a-z/][a-z0-9/._-]{0,8}$/).filter((text) => !text.startsWith("log"));
  fc.assert(
    fc.property(fc.uniqueArray(word, { minLength: 1, maxLength: 6 }), (values) => {
      expect(parseAxis(`data.path=${values.join(",")}`)).toEqual({ name: "data.path", values });
    }),
  );
});

test("a..b is every whole number from a to b", () => {
  fc.assert(
    fc.property(integers(-50, 50), integers(0, 60), (a, more) => {
      const values = numbers("seed", `${a}..${a + more}`);
      expect(values).toHaveLength(more + 1);
      expect(values.every((value, i) => value === a + i)).toBe(true);
    }),
  );
});

const positive = fc.double({ min: 1e-6, max: 1e6, noNaN: true });

test("a..b:n has n numbers at equal distances, log:a..b:n at equal ratios; the ends are exact", () => {
  fc.assert(
    fc.property(
      positive,
      fc.double({ min: 1.001, max: 1e4, noNaN: true }),
      integers(2, 40),
      (a, ratio, n) => {
        const b = a * ratio;
        for (const logarithmic of [false, true]) {
          const values = numbers("opt.lr", `${logarithmic ? "log:" : ""}${a}..${b}:${n}`);
          expect(values).toHaveLength(n);
          expect([values[0], values[n - 1]]).toEqual([a, b]);
          for (let i = 1; i < n; i++) {
            expect(values[i]).toBeGreaterThan(values[i - 1]);
            const t = i / (n - 1);
            const meant = logarithmic ? a * (b / a) ** t : a + (b - a) * t;
            // Six digits are kept where they tell the values apart.
            expect(Math.abs(values[i] - meant)).toBeLessThanOrEqual(5.1e-6 * meant);
          }
        }
      },
    ),
  );
});

test("log:0.01..1:9 goes up by a factor of ten in four steps", () => {
  const values = numbers("opt.lr", "log:0.01..1:9");
  expect([values[0], values[4], values[8]]).toEqual([0.01, 0.1, 1]);
});

const dimension = fc.integer({ min: 1, max: 4 });

test("a grid takes every value with every other, once; axes side by side count as one", () => {
  fc.assert(
    fc.property(fc.array(dimension, { minLength: 1, maxLength: 4 }), dimension, (sizes, both) => {
      const values = (n: number): string => Array.from({ length: n }, (_, i) => `v${i}`).join(",");
      const words = sizes.flatMap((n, a) => ["--sweep", `axis${a}=${values(n)}`]);
      const { dimensions } = parseSweepWords([
        ...words,
        "--together",
        `left=${values(both)}`,
        `right=${values(both)}`,
      ]);
      const grid = gridOf(dimensions);
      expect(grid).toHaveLength(sizes.reduce((product, n) => product * n, both));
      expect(new Set(grid.map((point) => JSON.stringify(point))).size).toBe(grid.length);
      expect(grid.every(({ left, right }) => left === right)).toBe(true);
    }),
  );
});

test("other words are left as they are, in their order", () => {
  expect(
    parseSweepWords(["opt:gd", "--sweep=opt.LR=1,2", "seed=0..1", "--steps", "3", "--sweep", "a_b=x"]),
  ).toEqual({
    words: ["opt:gd", "--steps", "3"],
    dimensions: [
      [{ name: "opt.lr", values: ["1", "2"] }],
      [{ name: "seed", values: ["0", "1"] }],
      [{ name: "a-b", values: ["x"] }],
    ],
  });
});

describe("a mistake is told in a sentence", () => {
  test.each([
    ["--sweep", "flag=values after it"],
    ["--sweep opt.lr", "flag=values after it"],
    ["--sweep opt.lr=", "values separated by commas"],
    ["--sweep opt.lr=0.1,,0.2", "values separated by commas"],
    ["--sweep opt.lr=0.1,0.1", "every value once, got 0.1 twice"],
    ["--sweep opt.lr=0.1..0.5", "for example 0.1..0.5:5"],
    ["--sweep opt.lr=log:1..8", "a number of values"],
    ["--sweep seed=4..0", "from its least to its greatest"],
    ["--sweep seed=0..", "a range"],
    ["--sweep opt.lr=log:0..1:5", "positive numbers"],
    ["--sweep opt.lr=log:0.1:5", "a range"],
    ["--sweep opt.lr=0.1..1:1", "two values or more"],
    ["--sweep seed=0..9999999", "at most 100000"],
    ["--sweep seed=0..2 --sweep seed=3..4", "every axis once, got seed twice"],
    ["--together arch.width=8,16", "two axes or more"],
    ["--together arch.width=8,16 data.n=1,2,3", "2 values of arch.width and 3 of data.n"],
  ])("%s", (line, told) => {
    let error: unknown;
    try {
      gridOf(parseSweepWords(line.split(" ")).dimensions);
    } catch (thrown) {
      error = thrown;
    }
    expect(isMisuse(error)).toBe(true);
    expect((error as Error).message).toContain(told);
    expect((error as Error).message).toMatch(/^[^\n]+: expected [^\n]+, got [^\n]+$/);
  });
});
