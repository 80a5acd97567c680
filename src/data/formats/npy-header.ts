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

/** numpy reads no longer one either, unless it is told to trust the file. */
const MOST_CHARACTERS = 10000;
/** Enough bytes of a file for any header that is read. */
export const HEADER_BYTES = 12 + MOST_CHARACTERS;

/**
 * Reads the header of a .npy file.
 *
 * @param what names the array in an error
 * @param bytes the file, or its first `HEADER_BYTES`
 * @throws InputValueError when the bytes are no .npy file or the header is malformed
 */
export function readHeader(what: string, bytes: Uint8Array): NpyHeader {
  if (!startsLikeNpy(bytes))
    throw valueError(what, "a .npy file", `${bytes.length} bytes that do not start like one`);
  const [major, minor] = [bytes[6], bytes[7]];
  if (major < 1 || major > 3 || minor !== 0)
    throw valueError(what, ".npy version 1.0, 2.0 or 3.0", `${major}.${minor}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const lengthBytes = major === 1 ? 2 : 4;
  if (bytes.length < 8 + lengthBytes) throw malformed(what, "no length");
  const length = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length > MOST_CHARACTERS)
    throw valueError(what, `a header of at most ${MOST_CHARACTERS} bytes, as numpy does`, `one of ${length}`);
  const start = 8 + lengthBytes + length;
  if (start > bytes.length) throw malformed(what, `one of ${length} bytes in a file of ${bytes.length}`);
  const encoding = major === 3 ? "utf-8" : "latin1";
  const text = new TextDecoder(encoding).decode(bytes.subarray(8 + lengthBytes, start));
  return { ...parseFields(what, text), start };
}

/** Whether bytes start as those of a .npy file do. */
export const startsLikeNpy = (bytes: Uint8Array): boolean =>
  bytes.length >= 10 && MAGIC.every((byte, i) => bytes[i] === byte);

/**
 * One word of the dictionary, a text of Python: a string, True or False, a whole number, a bracket, comma or colon.
 * No two of them begin alike, so that a header takes time in proportion to its length.
 */
const WORD = /\s*(?:'([^']*)'|"([^"]*)"|(True|False)\b|(\d+)L?\b|([{}()[\],:]))/y;

type Word =
  | { readonly kind: "string" | "flag" | "number" | "mark"; readonly text: string }
  | { readonly kind: "end"; readonly text: "" };

function wordsOf(what: string, text: string): Word[] {
  const words: Word[] = [];
  const written = text.trimEnd();
  WORD.lastIndex = 0;
  while (WORD.lastIndex < written.length) {
    const found = WORD.exec(written);
    if (found === null) throw malformed(what, quote(text));
    const [, single, double, flag, number, mark] = found;
    const string = single ?? double;
    if (string !== undefined) words.push({ kind: "string", text: string });
    else if (flag !== undefined) words.push({ kind: "flag", text: flag });
    else if (number !== undefined) words.push({ kind: "number", text: number });
    else words.push({ kind: "mark", text: mark });
  }
  words.push({ kind: "end", text: "" });
  return words;
}

function parseFields(what: string, text: string): Omit<NpyHeader, "start"> {
  const words = wordsOf(what, text);
  let at = 0;
  const next = (kind: Word["kind"], mark?: string): string => {
    const word = words[at++];
    if (word.kind !== kind || (mark !== undefined && word.text !== mark)) throw malformed(what, quote(text));
    return word.text;
  };
  const peek = (mark: string): boolean => words[at].kind === "mark" && words[at].text === mark;
  const fields = new Map<string, string | boolean | number[]>();
  next("mark", "{");
  while (!peek("}")) {
    const name = next("string");
    next("mark", ":");
    if (fields.has(name)) throw malformed(what, quote(text));
    if (peek("[")) throw unsupported(what, "a structured type");
    if (peek("(")) fields.set(name, tuple());
    else fields.set(name, words[at].kind === "flag" ? next("flag") === "True" : next("string"));
    if (!peek("}")) next("mark", ",");
  }
  next("mark", "}");
  next("end");
  const [dtype, fortranOrder, shape] = ["descr", "fortran_order", "shape"].map((name) => fields.get(name));
  if (
    fields.size !== 3 ||
    typeof dtype !== "string" ||
    typeof fortranOrder !== "boolean" ||
    !Array.isArray(shape)
  )
    throw malformed(what, quote(text));
  return { dtype, fortranOrder, shape: checkedShape(what, shape) };

  function tuple(): number[] {
    const numbers: number[] = [];
    next("mark", "(");
    while (!peek(")")) {
      numbers.push(Number(next("number")));
      if (!peek(")")) next("mark", ",");
    }
    next("mark", ")");
    return numbers;
  }
}

function checkedShape(what: string, shape: number[]): number[] {
  if (shape.length > MOST_DIMENSIONS || !shape.every(Number.isSafeInteger))
    throw valueError(
      what,
      `at most ${MOST_DIMENSIONS} dimensions that are exact integers`,
      quote(`(${shape.join(", ")})`),
    );
  return shape;
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
