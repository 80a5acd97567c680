/** Faults of a path that its owner can mend, by the code that the system gives, in words that follow "got". */
export const PATH_FAULTS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EPERM: "permission denied",
  EROFS: "a read-only file system",
  ENOENT: "no such folder",
  ENOTDIR: "a file where a folder should be",
  EISDIR: "a folder where a file should be",
  EEXIST: "a file where a folder should be",
  ENAMETOOLONG: "a name that is too long",
  ELOOP: "links that lead in a circle",
};

/** Why a file could not be read, in words: of the system's codes those that can be mended, else what the system says. */
export function readFault(error: unknown): string {
  const { code = "", message = String(error) } = (error ?? {}) as { code?: string; message?: string };
  return code === "ENOENT" ? "none of that name" : (PATH_FAULTS[code] ?? message);
}
