import { type InputValueError, valueError } from "../../base/index.ts";
import { crc32 } from "./crc32.ts";
import { checkExpansion, hex, inflateChecked, inflateHead } from "./inflate.ts";

/** Signatures and fixed lengths of the records a reader needs (PKWARE APPNOTE 6.3.10, sections 4.3 and 4.5.3). */
const LOCAL = { signature: 0x04034b50, length: 30 };
const CENTRAL = { signature: 0x02014b50, length: 46 };
const END = { signature: 0x06054b50, length: 22 };
const END64 = { signature: 0x06064b50, length: 56 };
const LOCATOR64 = { signature: 0x07064b50, length: 20 };
const STORED = 0;
const DEFLATED = 8;
/** In a field of 32 bits: the number stands in a ZIP64 record. */
const ELSEWHERE = 0xffffffff;
const ZIP64_EXTRA = 1;

/** A file in an archive; nothing of it is looked at before it is read. */
export interface ZipMember {
  /** Its length in bytes, as the directory says. */
  readonly length: number;
  /** Whether it is of a kind that is read: stored or deflated, without encryption. @throws InputValueError as `bytes` */
  isReadable(): boolean;
  /**
   * At least its first `count` bytes, or all of them; only as much is expanded, and no checksum is verified.
   * @throws InputValueError as `bytes`
   */
  head(count: number): Uint8Array;
  /**
   * The whole file: a view of the archive where it is stored, else expanded anew. Its checksum is verified.
   * @throws InputValueError when it is corrupt, encrypted or packed by a method other than deflate
   */
  bytes(): Uint8Array;
}

/** One record of the central directory. */
interface Entry {
  readonly name: string;
  readonly nameBytes: Uint8Array;
  readonly encrypted: boolean;
  readonly method: number;
  readonly crc: number;
  readonly packedLength: number;
  readonly length: number;
  readonly offset: number;
}

/**
 * The files in a zip archive, by name, in the order of its central directory; folders are left out. ZIP64 archives are
 * read; archives in several parts are not. What is wrong with one file does not keep the others from being read.
 *
 * @param what names the archive in an error
 * @param bytes the whole archive; must not change while its files are read
 * @throws InputValueError when the directory is truncated, corrupt or inconsistent
 */
export function openZip(what: string, bytes: Uint8Array): Map<string, ZipMember> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const files = new Map<string, ZipMember>();
  let packed = 0;
  for (const entry of readDirectory(what, bytes, view)) {
    packed += entry.packedLength;
    if (files.has(entry.name) || packed > bytes.length)
      throw corrupt(what, "distinct files that do not overlap", `"${entry.name}" again`);
    if (entry.name.endsWith("/") && entry.length === 0) continue;
    files.set(entry.name, {
      length: entry.length,
      isReadable: () => dataStart(what, bytes, view, entry) > 0 && unreadable(entry) === undefined,
      head: (count) => headOf(what, packedBytes(what, bytes, view, entry), entry, count),
      bytes: () => expand(what, packedBytes(what, bytes, view, entry), entry),
    });
  }
  return files;
}

function readDirectory(what: string, bytes: Uint8Array, view: DataView): Entry[] {
  const { at: start, count, end } = findDirectory(what, view);
  const entries: Entry[] = [];
  let at = start;
  for (let i = 0; i < count; i++) {
    const nameBytes = readName(what, bytes, view, at, CENTRAL);
    const name = decodeName(nameBytes);
    const wide = wideNumbers(view, at);
    const number = (field: number): number => {
      const short = view.getUint32(at + field, true);
      if (short !== ELSEWHERE) return short;
      const long = wide();
      if (long === undefined)
        throw corrupt(what, `lengths of "${name}" and where it is`, "numbers cut short");
      return long;
    };
    // In this order: ZIP64's extra field holds those that are elsewhere one after the other.
    const length = number(24);
    const packedLength = number(20);
    const offset = number(42);
    entries.push({
      name,
      nameBytes,
      encrypted: (view.getUint16(at + 8, true) & 1) !== 0,
      method: view.getUint16(at + 10, true),
      crc: view.getUint32(at + 16, true),
      packedLength,
      length,
      offset,
    });
    at += recordLength(view, at, CENTRAL);
    if (at > end) break;
  }
  if (at !== end || entries.length !== count)
    throw corrupt(what, `${count} records that fill the central directory`, `an end at ${at}`);
  return entries;
}

/** Gives the numbers of a central record's ZIP64 extra field one after the other; undefined when there is none left. */
function wideNumbers(view: DataView, record: number): () => number | undefined {
  let at = record + CENTRAL.length + view.getUint16(record + 28, true);
  const end = at + view.getUint16(record + 30, true);
  let left = 0;
  while (at + 4 <= end && left === 0) {
    const size = Math.min(view.getUint16(at + 2, true), end - at - 4);
    if (view.getUint16(at, true) === ZIP64_EXTRA) left = size;
    at += 4 + (left > 0 ? 0 : size);
  }
  return () => {
    if (left < 8) return undefined;
    left -= 8;
    at += 8;
    return wideAt(view, at - 8);
  };
}

/** A number of 64 bits; beyond 2⁵³ it is rounded, and larger than any archive here. */
const wideAt = (view: DataView, at: number): number =>
  view.getUint32(at, true) + 2 ** 32 * view.getUint32(at + 4, true);

/** Where the central directory begins and ends, and how many records it has. */
function findDirectory(what: string, view: DataView): { at: number; count: number; end: number } {
  const end = findEnd(what, view);
  const end64 = findEnd64(view, end);
  const pick = (short: number, most: number, field64: number): number =>
    short === most && end64 !== undefined ? wideAt(view, end64 + field64) : short;
  const count = pick(view.getUint16(end + 10, true), 0xffff, 32);
  const here = pick(view.getUint16(end + 8, true), 0xffff, 24);
  const size = pick(view.getUint32(end + 12, true), ELSEWHERE, 40);
  const at = pick(view.getUint32(end + 16, true), ELSEWHERE, 48);
  const parts = [view.getUint16(end + 4, true), view.getUint16(end + 6, true)];
  if (here !== count || parts.some((part) => part !== 0 && !(part === 0xffff && end64 !== undefined)))
    throw corrupt(what, "an archive in one part", "one of several parts");
  const directoryEnd = end64 ?? end;
  if (at + size !== directoryEnd)
    throw corrupt(what, "a central directory up to the end record", `one of ${size} bytes at ${at}`);
  return { at, count, end: directoryEnd };
}

/** Offset of the ZIP64 end record to which a locator just before the end record points, if there is one. */
function findEnd64(view: DataView, end: number): number | undefined {
  const locator = end - LOCATOR64.length;
  if (locator < END64.length || view.getUint32(locator, true) !== LOCATOR64.signature) return undefined;
  const at = wideAt(view, locator + 8);
  const fits = at + END64.length <= locator && view.getUint32(at, true) === END64.signature;
  return fits && at + 12 + wideAt(view, at + 4) === locator ? at : undefined;
}

/** Offset of the end record: the last signature whose comment reaches exactly to the end of the file. */
function findEnd(what: string, view: DataView): number {
  const first = Math.max(0, view.byteLength - END.length - 0xffff);
  for (let at = view.byteLength - END.length; at >= first; at--) {
    if (view.getUint32(at, true) === END.signature && at + recordLength(view, at, END) === view.byteLength)
      return at;
  }
  throw corrupt(what, "a zip archive", `${view.byteLength} bytes without an end record`);
}

/** Where the packed bytes of a file begin; the local header must repeat the directory's name, method and encryption. */
function dataStart(what: string, bytes: Uint8Array, view: DataView, entry: Entry): number {
  const { name, nameBytes, offset, method, encrypted } = entry;
  const local = readName(what, bytes, view, offset, LOCAL);
  const agrees =
    local.length === nameBytes.length &&
    local.every((byte, i) => byte === nameBytes[i]) &&
    view.getUint16(offset + 8, true) === method &&
    ((view.getUint16(offset + 6, true) & 1) !== 0) === encrypted;
  if (!agrees) throw corrupt(what, `"${name}" at ${offset}`, "another local header");
  return offset + recordLength(view, offset, LOCAL);
}

/** Why a file is of a kind that is not read. */
function unreadable({ encrypted, method }: Entry): string | undefined {
  if (encrypted) return "an encrypted file";
  return method === STORED || method === DEFLATED ? undefined : `compression method ${method}`;
}

/** The packed bytes of one file. */
function packedBytes(what: string, bytes: Uint8Array, view: DataView, entry: Entry): Uint8Array {
  const { name, method, length, packedLength } = entry;
  const from = dataStart(what, bytes, view, entry);
  const why = unreadable(entry);
  if (why !== undefined) throw valueError(what, `"${name}" stored or deflated, without encryption`, why);
  const to = from + packedLength;
  if (to > bytes.length) throw corrupt(what, `"${name}" up to byte ${to}`, `${bytes.length} bytes`);
  if (method === STORED && length !== packedLength)
    throw corrupt(what, `"${name}" of ${length} bytes`, `${packedLength} bytes`);
  const packed = bytes.subarray(from, to);
  if (method === DEFLATED) checkExpansion(`${what}: "${name}"`, packed, length);
  return packed;
}

function headOf(what: string, packed: Uint8Array, { name, method }: Entry, count: number): Uint8Array {
  return method === STORED ? packed.subarray(0, count) : inflateHead(`${what}: "${name}"`, packed, count);
}

function expand(what: string, packed: Uint8Array, { name, method, length, crc }: Entry): Uint8Array {
  if (method === DEFLATED) return inflateChecked(`${what}: "${name}"`, packed, length, crc);
  const found = crc32(packed);
  if (found !== crc) throw corrupt(what, `"${name}" with CRC-32 ${hex(crc)}`, hex(found));
  return packed;
}

type RecordKind = typeof LOCAL | typeof CENTRAL | typeof END;

/** Length of a record with its name, extra field and comment. */
function recordLength(view: DataView, at: number, kind: RecordKind): number {
  if (kind === END) return END.length + view.getUint16(at + 20, true);
  if (kind === LOCAL) return LOCAL.length + view.getUint16(at + 26, true) + view.getUint16(at + 28, true);
  const variable =
    view.getUint16(at + 28, true) + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  return CENTRAL.length + variable;
}

/** The file name in a local or central record, after checking that the record lies inside the archive. */
function readName(
  what: string,
  bytes: Uint8Array,
  view: DataView,
  at: number,
  kind: typeof LOCAL | typeof CENTRAL,
): Uint8Array {
  const fits = at + kind.length <= bytes.length && view.getUint32(at, true) === kind.signature;
  if (!fits || at + recordLength(view, at, kind) > bytes.length)
    throw corrupt(what, "a header of a file in the archive", `none at byte ${at}`);
  const length = view.getUint16(at + (kind === LOCAL ? 26 : 28), true);
  return bytes.subarray(at + kind.length, at + kind.length + length);
}

/** As UTF-8, which writers of .npz mark nowhere, or else a character a byte: such a file is none of ours. */
function decodeName(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return new TextDecoder("latin1").decode(bytes);
  }
}

function corrupt(what: string, expected: string, got: string): InputValueError {
  return valueError(what, expected, got, "the archive is truncated or corrupt: fetch or write it again");
}
