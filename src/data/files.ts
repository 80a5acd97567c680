import { kindError, readFault, valueError } from "../base/index.ts";

/**
 * Reads a whole file with Node's file system; undefined when there is none, or a folder. Relative paths start at the working
 * directory. Node is looked up when called, so this module loads in a browser as well.
 *
 * @throws InputValueError when there is something at that path that cannot be read; InputKindError where there is
 * no Node (version 20.16 or later)
 */
export function readFileFromDisk(path: string): Uint8Array | undefined {
  const fs = globalThis.process?.getBuiltinModule?.("node:fs");
  if (fs === undefined)
    throw kindError("readFile", "Node.js 20.16 or later", "none", "pass loadDataset a readFile function");
  try {
    const { buffer, byteOffset, byteLength } = fs.readFileSync(path);
    return new Uint8Array(buffer, byteOffset, byteLength);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    // A folder of that name is no file: unpacking puts files into folders that are called like them.
    if (code === "ENOENT" || code === "ENOTDIR" || code === "EISDIR") return undefined;
    throw valueError(path, "a file that can be read", readFault(error));
  }
}
