import { type InputValueError, sizeOf, valueError } from "../../base/index.ts";
import type { NpyArray } from "./npy.ts";
import { DECODERS, type Decode } from "./numbers.ts";

/** An array of a safetensors file, its header checked; elements are decoded on demand. */
export interface SafeTensor {
  /** `F64`, `F32`, `BF16`, `I64`, … */
  readonly dtype: string;
  readonly shape: readonly number[];
  /** All elements in C order. @throws InputValueError for an integer beyond 2⁵³ */
  elements(): Float64Array;
}

/** Element types by the format's names: the decoder of .npy files for the same bits, and the bytes of an element. */
const TYPES: Readonly<Record<string, { readonly size: number; readonly decode: Decode }>> = {
  F64: { size: 8, decode: DECODERS.f8(true) },
  F32: { size: 4, decode: DECODERS.f4(true) },
  F16: { size: 2, decode: DECODERS.f2(true) },
  // The upper half of a float32.
  BF16: { size: 2, decode: (view, at) => bfloat(view.getUint16(at, true)) },
  I64: { size: 8, decode: DECODERS.i8(true) },
  I32: { size: 4, decode: DECODERS.i4(true) },
  I16: { size: 2, decode: DECODERS.i2(true) },
  I8: { size: 1, decode: DECODERS.i1(true) },
  U64: { size: 8, decode: DECODERS.u8(true) },
  U32: { size: 4, decode: DECODERS.u4(true) },
  U16: { size: 2, decode: DECODERS.u2(true) },
  U8: { size: 1, decode: DECODERS.u1(true) },
  BOOL: { size: 1, decode: DECODERS.b1(true) },
};

const scratch = new DataView(new ArrayBuffer(4));

function bfloat(bits: number): number {
  scratch.setUint32(0, bits * 0x10000);
  return scratch.getFloat32(0);
}

/** The format's own bound on the length of its header, in bytes. */
const MOST_HEADER = 100_000_000;
const METADATA = "__metadata__";

/** Whether bytes start as a safetensors file does: a length, then an object in JSON. */
export function isSafetensors(bytes: Uint8Array): boolean {
  return bytes.length > 8 && bytes[8] === 0x7b && headerLength(bytes) <= bytes.length - 8;
}

const headerLength = ({ buffer, byteOffset }: Uint8Array): number => {
  const view = new DataView(buffer, byteOffset, 8);
  return view.getUint32(0, true) + 2 ** 32 * view.getUint32(4, true);
};

/**
 * Opens a safetensors file (huggingface/safetensors, format): the length of the header in 8 bytes, the header in JSON,
 * then the elements of all tensors, little-endian and in C order.
 *
 * @param bytes the whole file; must not change while its tensors are read
 * @param what names the file in errors
 * @returns the tensors by name, in the header's order; metadata are passed over
 * @throws InputValueError when the header is malformed, tensors overlap or leave gaps, or do not fill the file
 */
export function openSafetensors(bytes: Uint8Array, what = "readSafetensors"): Map<string, SafeTensor> {
  if (bytes.length < 8 || headerLength(bytes) > Math.min(MOST_HEADER, bytes.length - 8))
    throw malformed(what, `${bytes.length} bytes without a header`);
  const start = 8 + headerLength(bytes);
  const entries = Object.entries(parseHeader(what, bytes.subarray(8, start))).filter(
    ([name]) => name !== METADATA,
  );
  const ranges: (readonly [begin: number, end: number])[] = [];
  const tensors = new Map<string, SafeTensor>();
  for (const [name, entry] of entries) {
    const tensor = readEntry(`${what}: "${name}"`, entry);
    const [begin, end] = tensor.range;
    if (start + end > bytes.length) throw malformed(what, `"${name}" beyond the end of the file`);
    ranges.push(tensor.range);
    tensors.set(name, openTensor(`${what}: "${name}"`, tensor, bytes.subarray(start + begin, start + end)));
  }
  ranges.sort(([a, b], [c, d]) => a - c || b - d);
  const filled = ranges.reduce((at, [begin, end]) => (begin === at ? end : Number.NaN), 0);
  if (start + filled !== bytes.length)
    throw malformed(what, "tensors that overlap, leave gaps or do not reach its end");
  return tensors;
}

/** Reads all tensors of a safetensors file. @throws InputValueError as {@link openSafetensors}, and for wide integers */
export function readSafetensors(bytes: Uint8Array, what = "readSafetensors"): Map<string, NpyArray> {
  const arrays = new Map<string, NpyArray>();
  for (const [name, { dtype, shape, elements }] of openSafetensors(bytes, what))
    arrays.set(name, { dtype, shape, data: elements() });
  return arrays;
}

function parseHeader(what: string, bytes: Uint8Array): object {
  try {
    const header: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    if (typeof header === "object" && header !== null && !Array.isArray(header)) return header;
  } catch {
    // As any header that is none.
  }
  throw malformed(what, "a header that is no object in JSON");
}

interface Entry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly range: readonly [begin: number, end: number];
}

const isCounts = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((entry) => Number.isSafeInteger(entry) && entry >= 0);

function readEntry(what: string, entry: unknown): Entry {
  const { dtype, shape, data_offsets: range } = (entry ?? {}) as Record<string, unknown>;
  if (typeof dtype !== "string" || !isCounts(shape) || !isCounts(range) || range.length !== 2)
    throw malformed(what, "an entry without dtype, shape and data_offsets");
  const [begin, end] = range;
  const type = Object.hasOwn(TYPES, dtype) ? TYPES[dtype] : undefined;
  // Of other types neither the size nor the elements are known; only who asks for them needs to hear of it.
  if (end < begin || (type !== undefined && sizeOf(shape) * type.size !== end - begin))
    throw malformed(what, `shape [${shape}] of ${dtype} in ${end - begin} bytes`);
  return { dtype, shape, range: [begin, end] };
}

function openTensor(what: string, { dtype, shape }: Entry, bytes: Uint8Array): SafeTensor {
  const elements = (): Float64Array => {
    const type = Object.hasOwn(TYPES, dtype) ? TYPES[dtype] : undefined;
    if (type === undefined)
      throw valueError(
        what,
        `elements of type ${Object.keys(TYPES).join(", ")}`,
        dtype,
        "convert to F32 or F64",
      );
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const out = Float64Array.from({ length: sizeOf(shape) }, (_, i) => type.decode(view, i * type.size));
    const wide = dtype === "I64" || dtype === "U64" ? out.findIndex(Number.isNaN) : -1;
    if (wide >= 0)
      throw valueError(
        what,
        "integers up to 2^53 in size",
        `a larger one at element ${wide}`,
        "store them as F64",
      );
    return out;
  };
  return { dtype, shape, elements };
}

const malformed = (what: string, got: string): InputValueError =>
  valueError(what, "a safetensors file", got, "the file is truncated or corrupt, or of another kind");

/**
 * A safetensors file of the arrays, all as `F64`, in order, with the metadata that loaders of PyTorch ask for. The same
 * arrays give the same bytes.
 *
 * @throws InputValueError when a shape does not hold its data, or a name is that of the metadata
 */
export function writeSafetensors(
  arrays: Readonly<Record<string, { readonly shape: readonly number[]; readonly data: ArrayLike<number> }>>,
): Uint8Array {
  const header = new Map<string, unknown>([[METADATA, { format: "pt" }]]);
  let size = 0;
  for (const [name, { shape, data }] of Object.entries(arrays)) {
    const what = `writeSafetensors: "${name}"`;
    if (name === METADATA) throw valueError(what, "another name", "that of the metadata");
    if (!isCounts(shape) || sizeOf(shape) !== data.length)
      throw valueError(what, `${data.length} elements in shape`, `[${shape}]`);
    header.set(name, { dtype: "F64", shape, data_offsets: [size, size + 8 * data.length] });
    size += 8 * data.length;
  }
  const text = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)));
  // Spaces after the header let the elements begin at a multiple of 8 bytes.
  const length = Math.ceil(text.length / 8) * 8;
  const bytes = new Uint8Array(8 + length + size);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, length, true);
  bytes.fill(0x20, 8, 8 + length);
  bytes.set(text, 8);
  let at = 8 + length;
  for (const { data } of Object.values(arrays))
    for (let i = 0; i < data.length; i++, at += 8) view.setFloat64(at, data[i], true);
  return bytes;
}
