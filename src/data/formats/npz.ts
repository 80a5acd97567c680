import { valueError } from "../../base/index.ts";
import { type NpyArray, type NpyFile, openNpy, type WritableArray, writeNpy } from "./npy.ts";
import { readZip, writeZip } from "./zip.ts";

/**
 * Opens an .npz archive (a zip of .npy files): every checksum and header is verified, elements are decoded on
 * demand, so a large array of which few rows are wanted costs little memory.
 *
 * @param bytes the whole file; must not change while the arrays are in use
 * @param what names the file in errors
 * @throws InputValueError when the archive or a header is corrupt, or an element type is not supported
 */
export function openNpz(bytes: Uint8Array, what = "readNpz"): Map<string, NpyFile> {
  const arrays = new Map<string, NpyFile>();
  for (const [file, content] of readZip(what, bytes)) {
    const name = file.endsWith(".npy") ? file.slice(0, -4) : file;
    if (arrays.has(name)) throw valueError(what, "distinct names of arrays", `"${name}" twice`);
    arrays.set(name, openNpy(content, `${what}: "${name}"`));
  }
  return arrays;
}

/** Reads all arrays of an .npz archive. @throws InputValueError as {@link openNpz}, and for integers beyond 2⁵³ */
export function readNpz(bytes: Uint8Array, what = "readNpz"): Map<string, NpyArray> {
  const arrays = new Map<string, NpyArray>();
  for (const [name, file] of openNpz(bytes, what))
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
