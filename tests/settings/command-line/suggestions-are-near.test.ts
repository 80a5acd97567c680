import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { didYouMean, editDistance, nearest } from "../../../src/settings/command-line/suggest.ts";

const word = fc.string({ maxLength: 8, unit: fc.constantFrom("a", "b", "c", ".") });

describe("the edit distance", () => {
  test("is symmetric, zero only for equal words, and at least the difference in length", () => {
    fc.assert(
      fc.property(word, word, (a, b) => {
        const distance = editDistance(a, b);
        expect(distance).toBe(editDistance(b, a));
        expect(distance === 0).toBe(a === b);
        expect(distance).toBeGreaterThanOrEqual(Math.abs(a.length - b.length));
        expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length));
      }),
    );
  });

  test("is at most 1 after one insertion, deletion, substitution or swap", () => {
    fc.assert(
      fc.property(word, fc.nat(8), fc.constantFrom("a", "z"), (a, place, letter) => {
        const at = Math.min(place, a.length);
        const [head, tail] = [a.slice(0, at), a.slice(at)];
        const edits = [head + letter + tail, head + tail.slice(1), head + letter + tail.slice(1)];
        if (tail.length > 1) edits.push(head + tail[1] + tail[0] + tail.slice(2));
        for (const edited of edits) expect(editDistance(a, edited)).toBeLessThanOrEqual(1);
      }),
    );
  });

  test("is the sum over parts that share nothing", () => {
    fc.assert(
      fc.property(fc.nat(6), fc.nat(6), (m, n) => {
        expect(editDistance("x".repeat(m), "y".repeat(n))).toBe(Math.max(m, n));
      }),
    );
  });
});

describe("suggestions", () => {
  const names = ["opt.lr", "opt.beta2", "eig.frequency", "checkpoint.frequency", "steps", "run"];

  test("hold the word itself first", () => {
    for (const name of names) expect(nearest(name, names)[0]).toBe(name);
  });

  test("know a name by its last part", () => {
    expect(nearest("lr", names)).toEqual(["opt.lr"]);
    expect(nearest("frequency", names)).toEqual(["eig.frequency", "checkpoint.frequency"]);
  });

  test("are none for a word unlike all", () => {
    expect(nearest("zzzzzz", names)).toEqual([]);
    expect(didYouMean([])).toBeUndefined();
  });

  test("are at most three", () => {
    expect(nearest("a", ["aa", "ab", "ac", "ad"]).length).toBeLessThanOrEqual(3);
  });
});
