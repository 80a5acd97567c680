import { valueError } from "../../base/index.ts";
import { type NpyArray, type NpyFile, openNpySource, type WritableArray, writeNpy } from "./npy.ts";
import { startsLikeNpy } from "./npy-header.ts";
import { openZip, type ZipMember } from "./zip.ts";
import { writeZip } from "./zip-write.ts";

/** The arrays of an .npz archive by name, each opened when it is asked for; nothing else in the archive is looked at. */
export class NpzFile implements Iterable<[string, NpyFile]> {
  private readonly what: string;
  private readonly members = new Map<string, ZipMember>();

  /** @param what names the file in errors; @param bytes the whole file, which must not change while it is in use */
  constructor(bytes: Uint8Array, what: string) {
    this.what = what;
    const files = openZip(what, bytes);
    for (const [file, member] of files) {
      if (file.endsWith(".npy")) this.members.set(file.slice(0, -4), member);
      // Other writers than numpy leave the ending out; what is no array is no concern of ours.
      else if (!files.has(`${file}.npy`) && holdsArray(member)) this.members.set(file, member);
    }
  }

  /** The names of the arrays, in the archive's order. */
  keys(): IterableIterator<string> {
    return this.members.keys();
  }

  /** Whether there is an array of that name, readable or not. */
  has(name: string): boolean {
    return this.members.has(name);
  }

  /**
   * Opens an array: its header is read and checked, its elements are expanded each time they are asked for.
   * @throws InputValueError when the header is corrupt or the element type is not supported
   */
  get(name: string): NpyFile | undefined {
    const member = this.members.get(name);
    return member && openNpySource(member, `${this.what}: "${name}"`);
  }

  /** Every array with its name. @throws InputValueError as {@link get} */
  *[Symbol.iterator](): Iterator<[string, NpyFile]> {
    for (const name of this.members.keys()) yield [name, this.get(name)!];
  }
}

/** @throws InputValueError when the archive is corrupt there */
const holdsArray = (member: ZipMember): boolean => member.isReadable() && startsLikeNpy(member.head(16));

/**
 * Opens an .npz archive, a zip of .npy files. Headers are read when an array is asked for and elements decoded on
 * demand, so a large array of which few rows are wanted costs little memory, and strings, objects, other files and
 * folders beside the wanted arrays cost nothing.
 *
 * @param bytes the whole file; must not change while the arrays are in use
 * @param what names the file in errors
 * @throws InputValueError when the archive's directory is corrupt
 */
export function openNpz(bytes: Uint8Array, what = "readNpz"): NpzFile {
  return new NpzFile(bytes, what);
}

/**
 * What `readNpz` gives where no names limit it, in bytes of float64: an archive can expand to a thousand times its
 * length.
 */
const MOST_BYTES = 2 ** 30;

/**
 * Reads arrays of an .npz archive: those named that are there, or all.
 *
 * @param names which ones; without, every array must be of numbers, and together they may take 1 GiB
 * @throws InputValueError as {@link openNpz} and {@link openNpy}, for integers beyond 2⁵³, and when all is too much
 */
export function readNpz(
  bytes: Uint8Array,
  what = "readNpz",
  names?: Iterable<string>,
): Map<string, NpyArray> {
  const archive = openNpz(bytes, what);
  const files = new Map<string, NpyFile>();
  for (const name of names ?? archive.keys()) {
    const file = archive.get(name);
    if (file) files.set(name, file);
  }
  const size = [...files.values()].reduce((total, { shape }) => total + shape.reduce((n, m) => n * m, 8), 0);
  if (names === undefined && size > MOST_BYTES)
    throw valueError(
      what,
      `arrays of at most ${MOST_BYTES} bytes`,
      `${size} bytes`,
      "name the arrays that are wanted",
    );
  const arrays = new Map<string, NpyArray>();
  for (const [name, file] of files)
    arrays.set(name, { dtype: file.dtype, shape: file.shape, data: file.elements() });
  return arrays;
}

/**
 * An .npz archive of the arrays, as numpy.savez writes it (`compressed`: as savez_compressed). The same arrays
 * give the same bytes.
 *
 * @throws InputValueError as {@link writeNpy}
 */
export function writeNpz(
  arrays: Readonly<Record<string, WritableArray>> | ReadonlyMap<string, WritableArray>,
  options: { readonly compressed?: boolean } = {},
): Uint8Array {
  const files = new Map<string, Uint8Array>();
  for (const [name, array] of arrays instanceof Map ? arrays : Object.entries(arrays))
    files.set(`${name}.npy`, writeNpy(array, `writeNpz: "${name}"`));
  return writeZip(files, options.compressed ?? false);
}
