import { type Zippable, zipSync } from "fflate";
import { valueError } from "../../base/index.ts";

/** Bytes of a file's local and central records besides its name. */
const RECORDS = 30 + 46;

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
    total += bytes.length + RECORDS + 2 * name.length;
    if (new TextEncoder().encode(name).length > 0xffff)
      throw valueError("writeZip", "names of at most 65535 bytes", `${name.length} characters`);
    entries[name] = bytes;
  }
  if (total > 0xffffffff) throw valueError("writeZip", "at most 4 GB of files", `${total} bytes`);
  return zipSync(entries, { level: compressed ? 6 : 0, mtime: new Date(1980, 0, 1) });
}
