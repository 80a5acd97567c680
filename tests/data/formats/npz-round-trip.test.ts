import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InputValueError } from "../../../src/base/index.ts";
import { crc32 } from "../../../src/data/formats/crc32.ts";
import { readNpy, readNpz, type WritableArray, writeNpy, writeNpz } from "../../../src/data/index.ts";

const shapes = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 });
const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** Any array: any doubles (NaN, ±0, subnormal, infinite), or integers up to 2⁵³ in size. */
const arrays: fc.Arbitrary<WritableArray> = shapes.chain((shape) => {
  const length = { minLength: sizeOf(shape), maxLength: sizeOf(shape) };
  const doubles = fc.array(fc.double(), length).map((data) => ({ dtype: "<f8", shape, data }));
  const integers = fc.array(fc.integer({ min: -(2 ** 52), max: 2 ** 52 }), length).map((halves) => ({
    dtype: "<i8",
    shape,
    data: halves.map((half) => 2 * half),
  }));
  return fc.oneof(doubles, integers);
});

describe("what is written is read back to the bit", () => {
  test.each([false, true])("npz, compressed %s", (compressed) => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: "grapheme" }), arrays, { maxKeys: 5 }), (record) => {
        const read = readNpz(writeNpz(record, { compressed }));
        expect([...read.keys()].sort()).toEqual(Object.keys(record).sort());
        for (const [name, array] of read) {
          expect(array.dtype).toBe(record[name].dtype);
          expect(array.shape).toEqual(record[name].shape);
          expect(Array.from(array.data)).toEqual(Array.from(record[name].data));
        }
      }),
    );
  });

  test("npy", () => {
    fc.assert(
      fc.property(arrays, (array) => {
        const bytes = writeNpy(array);
        const read = readNpy(bytes);
        expect(Array.from(read.data)).toEqual(Array.from(array.data));
        expect((bytes.length - 8 * array.data.length) % 64).toBe(0);
      }),
    );
  });

  test("bytes inside a larger buffer, at any alignment", () => {
    const bytes = writeNpz({ w: { shape: [3], data: [1, 2, 3] } });
    for (let offset = 0; offset < 8; offset++) {
      const buffer = new Uint8Array(bytes.length + 16).fill(0x50);
      buffer.set(bytes, offset);
      const read = readNpz(buffer.subarray(offset, offset + bytes.length));
      expect(Array.from(read.get("w")?.data ?? [])).toEqual([1, 2, 3]);
    }
  });
});

test("the same arrays give the same bytes, and what was read can be written", () => {
  const bytes = writeNpz({
    w0: { shape: [2], data: Float64Array.of(1, -0) },
    step: { dtype: "<i8", shape: [], data: [6] },
  });
  expect(writeNpz(readNpz(bytes))).toEqual(bytes);
});

test("arrays that do not fit their shape or type are refused", () => {
  expect(() => writeNpy({ shape: [2, 2], data: [1, 2, 3] })).toThrow(InputValueError);
  expect(() => writeNpy({ shape: [-1, -3], data: [1, 2, 3] })).toThrow(InputValueError);
  expect(() => writeNpy({ dtype: "<f4", shape: [1], data: [1] })).toThrow(InputValueError);
  for (const value of [0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53 + 2])
    expect(() => writeNpy({ dtype: "<i8", shape: [1], data: [value] })).toThrow(InputValueError);
});

test("crc32 gives the check value of its specification", () => {
  expect(crc32(new TextEncoder().encode("123456789"))).toBe(0xcbf43926);
});
