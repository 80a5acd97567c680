import { gunzipSync, inflateSync } from "fflate";
import { valueError } from "../../base/index.ts";
import { crc32 } from "./crc32.ts";

/** Deflate cannot expand more than this: 258 bytes from two bits (RFC 1951, section 3.2.5). */
const MOST_EXPANSION = 1032;

/**
 * Expands raw deflate data whose length and checksum are known.
 *
 * @param what names the data in an error
 * @throws InputValueError when the data are corrupt. Memory is allocated only for a plausible length.
 */
export function inflateChecked(what: string, packed: Uint8Array, length: number, crc: number): Uint8Array {
  if (length > MOST_EXPANSION * packed.length)
    throw valueError(what, `data that expand to ${length} bytes`, `${packed.length} bytes`, CORRUPT);
  const expanded = decode(what, () => inflateSync(packed, { out: new Uint8Array(length) }));
  return verify(what, expanded, length, crc);
}

/** Whether bytes start like a gzip file. */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes.length > 2 && bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/**
 * Expands a gzip file of one member (RFC 1952) and checks its length and checksum.
 *
 * @param what names the file in an error
 * @throws InputValueError when the file is truncated, corrupt or has more than one member
 */
export function gunzip(what: string, bytes: Uint8Array): Uint8Array {
  if (!isGzip(bytes) || bytes.length < 18)
    throw valueError(what, "a gzip file", `${bytes.length} bytes that are none`, CORRUPT);
  const trailer = new DataView(bytes.buffer, bytes.byteOffset + bytes.length - 8, 8);
  const crc = trailer.getUint32(0, true);
  const length = trailer.getUint32(4, true);
  if (length > MOST_EXPANSION * bytes.length)
    throw valueError(what, `data that expand to ${length} bytes`, `${bytes.length} bytes`, CORRUPT);
  const expanded = decode(what, () => gunzipSync(bytes, { out: new Uint8Array(length) }));
  return verify(what, expanded, length, crc);
}

const CORRUPT = "the file is truncated or corrupt: fetch or write it again";

/** Runs fflate, which throws errors of several classes on corrupt input; all of them mean the same here. */
function decode(what: string, run: () => Uint8Array): Uint8Array {
  try {
    return run();
  } catch (error) {
    throw valueError(what, "sound deflate data", error instanceof Error ? error.message : "none", CORRUPT);
  }
}

function verify(what: string, expanded: Uint8Array, length: number, crc: number): Uint8Array {
  if (expanded.length !== length)
    throw valueError(what, `data that expand to ${length} bytes`, `${expanded.length} bytes`, CORRUPT);
  const found = crc32(expanded);
  if (found !== crc) throw valueError(what, `data with CRC-32 ${hex(crc)}`, hex(found), CORRUPT);
  return expanded;
}

/** A checksum as eight hexadecimal digits. */
export function hex(checksum: number): string {
  return checksum.toString(16).padStart(8, "0");
}
