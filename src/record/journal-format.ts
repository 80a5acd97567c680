/**
 * The bytes of a journal: records one after the other, each
 *
 *     marker (4 bytes: C3 "CF" and a letter)   length of the payload (u32)   CRC-32 of letter and payload (u32)   payload
 *
 * with the letters H for the head (JSON), S for a start that goes on with the run (JSON: by what), L for a layout (JSON: the paths, shapes and kinds of a row's quantities) and R
 * for a row (number of its layout, index, step, then every entry, all float64). Numbers are little-endian. A row takes
 * 8 bytes a number; its names stand in the layout, which is written when it differs from all before.
 */
import { valueError } from "../base/index.ts";
import { crc32 } from "../data/index.ts";
import {
  isIntegerQuantity,
  type Quantity,
  quantityData,
  quantityShape,
  type StepRow,
} from "../simulation/index.ts";

/** The kinds of records. */
export type Letter = "H" | "S" | "L" | "R";

/** Bytes before the payload. */
export const RECORD_HEAD = 12;

/** What every record begins with; its fourth byte is the letter. */
export const MARKER = Uint8Array.of(0xc3, 0x43, 0x46);

/** A record that was read: its letter, its payload (a view) and the bytes that it takes in all. */
export interface RawRecord {
  readonly letter: string;
  readonly payload: Uint8Array;
  readonly size: number;
}

/** A record's bytes. */
export function encodeRecord(letter: Letter, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(RECORD_HEAD + payload.length);
  const view = new DataView(bytes.buffer);
  bytes.set(MARKER);
  bytes[3] = letter.charCodeAt(0);
  view.setUint32(4, payload.length, true);
  bytes.set(payload, RECORD_HEAD);
  view.setUint32(8, checksum(bytes[3], bytes.subarray(RECORD_HEAD)), true);
  return bytes;
}

const checksum = (letter: number, payload: Uint8Array): number => (crc32(payload) ^ letter) >>> 0;

/** The length of the record that begins at `at`, as its head says; undefined where no whole head stands. */
export function recordSize(bytes: Uint8Array, at: number): number | undefined {
  if (at + RECORD_HEAD > bytes.length) return undefined;
  for (let i = 0; i < MARKER.length; i++) if (bytes[at + i] !== MARKER[i]) return undefined;
  return RECORD_HEAD + new DataView(bytes.buffer, bytes.byteOffset).getUint32(at + 4, true);
}

/** The record that begins at `at`; undefined where there is none, a part of one, or one that is damaged. */
export function decodeRecord(bytes: Uint8Array, at: number): RawRecord | undefined {
  const size = recordSize(bytes, at);
  if (size === undefined || at + size > bytes.length) return undefined;
  const payload = bytes.subarray(at + RECORD_HEAD, at + size);
  const stored = new DataView(bytes.buffer, bytes.byteOffset).getUint32(at + 8, true);
  if (stored !== checksum(bytes[at + 3], payload)) return undefined;
  return { letter: String.fromCharCode(bytes[at + 3]), payload, size };
}

/** The quantities of a row: path, shape (null for a number), whether they are integers. */
export type Layout = readonly (readonly [path: string, shape: readonly number[] | null, integer: boolean])[];

/** The layout of a row. */
export const layoutOf = ({ quantities }: StepRow): Layout =>
  Object.entries(quantities).map(([path, quantity]) => [
    path,
    typeof quantity === "number" ? null : quantityShape(quantity),
    isIntegerQuantity(quantity),
  ]);

/** Whether a row has a layout, quantity by quantity in this order. */
export function hasLayout({ quantities }: StepRow, layout: Layout): boolean {
  let at = 0;
  for (const path in quantities) {
    const [known, shape, integer] = layout[at++] ?? [];
    const quantity = quantities[path];
    if (known !== path || integer !== isIntegerQuantity(quantity)) return false;
    if (typeof quantity === "number" ? shape !== null : !sameShape(quantity.shape, shape)) return false;
  }
  return at === layout.length;
}

const sameShape = (a: readonly number[], b: readonly number[] | null | undefined): boolean =>
  b !== null && b !== undefined && a.length === b.length && a.every((length, axis) => length === b[axis]);

const sizeIn = (shape: readonly number[] | null): number =>
  (shape ?? []).reduce((size, length) => size * length, 1);

/** A row's payload. @param number of its layout */
export function encodeRow({ index, step, quantities }: StepRow, layout: Layout, number: number): Uint8Array {
  const size = layout.reduce((total, [, shape]) => total + sizeIn(shape), 3);
  const bytes = new Uint8Array(8 * size);
  const view = new DataView(bytes.buffer);
  let at = 0;
  const put = (x: number): void => {
    view.setFloat64(at, x, true);
    at += 8;
  };
  put(number);
  put(index);
  put(step);
  for (const [path] of layout) {
    const data = quantityData(quantities[path]);
    for (let i = 0; i < data.length; i++) put(data[i]);
  }
  return bytes;
}

/** The row of a payload. @throws InputValueError where it does not fit its layout */
export function decodeRow(payload: Uint8Array, layouts: readonly Layout[]): StepRow {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  const layout = layouts[payload.length >= 24 ? view.getFloat64(0, true) : -1];
  const size = layout?.reduce((total, [, shape]) => total + sizeIn(shape), 3);
  if (layout === undefined || payload.length !== 8 * (size ?? 0))
    throw valueError("journal", "a row that fits its layout", `${payload.length} bytes`);
  const numbers = new Float64Array(payload.length / 8);
  for (let i = 0; i < numbers.length; i++) numbers[i] = view.getFloat64(8 * i, true);
  let at = 3;
  const quantities = layout.map(([path, shape, integer]): [string, Quantity] => {
    if (shape === null) return [path, numbers[at++]];
    const data = numbers.slice(at, at + sizeIn(shape));
    at += data.length;
    return [path, { shape, data, ...(integer && { integer }) }];
  });
  // Object.fromEntries defines own properties: a quantity may have any name, `__proto__` included.
  return {
    index: numbers[1],
    step: numbers[2],
    quantities: Object.fromEntries(quantities),
  };
}
