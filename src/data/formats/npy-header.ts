import { type InputValueError, sizeOf, valueError } from "../../base/index.ts";

/** What the header of a .npy file says (NEP 1; versions 1.0, 2.0 and 3.0). */
export interface NpyHeader {
  /** numpy's description of the element type: byte order `<`, `>` or `|`, kind, bytes per element. */
  readonly dtype: string;
  readonly fortranOrder: boolean;
  readonly shape: readonly number[];
  /** Offset of the first element in bytes. */
  readonly start: number;
}

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
/** numpy's own bound on the rank of an array. */
const MOST_DIMENSIONS = 64;

/**
 * Reads the header of a .npy file.
 *
 * @param what names the array in an error
 * @throws InputValueError when the bytes are no .npy file or the header is malformed
 */
export function readHeader(what: string, bytes: Uint8Array): NpyHeader {
  if (bytes.length < 10 || MAGIC.some((byte, i) => bytes[i] !== byte))
    throw valueError(what, "a .npy file", `${bytes.length} bytes that do not start like one`);
  const [major, minor] = [bytes[6], bytes[7]];
  if (major < 1 || major > 3 || minor !== 0)
    throw valueError(what, ".npy version 1.0, 2.0 or 3.0", `${major}.${minor}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const lengthBytes = major === 1 ? 2 : 4;
  if (bytes.length < 8 + lengthBytes) throw malformed(what, "no length");
  const length = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  const start = 8 + lengthBytes + length;
  if (start > bytes.length) throw malformed(what, `one of ${length} bytes in a file of ${bytes.length}`);
  const encoding = major === 3 ? "utf-8" : "latin1";
  return {
    ...parseFields(what, new TextDecoder(encoding).decode(bytes.subarray(8 + lengthBytes, start))),
    start,
  };
}

/** One field of the dictionary: name, then a string, a flag, a tuple of integers, or the start of a list. */
const FIELD = /\s*(['"])(\w+)\1\s*:\s*(?:(['"])([^'"]*)\3|(True|False)|\(([\d\sL,]*)\)|(\[))\s*(,?)\s*/y;

function parseFields(what: string, text: string): Omit<NpyHeader, "start"> {
  const body = /^\s*\{(.*)\}\s*$/s.exec(text)?.[1];
  if (body === undefined) throw malformed(what, quote(text));
  const fields = new Map<string, RegExpExecArray>();
  FIELD.lastIndex = 0;
  for (let at = 0; at < body.length; at = FIELD.lastIndex) {
    const field = FIELD.exec(body);
    if (field?.[7]) throw unsupported(what, "a structured type");
    if (field === null || fields.has(field[2]) || (field[8] === "" && FIELD.lastIndex < body.length))
      throw malformed(what, quote(text));
    fields.set(field[2], field);
  }
  const dtype = fields.get("descr")?.[4];
  const order = fields.get("fortran_order")?.[5];
  const tuple = fields.get("shape")?.[6];
  if (fields.size !== 3 || dtype === undefined || order === undefined || tuple === undefined)
    throw malformed(what, quote(text));
  return { dtype, fortranOrder: order === "True", shape: parseShape(what, tuple) };
}

function parseShape(what: string, tuple: string): number[] {
  if (tuple.trim() === "") return [];
  const dimensions = /^\s*\d+L?\s*(,\s*\d+L?\s*)*,?\s*$/.test(tuple)
    ? tuple
        .replace(/,\s*$/, "")
        .split(",")
        .map((dimension) => Number.parseInt(dimension, 10))
    : undefined;
  if (dimensions === undefined) throw malformed(what, `the shape (${tuple})`);
  if (dimensions.length > MOST_DIMENSIONS || !dimensions.every(Number.isSafeInteger))
    throw valueError(what, `at most ${MOST_DIMENSIONS} dimensions that are exact integers`, `(${tuple})`);
  return dimensions;
}

/**
 * The header of a .npy file of version 1.0, or 2.0 when the shape is too long for it, padded as numpy pads
 * so that the elements start at a multiple of 64 bytes.
 */
export function writeHeader(dtype: string, shape: readonly number[]): Uint8Array {
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
  const text = `{'descr': '${dtype}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const short = 10 + text.length + 64 < 0x10000;
  const start = Math.ceil(((short ? 10 : 12) + text.length + 1) / 64) * 64;
  const bytes = new Uint8Array(start).fill(0x20);
  const prefix = short ? 10 : 12;
  bytes.set([...MAGIC, short ? 1 : 2, 0]);
  const view = new DataView(bytes.buffer);
  if (short) view.setUint16(8, start - prefix, true);
  else view.setUint32(8, start - prefix, true);
  bytes.set(new TextEncoder().encode(text), prefix);
  bytes[start - 1] = 0x0a;
  return bytes;
}

/** Whether a shape describes `count` elements, without overflow for absurd shapes. */
export function shapeHolds(shape: readonly number[], count: number): boolean {
  return (
    shape.every((dimension) => Number.isSafeInteger(dimension) && dimension >= 0) && sizeOf(shape) === count
  );
}

/** The error for element types that have no meaning as numbers here. */
export function unsupported(what: string, dtype: string): InputValueError {
  const types = "booleans, integers of 1 to 8 bytes or floats of 2, 4 or 8 bytes";
  return valueError(what, types, dtype, "convert with array.astype('<f8') before saving");
}

function malformed(what: string, got: string): InputValueError {
  return valueError(what, "a .npy header with descr, fortran_order and shape", got);
}

function quote(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
