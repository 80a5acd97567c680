import { createHash, randomBytes } from "node:crypto";
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { PATH_FAULTS, valueError } from "../base/index.ts";

/** Disk conditions that pass when the caller makes room; the data itself was fine. EFBIG: a limit on file size. */
const NO_ROOM = ["ENOSPC", "EDQUOT", "EFBIG"];

/** What went wrong, as Node names it: `ENOENT` and the like; empty for other errors. */
export const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException)?.code ?? "";

/**
 * Words a failed file operation for the person who must mend it; the system's error is its `cause`.
 *
 * @param what the thing that was being written, such as `data.hdf5` or `a row`
 * @param path the file concerned
 * @param error what `node:fs` threw
 * @param safe what is known to be intact, such as `the 40 rows before it are on disk`
 * @returns an InputValueError when the path is at fault (a folder that cannot be written), a plain Error when
 *   the disk is (full, over quota, broken)
 */
export function fileError(what: string, path: string, error: unknown, safe?: string): Error {
  const code = codeOf(error);
  const kept = safe ? ` (${safe})` : "";
  let worded: Error;
  if (code in PATH_FAULTS) {
    const got = `${PATH_FAULTS[code]} at ${path}`;
    worded = valueError(what, "a place that can be written", got, `choose another folder${kept}`);
  } else if (NO_ROOM.includes(code)) {
    worded = new Error(
      `${what}: expected room on the disk, got ${code} for ${path}; free some space and resume${kept}`,
    );
  } else {
    const message = error instanceof Error ? error.message : String(error);
    worded = new Error(`${what}: expected to write ${path}, got ${message}${kept}`);
  }
  worded.cause = error;
  return worded;
}

/**
 * Makes a folder and those above it, if they are missing. Folder by folder: Node's recursive mkdir never returns where
 * the system answers ENOENT for a folder whose parent exists, as below /proc.
 *
 * @returns the folders that were made, the outermost first
 * @throws what `fileError` makes of the failure
 */
export function makeFolder(path: string): readonly string[] {
  if (existsSync(path)) return [];
  const parent = dirname(path);
  const made = parent === path ? [] : makeFolder(parent);
  try {
    mkdirSync(path);
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw fileError(`folder ${basename(path)}`, path, error);
    return made;
  }
  return [...made, path];
}

/** Writes all of `bytes` at the end of the open file; a short write is continued, never taken for success. */
export function writeFully(fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done, bytes.length - done);
}

const TEMPORARY = /^\.cf-[0-9a-f]{24}\.tmp$/;

/** A name beside `path` that no other writer has and nobody can guess: the end of it is random. */
export const temporaryBeside = (path: string): string =>
  join(dirname(path), `.cf-${randomBytes(12).toString("hex")}.tmp`);

/** Removes temporary files that killed writers left in a folder. Only its sole writer may call this. */
export function removeTemporaries(folder: string): void {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) if (TEMPORARY.test(name)) removeIfThere(join(folder, name));
}

/** Removes a file; no effect where there is none. */
export function removeIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw error;
  }
}

/** Writes a new file that is not there before, not even as a link, and waits until it is on the disk. */
function writeNew(path: string, bytes: Uint8Array): void {
  const fd = openSync(path, "wx");
  try {
    writeFully(fd, bytes);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

const bytesOf = (contents: Uint8Array | string): Uint8Array =>
  typeof contents === "string" ? new TextEncoder().encode(contents) : contents;

/**
 * Replaces a file as a whole: writes a temporary file of a random name in the same folder, syncs it and renames it over
 * `path`. A reader, or a crash at any moment, meets the old contents or the new, never a part.
 *
 * @param path the file to create or replace; its folder must exist
 * @param contents bytes, or text stored as UTF-8
 * @throws what `fileError` makes of the failure; the temporary file is then removed and the old contents stand
 */
export function writeFileAtomic(path: string, contents: Uint8Array | string): void {
  const temporary = temporaryBeside(path);
  try {
    writeNew(temporary, bytesOf(contents));
    renameSync(temporary, path);
  } catch (error) {
    if (existsSync(temporary)) unlinkSync(temporary);
    throw fileError(basename(path), path, error, "what was there before is untouched");
  }
  syncFolder(dirname(path));
}

/**
 * Creates a file as a whole, if there is none of that name: of several who try at once one succeeds.
 *
 * @returns whether it was created
 * @throws what `fileError` makes of any other failure
 */
export function createFileAtomic(path: string, contents: Uint8Array | string): boolean {
  const temporary = temporaryBeside(path);
  try {
    writeNew(temporary, bytesOf(contents));
    linkOrCopy(temporary, path, bytesOf(contents));
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw fileError(basename(path), path, error);
  } finally {
    if (existsSync(temporary)) unlinkSync(temporary);
  }
  syncFolder(dirname(path));
  return true;
}

/** A hard link appears whole; where the file system has none, the file is opened exclusively and then filled. */
function linkOrCopy(temporary: string, path: string, bytes: Uint8Array): void {
  try {
    linkSync(temporary, path);
  } catch (error) {
    if (codeOf(error) === "EEXIST" || codeOf(error) === "ENAMETOOLONG") throw error;
    writeNew(path, bytes);
  }
}

/**
 * Makes a rename survive a power cut, where the system can: Windows cannot open folders and some network file
 * systems cannot sync them. The contents themselves are synced either way, so a refusal here is not a failure.
 */
export function syncFolder(folder: string): void {
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

/** Gives a temporary file its name, in place of what has that name. @throws what `fileError` makes of the failure */
export function moveInto(temporary: string, path: string): void {
  try {
    renameSync(temporary, path);
  } catch (error) {
    throw fileError(basename(path), path, error, "what was there before is untouched");
  }
  syncFolder(dirname(path));
}

/** Bytes of a file that are read at once. */
const PIECE = 1 << 20;

/** Reads a file from its beginning to its end, piece by piece; a piece is overwritten by the next. */
function* piecesOf(path: string): Generator<Uint8Array> {
  const fd = openSync(path, "r");
  try {
    const piece = new Uint8Array(PIECE);
    for (;;) {
      const read = readSync(fd, piece);
      if (read === 0) return;
      yield piece.subarray(0, read);
    }
  } finally {
    closeSync(fd);
  }
}

/** The SHA-256 of a file's bytes, 64 hexadecimal digits; a tenth of a second per 100 MB. */
export function hashOfFile(path: string): string {
  const hash = createHash("sha256");
  for (const piece of piecesOf(path)) hash.update(piece);
  return hash.digest("hex");
}

/** Copies a file to a new one. Returns the SHA-256 of the bytes that were copied. */
export function copyFileHashed(from: string, to: string): string {
  const hash = createHash("sha256");
  const fd = openSync(to, "wx");
  try {
    for (const piece of piecesOf(from)) {
      hash.update(piece);
      writeFully(fd, piece);
    }
  } finally {
    closeSync(fd);
  }
  return hash.digest("hex");
}

/** Waits until a file is on the disk. */
export function syncFile(path: string): void {
  const fd = openSync(path, "r+");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
