import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { valueError } from "../base/index.ts";

/** Disk conditions that pass when the caller makes room; the data itself was fine. EFBIG: a limit on file size. */
const NO_ROOM = ["ENOSPC", "EDQUOT", "EFBIG"];

/** Conditions that come from the path the caller chose. */
const BAD_PATH: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EPERM: "permission denied",
  EROFS: "a read-only file system",
  ENOENT: "no such folder",
  ENOTDIR: "a file where a folder should be",
  EISDIR: "a folder where a file should be",
  EEXIST: "a file where a folder should be",
};

/**
 * Words a failed file operation for the person who must mend it; the system's error is its `cause`.
 *
 * @param operation what was being done, such as `journal.append`
 * @param path the file concerned
 * @param error what `node:fs` threw
 * @param safe what is known to be intact, such as `the 40 rows before it are on disk`
 * @returns an InputValueError when the path is at fault (a folder that cannot be written), a plain Error when
 *   the disk is (full, over quota, broken)
 */
export function fileError(operation: string, path: string, error: unknown, safe?: string): Error {
  const code = (error as NodeJS.ErrnoException)?.code ?? "";
  const kept = safe ? ` (${safe})` : "";
  let worded: Error;
  if (code in BAD_PATH) {
    const got = `${BAD_PATH[code]} at ${path}`;
    worded = valueError(operation, "a file that can be written", got, `choose another folder${kept}`);
  } else if (NO_ROOM.includes(code)) {
    worded = new Error(
      `${operation}: expected room on the disk, got ${code} for ${path}; free some space and resume${kept}`,
    );
  } else {
    const message = error instanceof Error ? error.message : String(error);
    worded = new Error(`${operation}: expected to write ${path}, got ${message}${kept}`);
  }
  worded.cause = error;
  return worded;
}

/**
 * Makes a folder and those above it, if they are missing. Folder by folder: Node's recursive mkdir never returns where
 * the system answers ENOENT for a folder whose parent exists, as below /proc.
 *
 * @throws what `fileError` makes of the failure
 */
export function makeFolder(path: string): void {
  if (existsSync(path)) return;
  const parent = dirname(path);
  if (parent !== path) makeFolder(parent);
  try {
    mkdirSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw fileError("makeFolder", path, error);
  }
}

/** Writes all of `bytes` at the end of the open file; a short write is continued, never taken for success. */
export function writeFully(fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done, bytes.length - done);
}

/**
 * Replaces a file as a whole: writes a temporary file in the same folder, syncs it and renames it over `path`.
 * A reader, or a crash at any moment, meets the old contents or the new, never a part. A temporary file left by a
 * crash is overwritten by the next write.
 *
 * @param path the file to create or replace; its folder must exist; one writer at a time
 * @param contents bytes, or text stored as UTF-8
 * @throws what `fileError` makes of the failure; the temporary file is then removed and the old contents stand
 */
export function writeFileAtomic(path: string, contents: Uint8Array | string): void {
  const bytes = typeof contents === "string" ? new TextEncoder().encode(contents) : contents;
  const temporary = join(dirname(path), `.${basename(path)}.tmp`);
  try {
    const fd = openSync(temporary, "w");
    try {
      writeFully(fd, bytes);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, path);
  } catch (error) {
    if (existsSync(temporary)) rmSync(temporary);
    throw fileError("writeFileAtomic", path, error, "what was there before is untouched");
  }
  syncFolder(dirname(path));
}

/**
 * Makes a rename survive a power cut, where the system can: Windows cannot open folders and some network file
 * systems cannot sync them. The contents themselves are synced either way, so a refusal here is not a failure.
 */
function syncFolder(folder: string): void {
  let fd: number | undefined;
  try {
    fd = openSync(folder, "r");
    fsyncSync(fd);
  } catch {
    return;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
