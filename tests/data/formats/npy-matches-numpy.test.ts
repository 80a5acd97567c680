import { describe, expect, test } from "vitest";
import { openNpz, readNpy, readNpz, writeNpy } from "../../../src/data/index.ts";
import { testFile } from "../support.ts";

interface Expected {
  readonly dtype: string;
  readonly shape: number[];
  readonly data: (number | "nan" | "inf" | "-inf" | "-0.0")[];
}

const NAMED = {
  nan: Number.NaN,
  inf: Number.POSITIVE_INFINITY,
  "-inf": Number.NEGATIVE_INFINITY,
  "-0.0": -0,
};
const expected = new Map<string, Expected>(
  Object.entries(JSON.parse(new TextDecoder().decode(testFile("expected.json")))),
);
const valuesOf = (array: Expected): number[] => array.data.map((v) => (typeof v === "number" ? v : NAMED[v]));

describe.each(["stored.npz", "compressed.npz"])("%s as numpy wrote it", (file) => {
  const arrays = readNpz(testFile(file));

  test("holds the same names in the same order", () => {
    expect([...arrays.keys()]).toEqual([...expected.keys()]);
  });

  test.each([...expected.keys()])("array %s has numpy's type, shape and values to the bit", (name) => {
    const array = arrays.get(name);
    const reference = expected.get(name);
    if (array === undefined || reference === undefined) throw new Error(`no ${name}`);
    expect(array.dtype).toBe(reference.dtype);
    expect(array.shape).toEqual(reference.shape);
    expect(Array.from(array.data)).toEqual(valuesOf(reference));
  });
});

test("rows are the rows of the whole array, in C and in Fortran order", () => {
  for (const [name, file] of openNpz(testFile("stored.npz"))) {
    if (file.shape.length === 0 || file.shape[0] === 0) continue;
    const length = file.shape.slice(1).reduce((a, b) => a * b, 1);
    const all = file.elements();
    const last = file.shape[0] - 1;
    const rows = [last, 0].flatMap((i) => Array.from(all.subarray(i * length, (i + 1) * length)));
    expect(Array.from(file.rows([last, 0])), name).toEqual(rows);
  }
});

test("an archive whose lengths and checksums follow the data, with a comment, is read", () => {
  const arrays = readNpz(testFile("streamed.npz"));
  expect(Array.from(arrays.get("a")?.data ?? [])).toEqual([0, 1, 2, 3]);
  expect(arrays.get("b")?.shape).toEqual([2, 3]);
  expect(Array.from(arrays.get("b")?.data ?? [])).toEqual([0, 1, 2, 3, 4, 5]);
});

test.each([1, 2, 3])("version %i.0 is read", (version) => {
  const array = readNpy(testFile(`version-${version}.npy`));
  expect(array.shape).toEqual([3, 2]);
  expect(Array.from(array.data)).toEqual([0, 1, 2, 3, 4, 5]);
});

test("a file is written byte for byte as numpy.save writes it", () => {
  expect(writeNpy({ shape: [3, 2], data: [0, 1, 2, 3, 4, 5] })).toEqual(testFile("version-1.npy"));
});

test.each(["object", "unicode", "bytes", "complex", "datetime", "structured", "void", "longdouble"])(
  "an array of type %s is refused with advice",
  (name) => {
    expect(() => readNpy(testFile(`refused-${name}.npy`))).toThrow(
      /expected booleans, integers .* or floats.*; convert/,
    );
  },
);

test.each(["wide_int", "wide_int_negative", "wide_uint"])(
  "integers that float64 cannot hold are refused: %s",
  (name) => {
    expect(() => readNpy(testFile(`refused-${name}.npy`))).toThrow(/integers up to 2\^53/);
  },
);
