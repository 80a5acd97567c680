import { sizeOf, valueError } from "../../base/index.ts";
import { HEADER_BYTES, readHeader, shapeHolds, unsupported, writeHeader } from "./npy-header.ts";
import { DECODERS } from "./numbers.ts";

/** An array as numpy stores it, read: elements as float64 in C order (the last index runs fastest). */
export interface NpyArray {
  /** Element type in the file, as numpy describes it: `<f8`, `>i4`, `|b1`, … */
  readonly dtype: string;
  /** [] for a single number. */
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

/** An array to write: elements in C order, as `<f8` (the default) or `<i8`. */
export interface WritableArray {
  readonly dtype?: string;
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

/** A .npy file whose header was read and checked against its length; elements are decoded on demand. */
export interface NpyFile {
  readonly dtype: string;
  readonly shape: readonly number[];
  /** All elements in C order. @throws InputValueError for an integer beyond 2⁵³ */
  elements(): Float64Array;
  /** The given entries of the first axis, one after the other. Costs what they cost when the file is in C order. */
  rows(indices: ArrayLike<number>): Float64Array;
}

/** A file of which the first bytes can be had without all of it. */
export interface Source {
  /** In bytes. */
  readonly length: number;
  /** At least the first `count` bytes, or all of them. */
  head(count: number): Uint8Array;
  /** All of them. */
  bytes(): Uint8Array;
}

/**
 * Opens a .npy file: types b1, i1…i8, u1…u8, f2, f4, f8 in both byte orders, C or Fortran order, any rank.
 *
 * @param bytes the whole file; read when elements are decoded, so it must not change
 * @param what names the array in errors
 * @throws InputValueError for objects, strings, structured and other types, malformed headers, and files whose
 * length is not what type and shape ask for
 */
export function openNpy(bytes: Uint8Array, what = "readNpy"): NpyFile {
  const { length } = bytes;
  return openNpySource({ length, head: () => bytes, bytes: () => bytes }, what);
}

/**
 * Opens a .npy file of which no more than the header is looked at before elements are asked for; a source that has to
 * make its bytes makes them anew for each call of `elements` and `rows`.
 *
 * @throws InputValueError as {@link openNpy}
 */
export function openNpySource(source: Source, what: string): NpyFile {
  const { dtype, fortranOrder, shape, start } = readHeader(what, source.head(HEADER_BYTES));
  const type = /^([<>|=]?)([a-zA-Z]\d)$/.exec(dtype);
  const makeDecoder = type !== null && Object.hasOwn(DECODERS, type[2]) ? DECODERS[type[2]] : undefined;
  if (type === null || makeDecoder === undefined) throw unsupported(what, `"${dtype}"`);
  const itemSize = Number(type[2][1]);
  const count = (source.length - start) / itemSize;
  if (!shapeHolds(shape, count)) {
    const length = `${source.length - start} bytes`;
    throw valueError(
      what,
      `shape [${shape}] of "${dtype}" to fill the file`,
      length,
      "the file is truncated or corrupt",
    );
  }
  const decode = makeDecoder(type[1] !== ">");
  const isWide = type[2] === "i8" || type[2] === "u8";
  const elementBytes = (): DataView => {
    const bytes = source.bytes();
    return new DataView(bytes.buffer, bytes.byteOffset + start, bytes.byteLength - start);
  };

  const decodeInto = (out: Float64Array, at: number, view: DataView, from: number, length: number): void => {
    for (let i = 0; i < length; i++) {
      const value = decode(view, (from + i) * itemSize);
      if (isWide && Number.isNaN(value))
        throw valueError(
          what,
          "integers up to 2^53 in size",
          `a larger one at element ${from + i}`,
          "store them as <f8",
        );
      out[at + i] = value;
    }
  };
  const elements = (): Float64Array => {
    const stored = new Float64Array(count);
    decodeInto(stored, 0, elementBytes(), 0, count);
    return fortranOrder && shape.length > 1 ? toRowMajor(stored, shape) : stored;
  };
  const rows = (indices: ArrayLike<number>): Float64Array => {
    const length = sizeOf(shape.slice(1));
    const out = new Float64Array(indices.length * length);
    const all = fortranOrder ? elements() : undefined;
    const view = all ? undefined : elementBytes();
    for (let i = 0; i < indices.length; i++) {
      const from = indices[i] * length;
      if (view) decodeInto(out, i * length, view, from, length);
      else if (all) out.set(all.subarray(from, from + length), i * length);
    }
    return out;
  };
  return { dtype, shape, elements, rows };
}

/** Reorders elements from Fortran order (the first index runs fastest) to C order. */
function toRowMajor(stored: Float64Array, shape: readonly number[]): Float64Array {
  const out = new Float64Array(stored.length);
  const index = new Array<number>(shape.length).fill(0);
  const strides = shape.map((_, axis) => sizeOf(shape.slice(0, axis)));
  let from = 0;
  for (let to = 0; to < out.length; to++) {
    out[to] = stored[from];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis];
      index[axis] += 1;
      if (index[axis] < shape[axis]) break;
      from -= strides[axis] * shape[axis];
      index[axis] = 0;
    }
  }
  return out;
}

/** Reads a whole .npy file. @throws InputValueError as {@link openNpy}, and for an integer beyond 2⁵³ */
export function readNpy(bytes: Uint8Array, what = "readNpy"): NpyArray {
  const file = openNpy(bytes, what);
  return { dtype: file.dtype, shape: file.shape, data: file.elements() };
}

/**
 * A .npy file of the array, laid out as numpy.save does.
 *
 * @throws InputValueError when the dtype is neither `<f8` nor `<i8`, the shape does not hold the data, or `<i8`
 * is given a number that is no integer of size at most 2⁵³
 */
export function writeNpy(array: WritableArray, what = "writeNpy"): Uint8Array {
  const { dtype = "<f8", shape, data } = array;
  if (dtype !== "<f8" && dtype !== "<i8") throw valueError(what, 'dtype "<f8" or "<i8"', `"${dtype}"`);
  if (!shapeHolds(shape, data.length))
    throw valueError(what, `${data.length} elements in shape`, `[${shape}]`);
  const header = writeHeader(dtype, shape);
  const bytes = new Uint8Array(header.length + 8 * data.length);
  bytes.set(header);
  const view = new DataView(bytes.buffer, header.length);
  for (let i = 0; i < data.length; i++) {
    if (dtype === "<f8") view.setFloat64(8 * i, data[i], true);
    else setWideInteger(view, 8 * i, data[i], what);
  }
  return bytes;
}

function setWideInteger(view: DataView, at: number, value: number, what: string): void {
  if (!Number.isInteger(value) || Math.abs(value) > 2 ** 53)
    throw valueError(what, "integers up to 2^53 in size", `${value} at element ${at / 8}`, "write it as <f8");
  view.setBigInt64(at, BigInt(value), true);
}
