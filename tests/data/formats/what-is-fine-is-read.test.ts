import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InputValueError } from "../../../src/base/index.ts";
import { readIdx } from "../../../src/data/formats/idx.ts";
import { gunzip } from "../../../src/data/formats/inflate.ts";
import { writeZip } from "../../../src/data/formats/zip-write.ts";
import { openNpz, readNpy, readNpz, writeNpy } from "../../../src/data/index.ts";
import { testFile } from "../support.ts";

const FOUR = [0, 1, 2, 3];

describe("an archive with other things beside the wanted arrays", () => {
  const whole = testFile("beside.npz");

  test("gives the wanted ones, and lists all arrays and nothing else", () => {
    const archive = openNpz(whole);
    expect(Array.from(archive.get("a")!.elements())).toEqual(FOUR);
    expect([...archive.keys()]).toEqual(["a", "names", "records", "dates", "packed"]);
    expect([...readNpz(whole, "x", ["a", "missing"]).keys()]).toEqual(["a"]);
  });

  test.each(["names", "records", "dates"])("refuses %s when it is asked for", (name) => {
    const archive = openNpz(whole);
    expect(archive.has(name)).toBe(true);
    expect(() => archive.get(name)).toThrow(`"${name}": expected booleans, integers`);
  });

  test("refuses to read everything, by the name of what is no array of numbers", () => {
    expect(() => readNpz(whole)).toThrow('"names": expected booleans, integers');
  });
});

test("lengths and offsets in ZIP64's fields are read, however small the archive", () => {
  const arrays = readNpz(testFile("zip64.npz"));
  expect(Array.from(arrays.get("a")!.data)).toEqual(FOUR);
  expect(arrays.get("b")).toMatchObject({ shape: [2, 3], data: Float64Array.of(0, 1, 2, 3, 4, 5) });
});

test("an array is expanded when its elements are asked for, its header before", () => {
  // 80 MB of zeros in 80 KB; of them nothing is expanded but the header.
  const zeros = writeNpy({ shape: [10, 1000, 1000], data: new Float64Array(1e7) });
  const archive = openNpz(writeZip(new Map([["w.npy", zeros]]), true));
  expect(archive.get("w")!.shape).toEqual([10, 1000, 1000]);
  expect(archive.get("w")!.rows([9])).toEqual(new Float64Array(1e6));
});

test("all arrays of an archive are read up to 1 GiB of numbers, those named beyond it too", () => {
  // 2²⁷ + 1 bytes of booleans, which are 1 GiB and 8 bytes as float64, in some 130 KB.
  const count = 2 ** 27 + 1;
  const header = new TextEncoder().encode(
    `{'descr': '|b1', 'fortran_order': False, 'shape': (${count},), }\n`,
  );
  const bomb = new Uint8Array(10 + header.length + count);
  bomb.set([0x93, ...new TextEncoder().encode("NUMPY"), 1, 0, header.length, 0]);
  bomb.set(header, 10);
  const small = writeNpy({ shape: [4], data: FOUR });
  const files = new Map([
    ["bomb.npy", bomb],
    ["a.npy", small],
  ]);
  const archive = writeZip(files, true);
  expect(archive.length).toBeLessThan(300_000);
  expect(() => readNpz(archive)).toThrow(
    /arrays of at most 1073741824 bytes, got 107374\d+ bytes; name the arrays/,
  );
  expect(Array.from(readNpz(archive, "x", ["a"]).get("a")!.data)).toEqual(FOUR);
});

describe("gzip", () => {
  const members = fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 4 });
  const zeros = fc.nat(40).map((count) => new Uint8Array(count));

  test("members follow each other, and zeros the last", () => {
    fc.assert(
      fc.property(members, zeros, (parts, padding) => {
        const packed = Buffer.concat([...parts.map((part) => gzipSync(part)), padding]);
        expect(Buffer.compare(gunzip("x", packed), Buffer.concat(parts))).toBe(0);
      }),
    );
  });

  test("anything else after the last member is refused", () => {
    const notZero = fc
      .uint8Array({ minLength: 1, maxLength: 20 })
      .filter((bytes) => bytes.some((b) => b !== 0));
    fc.assert(
      fc.property(members, notZero, (parts, rest) => {
        const packed = Buffer.concat([...parts.map((part) => gzipSync(part)), rest]);
        expect(() => gunzip("x", packed)).toThrow(InputValueError);
      }),
    );
  });

  test("members larger than what is expanded at a time", () => {
    const part = Uint8Array.from({ length: 100_000 }, (_, i) => (i * i * 31) % 251);
    const packed = Buffer.concat([gzipSync(part), gzipSync(part), new Uint8Array(512)]);
    expect(Buffer.compare(gunzip("x", packed), Buffer.concat([part, part]))).toBe(0);
  });

  test("names and comments in the header are passed over", () => {
    const packed = gzipSync(Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 2, 7, 9));
    const named = Buffer.concat([packed.subarray(0, 10), Buffer.from("images\0said\0"), packed.subarray(10)]);
    named[3] = 8 | 16;
    expect(readIdx("x", named, 1)).toEqual({ shape: [2], data: Uint8Array.of(7, 9) });
  });
});

describe("headers of .npy files", () => {
  const withHeader = (text: string): Uint8Array => {
    const header = new TextEncoder().encode(text);
    const bytes = new Uint8Array(12 + header.length);
    bytes.set([0x93, ...new TextEncoder().encode("NUMPY"), 2, 0]);
    new DataView(bytes.buffer).setUint32(8, header.length, true);
    bytes.set(header, 12);
    return bytes;
  };

  test.each([
    [
      "its parts in any order, double quotes, no spaces",
      `{"shape":(0,2),"descr":"<f8","fortran_order":False}`,
      [0, 2],
    ],
    ["long integers of Python 2", "{'descr': '<f8', 'fortran_order': False, 'shape': (0L, 3L), }", [0, 3]],
    ["line breaks", "{'descr':\n'<f8',\n'fortran_order':\nTrue, 'shape': (0,),\n}\n", [0]],
  ])("%s", (_, text, shape) => {
    expect(readNpy(withHeader(text)).shape).toEqual(shape);
  });

  // Each piece was made to send a pattern that looks back over what it has read.
  test.each(["}", "{", " ", "} ", "1,", "1 ,", "(1,", "'a':", "'", '"', "L", "'a': 'b', ", "(), "])(
    "ten thousand characters of %j are refused",
    (piece) => {
      for (const start of ["", "{", "{'shape': (", "{'descr': '<f8', 'fortran_order': False, 'shape': ("]) {
        const text = (start + piece.repeat(10_000)).slice(0, 10_000);
        expect(() => readNpy(withHeader(text))).toThrow(InputValueError);
      }
    },
  );

  test("one longer than numpy reads is refused by its length", () => {
    const text = "{'descr': '<f8', 'fortran_order': False, 'shape': (0,), }".padEnd(10_001);
    expect(() => readNpy(withHeader(text))).toThrow("a header of at most 10000 bytes");
  });
});
