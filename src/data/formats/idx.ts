import { sizeOf, valueError } from "../../base/index.ts";
import { gunzip, isGzip } from "./inflate.ts";

/** An array of bytes in the IDX format. */
export interface IdxArray {
  readonly shape: readonly number[];
  /** Elements in C order; a view of the file unless it was compressed. */
  readonly data: Uint8Array;
}

/** Type code of unsigned bytes, the only type MNIST's files use. */
const UNSIGNED_BYTE = 0x08;

/**
 * Reads an IDX file of unsigned bytes, compressed with gzip or not: two zero bytes, a type code, the number of
 * dimensions, each dimension as a big-endian 32-bit integer, then the elements (format: Y. LeCun, C. Cortes,
 * C. Burges, "The MNIST database").
 *
 * @param what names the file in errors
 * @param dimensions number of dimensions it must have
 * @throws InputValueError when the file is of another kind, truncated or corrupt
 */
export function readIdx(what: string, file: Uint8Array, dimensions: number): IdxArray {
  const bytes = isGzip(file) ? gunzip(what, file) : file;
  const start = 4 + 4 * dimensions;
  const magic = [0, 0, UNSIGNED_BYTE, dimensions];
  if (bytes.length < start || magic.some((byte, i) => bytes[i] !== byte))
    throw valueError(
      what,
      `an IDX file of bytes in ${dimensions} dimensions`,
      `one that starts ${bytes.slice(0, 4)}`,
    );
  const view = new DataView(bytes.buffer, bytes.byteOffset, start);
  const shape = Array.from({ length: dimensions }, (_, i) => view.getUint32(4 + 4 * i));
  const data = bytes.subarray(start);
  if (sizeOf(shape) !== data.length)
    throw valueError(what, `[${shape}] bytes`, `${data.length} bytes`, "the file is truncated or corrupt");
  return { shape, data };
}
