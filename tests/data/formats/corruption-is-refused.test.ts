import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isMisuse } from "../../../src/base/index.ts";
import { readIdx } from "../../../src/data/formats/idx.ts";
import { type NpyArray, readNpy, readNpz, writeNpz } from "../../../src/data/index.ts";
import { testFile } from "../support.ts";

/** Reads, and gives undefined where the input is refused; any other exception fails the test. */
function refusedOr<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!isMisuse(error)) throw error;
    return undefined;
  }
}

const archives: Readonly<Record<string, Uint8Array>> = {
  "streamed.npz": testFile("streamed.npz"),
  "SST2.npz": testFile("SST2.npz"),
  "stored.npz": testFile("stored.npz"),
  "compressed.npz": testFile("compressed.npz"),
  "our stored": writeNpz({
    w: { shape: [3], data: [1, 2, 3] },
    "ü/b": { dtype: "<i8", shape: [], data: [4] },
  }),
  "our compressed": writeNpz({ w: { shape: [40], data: new Float64Array(40) } }, { compressed: true }),
};

describe.each(Object.keys(archives))("%s", (name) => {
  const whole = archives[name];
  const arrays = readNpz(whole);
  const expectSame = (read: Map<string, NpyArray> | undefined): void => {
    if (read !== undefined && !sameArrays(read, arrays)) throw new Error("other arrays were read");
  };

  test("truncated anywhere: refused", () => {
    for (let length = 0; length < whole.length; length++)
      expect(
        refusedOr(() => readNpz(whole.subarray(0, length))),
        `${length} bytes`,
      ).toBeUndefined();
  });

  test("any byte inverted or one bit of it flipped: refused, or the same arrays", () => {
    for (let at = 0; at < whole.length; at++) {
      const both = [0xff, 1 << (at % 8)];
      for (const flip of whole.length < 2000 ? both : [both[at % 2]]) {
        const bytes = whole.slice();
        bytes[at] ^= flip;
        expectSame(refusedOr(() => readNpz(bytes)));
      }
    }
  });

  test("several bytes replaced: refused, or the same arrays", () => {
    const change = fc.tuple(fc.nat(whole.length - 1), fc.nat(255));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 6 }), (changes) => {
        const bytes = whole.slice();
        for (const [at, value] of changes) bytes[at] = value;
        expectSame(refusedOr(() => readNpz(bytes)));
      }),
      { numRuns: 2000 },
    );
  });
});

function sameArrays(a: Map<string, NpyArray>, b: Map<string, NpyArray>): boolean {
  if (a.size !== b.size) return false;
  for (const [name, array] of a) {
    const other = b.get(name);
    if (other === undefined || `${array.shape}` !== `${other.shape}` || array.dtype !== other.dtype)
      return false;
    if (!array.data.every((value, i) => Object.is(value, other.data[i]))) return false;
  }
  return true;
}

test("a .npy file has no checksum, but damage to it never raises another kind of error", () => {
  const whole = testFile("version-1.npy");
  for (let length = 0; length < whole.length; length++)
    expect(refusedOr(() => readNpy(whole.subarray(0, length)))).toBeUndefined();
  for (let at = 0; at < whole.length; at++) {
    for (let value = 0; value < 256; value++) {
      const bytes = whole.slice();
      bytes[at] = value;
      const size = refusedOr(() => readNpy(bytes))?.data.length ?? 0;
      expect(size <= whole.length).toBe(true);
    }
  }
});

test.each([
  "(-1,)",
  "(9007199254740993,)",
  "(99999999999, 99999999999)",
  "(2, 3",
  "2, 3",
  "(1.5,)",
  "(0x6,)",
  "(,)",
  "(6,,)",
])("the shape %s is refused", (shape) => {
  const whole = testFile("version-1.npy");
  const header = `{'descr': '<f8', 'fortran_order': False, 'shape': ${shape}, }`.padEnd(117);
  const bytes = whole.slice();
  bytes.set(new TextEncoder().encode(header), 10);
  expect(refusedOr(() => readNpy(bytes))).toBeUndefined();
});

test("gzipped IDX files: truncated or damaged anywhere, refused or the same bytes", () => {
  const whole = testFile("MNIST/train-images-idx3-ubyte.gz");
  const { data } = readIdx("idx", whole, 3);
  for (let length = 0; length < whole.length; length++)
    expect(refusedOr(() => readIdx("idx", whole.subarray(0, length), 3))).toBeUndefined();
  for (let at = 0; at < whole.length; at++) {
    for (const flip of [0xff, 1 << (at % 8)]) {
      const bytes = whole.slice();
      bytes[at] ^= flip;
      const read = refusedOr(() => readIdx("idx", bytes, 3));
      if (read !== undefined) expect(Buffer.compare(read.data, data)).toBe(0);
    }
  }
});

test("a length that deflate cannot reach is refused before memory is taken for it", () => {
  const zip = testFile("streamed.npz");
  const directory = new DataView(zip.buffer).getUint32(
    zip.length - 6 - "lengths follow the data".length,
    true,
  );
  zip.fill(0xfe, directory + 24, directory + 28);
  expect(() => readNpz(zip)).toThrow(/expand to 4278124286 bytes, got \d\d\d? bytes/);
});

test("a gzip file of another length than its end says is refused", () => {
  const gzip = testFile("MNIST/train-images-idx3-ubyte.gz");
  gzip.fill(0xff, gzip.length - 4);
  expect(() => readIdx("idx", gzip, 3)).toThrow("sound deflate data, got another checksum");
});
