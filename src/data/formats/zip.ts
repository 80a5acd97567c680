import { type Zippable, zipSync } from "fflate";
import { type InputValueError, valueError } from "../../base/index.ts";
import { crc32 } from "./crc32.ts";
import { hex, inflateChecked } from "./inflate.ts";

/** Signatures and fixed lengths of the three records a reader needs (PKWARE APPNOTE 6.3.10, section 4.3). */
const LOCAL = { signature: 0x04034b50, length: 30 };
const CENTRAL = { signature: 0x02014b50, length: 46 };
const END = { signature: 0x06054b50, length: 22 };
const STORED = 0;
const DEFLATED = 8;

/** One record of the central directory. */
interface Entry {
  readonly name: string;
  readonly method: number;
  readonly crc: number;
  readonly packedLength: number;
  readonly length: number;
  readonly offset: number;
}

/**
 * The files in a zip archive, by name, in the order of its central directory. Every checksum is verified.
 *
 * Stored files are views of `bytes`; deflated ones are expanded. Not read: encryption, archives in parts,
 * ZIP64 (archives beyond 4 GB), methods other than stored and deflated.
 *
 * @param what names the archive in an error
 * @throws InputValueError when the archive is truncated, corrupt, inconsistent or of a kind not read
 */
export function readZip(what: string, bytes: Uint8Array): Map<string, Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const files = new Map<string, Uint8Array>();
  let packed = 0;
  for (const entry of readDirectory(what, bytes, view)) {
    packed += entry.packedLength;
    if (files.has(entry.name) || packed > bytes.length)
      throw corrupt(what, "distinct files that do not overlap", `"${entry.name}" again`);
    files.set(entry.name, readEntry(what, bytes, view, entry));
  }
  return files;
}

function readDirectory(what: string, bytes: Uint8Array, view: DataView): Entry[] {
  const end = findEnd(what, view);
  const count = view.getUint16(end + 10, true);
  const size = view.getUint32(end + 12, true);
  let at = view.getUint32(end + 16, true);
  if (view.getUint32(end + 4, true) !== 0 || view.getUint16(end + 8, true) !== count)
    throw corrupt(what, "an archive in one part", "one of several parts");
  if (at + size !== end)
    throw corrupt(what, "a central directory up to the end record", `one of ${size} bytes at ${at}`);
  const entries: Entry[] = [];
  for (let i = 0; i < count; i++) {
    const name = readName(what, bytes, view, at, CENTRAL);
    if (view.getUint16(at + 8, true) & 1)
      throw valueError(what, "a zip archive that is not encrypted", `"${name}"`);
    entries.push({
      name,
      method: view.getUint16(at + 10, true),
      crc: view.getUint32(at + 16, true),
      packedLength: view.getUint32(at + 20, true),
      length: view.getUint32(at + 24, true),
      offset: view.getUint32(at + 42, true),
    });
    at += recordLength(view, at, CENTRAL);
  }
  if (at !== end) throw corrupt(what, `${count} records that fill the central directory`, `an end at ${at}`);
  return entries;
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

/** The bytes of one file; the local header must repeat what the directory says of name and method. */
function readEntry(what: string, bytes: Uint8Array, view: DataView, entry: Entry): Uint8Array {
  const { name, offset } = entry;
  if (
    readName(what, bytes, view, offset, LOCAL) !== name ||
    view.getUint16(offset + 8, true) !== entry.method
  )
    throw corrupt(what, `"${name}" at ${offset}`, "another local header");
  const from = offset + recordLength(view, offset, LOCAL);
  const to = from + entry.packedLength;
  if (to > bytes.length) throw corrupt(what, `"${name}" up to byte ${to}`, `${bytes.length} bytes`);
  const packed = bytes.subarray(from, to);
  if (entry.method === DEFLATED) return inflateChecked(`${what}: "${name}"`, packed, entry.length, entry.crc);
  if (entry.method !== STORED)
    throw valueError(what, `"${name}" stored or deflated`, `compression method ${entry.method}`);
  if (entry.length !== entry.packedLength)
    throw corrupt(what, `"${name}" of ${entry.length} bytes`, `${entry.packedLength} bytes`);
  const crc = crc32(packed);
  if (crc !== entry.crc) throw corrupt(what, `"${name}" with CRC-32 ${hex(entry.crc)}`, hex(crc));
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

/**
 * The file name in a local or central record, after checking that the record lies inside the archive.
 * Always read as UTF-8: writers of .npz mark other encodings nowhere, and ASCII names are the same.
 */
function readName(
  what: string,
  bytes: Uint8Array,
  view: DataView,
  at: number,
  kind: typeof LOCAL | typeof CENTRAL,
): string {
  const fits = at + kind.length <= bytes.length && view.getUint32(at, true) === kind.signature;
  if (!fits || at + recordLength(view, at, kind) > bytes.length)
    throw corrupt(what, "a header of a file in the archive", `none at byte ${at}`);
  const length = view.getUint16(at + (kind === LOCAL ? 26 : 28), true);
  const name = bytes.subarray(at + kind.length, at + kind.length + length);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(name);
  } catch {
    throw corrupt(what, "file names in UTF-8", `a name at byte ${at} that is not`);
  }
}

function corrupt(what: string, expected: string, got: string): InputValueError {
  return valueError(what, expected, got, "the archive is truncated or corrupt: fetch or write it again");
}

/**
 * A zip archive of the given files, in order. The same files give the same bytes: times are all 1980-01-01.
 *
 * @param compressed deflate the files, else store them as they are
 * @throws InputValueError when the files take more than 4 GB or a name more than 65535 bytes
 */
export function writeZip(files: ReadonlyMap<string, Uint8Array>, compressed: boolean): Uint8Array {
  let total = 0;
  const entries: Zippable = {};
  for (const [name, bytes] of files) {
    total += bytes.length + LOCAL.length + CENTRAL.length + 2 * name.length;
    if (new TextEncoder().encode(name).length > 0xffff)
      throw valueError("writeZip", "names of at most 65535 bytes", `${name.length} characters`);
    entries[name] = bytes;
  }
  if (total > 0xffffffff) throw valueError("writeZip", "at most 4 GB of files", `${total} bytes`);
  return zipSync(entries, { level: compressed ? 6 : 0, mtime: new Date(1980, 0, 1) });
}
