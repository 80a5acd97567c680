import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InputValueError, isMisuse } from "../../../src/base/index.ts";
import {
  isSafetensors,
  openSafetensors,
  readSafetensors,
  writeSafetensors,
} from "../../../src/data/index.ts";
import { testFile } from "../support.ts";

/** A file by the format's description: length of the header, header, elements. */
function file(header: unknown, elements: Uint8Array, padding = 0): Uint8Array {
  const text = new TextEncoder().encode(`${JSON.stringify(header)}${" ".repeat(padding)}`);
  const bytes = new Uint8Array(8 + text.length + elements.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  bytes.set(elements, 8 + text.length);
  return bytes;
}

const entry = (dtype: string, shape: number[], from: number, to: number) => ({
  dtype,
  shape,
  data_offsets: [from, to],
});
const bytesOf = ({ buffer }: { buffer: ArrayBufferLike }): Uint8Array => new Uint8Array(buffer);

const shapes = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 });
const tensors = fc.dictionary(
  fc.string({ minLength: 1, maxLength: 6 }).filter((name) => name !== "__metadata__"),
  shapes.chain((shape) => {
    const count = shape.reduce((a, b) => a * b, 1);
    return fc.array(fc.double(), { minLength: count, maxLength: count }).map((data) => ({ shape, data }));
  }),
  { maxKeys: 5 },
);

test("what is written is read back to the bit, in its order where names are no numbers", () => {
  fc.assert(
    fc.property(tensors, (record) => {
      const bytes = writeSafetensors(record);
      expect(isSafetensors(bytes)).toBe(true);
      const read = readSafetensors(bytes);
      expect([...read.keys()]).toEqual(Object.keys(record));
      for (const [name, { shape, data }] of read) {
        expect(shape).toEqual(record[name].shape);
        expect(Array.from(data)).toEqual(record[name].data);
      }
    }),
  );
});

test("a file that the package safetensors wrote is read", () => {
  const read = readSafetensors(testFile("by-others.safetensors"));
  const found = Object.fromEntries(
    [...read].map(([name, { shape, data }]) => [name, [shape, Array.from(data)]]),
  );
  expect(found).toEqual({
    f: [[2], [1.5, -2]],
    i: [
      [2, 1],
      [3, 4],
    ],
    h: [[1], [0.5]],
    z: [[0, 2], []],
    b: [[2], [1, 0]],
    d: [[1], [3.25]],
  });
});

test("elements begin at a multiple of eight bytes, and the metadata are PyTorch's", () => {
  const bytes = writeSafetensors({ abc: { shape: [1], data: [3] } });
  const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
  expect(length % 8).toBe(0);
  expect(JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)))).toEqual({
    __metadata__: { format: "pt" },
    abc: entry("F64", [1], 0, 8),
  });
});

test.each([
  ["F64", Float64Array.of(1.1, -0)],
  ["F32", Float32Array.of(1.1, -0)],
  ["I64", BigInt64Array.of(-5n, 2n ** 53n)],
  ["I32", Int32Array.of(-5, 2 ** 31 - 1)],
  ["I16", Int16Array.of(-5, 32767)],
  ["I8", Int8Array.of(-5, 127)],
  ["U64", BigUint64Array.of(0n, 2n ** 53n)],
  ["U32", Uint32Array.of(0, 2 ** 32 - 1)],
  ["U16", Uint16Array.of(0, 65535)],
  ["U8", Uint8Array.of(0, 255)],
  ["BOOL", Uint8Array.of(0, 1)],
] as const)("%s", (dtype, values) => {
  const bytes = file({ x: entry(dtype, [2], 0, values.byteLength) }, bytesOf(values));
  expect(Array.from(readSafetensors(bytes).get("x")!.data)).toEqual(Array.from(values, Number));
});

test("the 16-bit floats: 1, −2, the largest, an infinity", () => {
  const half = bytesOf(Uint16Array.of(0x3c00, 0xc000, 0x7bff, 0x7c00));
  const brain = bytesOf(Uint16Array.of(0x3f80, 0xc000, 0x7f7f, 0x7f80));
  const both = new Uint8Array([...half, ...brain]);
  const read = readSafetensors(file({ h: entry("F16", [4], 0, 8), b: entry("BF16", [4], 8, 16) }, both, 3));
  expect(Array.from(read.get("h")!.data)).toEqual([1, -2, 65504, Number.POSITIVE_INFINITY]);
  expect(Array.from(read.get("b")!.data)).toEqual([1, -2, 255 * 2 ** 120, Number.POSITIVE_INFINITY]);
});

test("other types and wide integers are refused when they are asked for", () => {
  const bytes = file(
    { f: entry("F8_E4M3", [1], 0, 1), w: entry("I64", [1], 1, 9), x: entry("F64", [1], 9, 17) },
    new Uint8Array([0, ...bytesOf(BigInt64Array.of(2n ** 53n + 1n)), ...bytesOf(Float64Array.of(7))]),
  );
  const arrays = openSafetensors(bytes);
  expect(Array.from(arrays.get("x")!.elements())).toEqual([7]);
  expect(() => arrays.get("f")!.elements()).toThrow('"f": expected elements of type F64');
  expect(() => arrays.get("w")!.elements()).toThrow("integers up to 2^53 in size");
});

describe("a malformed file is refused", () => {
  const eight = new Uint8Array(8);
  test.each([
    ["a header that is a list", file([], eight)],
    ["an entry that is nothing", file({ x: null }, eight)],
    ["a shape that is no counts", file({ x: entry("F64", [-1], 0, 8) }, eight)],
    ["a shape that does not fill its bytes", file({ x: entry("F64", [2], 0, 8) }, eight)],
    ["an end before its beginning", file({ x: entry("F64", [], 8, 0) }, eight)],
    ["one beyond the file", file({ x: entry("F64", [2], 0, 16) }, eight)],
    ["a gap before the first", file({ x: entry("U8", [4], 4, 8) }, eight)],
    ["two that overlap", file({ x: entry("U8", [8], 0, 8), y: entry("U8", [4], 4, 8) }, eight)],
    ["bytes after the last", file({ x: entry("U8", [4], 0, 4) }, eight)],
    ["no bytes", new Uint8Array(0)],
    ["a header beyond the file", Uint8Array.of(9, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0x7d)],
  ])("%s", (_, bytes) => {
    expect(() => readSafetensors(bytes)).toThrow(InputValueError);
  });

  test("damage anywhere never raises another kind of error", () => {
    const whole = writeSafetensors({ a: { shape: [2], data: [1, 2] }, b: { shape: [], data: [3] } });
    for (let at = 0; at < whole.length; at++)
      for (let value = 0; value < 256; value += 5) {
        const bytes = whole.slice();
        bytes[at] = value;
        try {
          readSafetensors(bytes);
        } catch (error) {
          if (!isMisuse(error)) throw error;
        }
      }
    for (let length = 0; length < whole.length; length++)
      expect(() => readSafetensors(whole.subarray(0, length))).toThrow(InputValueError);
  });
});
