import { Gunzip, Inflate, inflateSync } from "fflate";
import { type InputValueError, valueError } from "../../base/index.ts";
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
  checkExpansion(what, packed, length);
  const expanded = decode(what, () => inflateSync(packed, { out: new Uint8Array(length) }));
  return verify(what, expanded, length, crc);
}

/** Refuses a length that deflate cannot reach. @throws InputValueError */
export function checkExpansion(what: string, packed: Uint8Array, length: number): void {
  if (length > MOST_EXPANSION * packed.length)
    throw valueError(what, `data that expand to ${length} bytes`, `${packed.length} bytes`, CORRUPT);
}

/** Whether bytes start like a gzip file. */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes.length > 2 && bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/** As many bytes of packed data are expanded at a time where not all may be wanted. */
const PIECE = 1 << 12;

/**
 * At least the first `count` bytes of what raw deflate data expand to, or all where there are fewer.
 *
 * @throws InputValueError when the data are corrupt before that
 */
export function inflateHead(what: string, packed: Uint8Array, count: number): Uint8Array {
  const pieces: Uint8Array[] = [];
  let length = 0;
  const stream = new Inflate((piece) => {
    pieces.push(piece);
    length += piece.length;
  });
  for (let at = 0; at < packed.length && length < count; at += PIECE)
    decode(what, () => stream.push(packed.subarray(at, at + PIECE), at + PIECE >= packed.length));
  return joined(pieces);
}

/** What a gzip file may expand to, in bytes; images of a whole data set take a tenth of it. */
const MOST_BYTES = 2 ** 30;

/**
 * Expands a gzip file (RFC 1952): one member or several, one after the other, and zeros after the last, as padding
 * leaves them. Every length and checksum is verified.
 *
 * @param what names the file in an error
 * @throws InputValueError when the file is truncated, corrupt, followed by anything else, or expands to more than 1 GiB
 */
export function gunzip(what: string, bytes: Uint8Array): Uint8Array {
  if (!isGzip(bytes) || bytes.length < 18)
    throw valueError(what, "a gzip file", `${bytes.length} bytes that are none`, CORRUPT);
  const starts: number[] = [];
  const members: Uint8Array[][] = [[]];
  let length = 0;
  const stream = new Gunzip((piece) => {
    length += piece.length;
    members[members.length - 1].push(piece);
  });
  stream.onmember = (at) => {
    starts.push(at);
    members.push([]);
  };
  let complaint: unknown;
  try {
    for (let at = 0; at < bytes.length; at += PIECE) {
      stream.push(bytes.subarray(at, at + PIECE), at + PIECE >= bytes.length);
      if (length > MOST_BYTES) break;
    }
  } catch (error) {
    // What follows the last member is none: whether that is padding or damage is for lengths and checksums to say.
    complaint = error;
  }
  if (length > MOST_BYTES) throw valueError(what, `at most ${MOST_BYTES} bytes when expanded`, "more");
  const expanded = members.map(joined);
  expanded.forEach((member, i) => {
    const ends = i < starts.length ? bytes.subarray(0, starts[i]) : withoutPadding(bytes, trailerOf(member));
    const trailer = ends.subarray(-TRAILER);
    if (ends.length < TRAILER || trailerOf(member).some((byte, at) => byte !== trailer[at]))
      throw notSound(what, complaint);
  });
  return joined(expanded);
}

/** Length of what follows a member's data: CRC-32 and length modulo 2³², in 32 bits each. */
const TRAILER = 8;

function trailerOf(expanded: Uint8Array): Uint8Array {
  const view = new DataView(new ArrayBuffer(TRAILER));
  view.setUint32(0, crc32(expanded), true);
  view.setUint32(4, expanded.length >>> 0, true);
  return new Uint8Array(view.buffer);
}

/** The bytes without zeros at the end, but with those that are the trailer's own. */
function withoutPadding(bytes: Uint8Array, trailer: Uint8Array): Uint8Array {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  let own = 0;
  while (own < TRAILER && trailer[TRAILER - 1 - own] === 0) own++;
  return bytes.subarray(0, Math.min(bytes.length, end + own));
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  if (pieces.length === 1) return pieces[0];
  const all = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

const CORRUPT = "the file is truncated or corrupt: fetch or write it again";

/** Runs fflate, which throws errors of several classes on corrupt input; all of them mean the same here. */
function decode<T>(what: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw notSound(what, error);
  }
}

const notSound = (what: string, error: unknown): InputValueError =>
  valueError(
    what,
    "sound deflate data",
    error instanceof Error ? error.message : "another checksum",
    CORRUPT,
  );

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
