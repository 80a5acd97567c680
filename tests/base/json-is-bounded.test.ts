import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InputValueError, parseJson } from "../../src/base/index.ts";

const parse = (text: string): unknown => parseJson(text, "read", "JSON");

test("what JSON says, with a byte order mark before it or without", () => {
  const shallow = fc.jsonValue({ maxDepth: 5 });
  fc.assert(
    fc.property(shallow, (value) => {
      const text = JSON.stringify(value);
      expect(parse(text)).toEqual(JSON.parse(text));
      expect(parse(`\uFEFF${text}`)).toEqual(JSON.parse(text));
    }),
  );
});

describe("nesting", () => {
  const nested = (depth: number, open: string, close: string): string =>
    `${open.repeat(depth)}0${close.repeat(depth)}`;

  test.each([
    ["[", "]"],
    ['{"a":', "}"],
  ])("of %s is read to a depth of 100 and refused beyond, at any depth", (open, close) => {
    expect(() => parse(nested(100, open, close))).not.toThrow();
    for (const depth of [101, 20_000, 1_000_000])
      expect(() => parse(nested(depth, open, close))).toThrow(
        `nested at most 100 deep, got ${depth} opening brackets`,
      );
  });

  test("brackets in strings do not count", () => {
    const text = `\\"${"[{".repeat(300)}\\\\`;
    expect(parse(JSON.stringify({ text, [text]: 1 }))).toEqual({ text, [text]: 1 });
  });
});

test("what is no JSON is refused in words, whatever it is", () => {
  for (const text of ["", "{", '"', '"\\', '{"a":1,}', "\uFEFF", '"\\"'.repeat(50_001)])
    expect(() => parse(text)).toThrow(InputValueError);
});
