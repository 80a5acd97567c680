/**
 * The lock of a folder: who holds it may write there, others are told who does. It is a file with host, process and start,
 * created exclusively; a thread of its own touches it every ten seconds, also while the process computes. A lock is
 * stale, and taken over, when its process is gone from this host, or when it has not been touched for a minute by the
 * clock of the file system that it is on.
 */
import { readFileSync, statSync, unlinkSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { InputValueError } from "../base/index.ts";
import { codeOf, createFileAtomic, removeIfThere, temporaryBeside } from "./files.ts";

const LOCK = "lock";
/** Held for the moment in which a stale lock is replaced, so that of two who find it one does. */
const TAKEOVER = "lock.takeover";

const TOUCH_SECONDS = 10;
const STALE_SECONDS = 60;
/** Longer than replacing a lock takes, which writes two small files. */
const TAKEOVER_SECONDS = 5;

/** Who holds a lock. */
export interface LockHolder {
  readonly host: string;
  readonly pid: number;
  /** When the process started, where the system says so: another process with the same number has another. */
  readonly start: string;
  /** The scheduler's job, if there is one. */
  readonly job?: string;
}

/** The folder is being written by somebody else. A misuse: try later, or choose another folder. */
export class FolderBusyError extends InputValueError {
  readonly holder: LockHolder;

  /** @param operation what wanted the folder, such as `resume` */
  constructor(operation: string, folder: string, holder: LockHolder) {
    const who = `process ${holder.pid} on ${holder.host}${holder.job ? ` (job ${holder.job})` : ""}`;
    super(
      `${operation}: expected a folder that nobody writes, got ${folder}, which ${who} writes; wait for it, or stop it`,
    );
    this.holder = holder;
  }
}

/** A lock that is held. */
export interface Lock {
  /** Whether the lock is still this one: false after somebody has taken it over or removed it. */
  readonly held: () => boolean;
  /** Gives the folder free. */
  readonly release: () => void;
}

/** Locks that this thread holds. */
const ours = new Set<string>();

/**
 * Takes the lock of a folder.
 *
 * @param folder exists
 * @param operation named in the error, such as `run`
 * @throws FolderBusyError while somebody else holds it; what `fileError` makes of a folder that cannot be written
 */
export function takeLock(folder: string, operation: string): Lock {
  const path = join(folder, LOCK);
  const me = JSON.stringify(describeMyself());
  for (let tries = 0; ; tries++) {
    if (createFileAtomic(path, me)) return holdLock(path, me);
    const holder = readHolder(path);
    if (holder === undefined) continue;
    if (!isStale(path, holder) || tries > 100) throw new FolderBusyError(operation, folder, holder);
    if (replaceStale(folder, path, holder, me)) return holdLock(path, me);
  }
}

/** Who holds the lock of a folder, whether still alive or not; undefined where there is no lock. */
export const lockHolder = (folder: string): LockHolder | undefined => {
  const holder = readHolder(join(folder, LOCK));
  return holder && !isStale(join(folder, LOCK), holder) ? holder : undefined;
};

function describeMyself(): LockHolder {
  const job = process.env.SLURM_JOB_ID;
  return { host: hostname(), pid: process.pid, start: startOf(process.pid) ?? "", ...(job && { job }) };
}

/** When a process started, in the system's own unit; undefined where it does not say, or there is no such process. */
function startOf(pid: number): string | undefined {
  try {
    // After the name in parentheses, which may hold anything, come the fields from the third on; the start is the 22nd.
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return undefined;
  }
}

/** @returns undefined where there is no lock; a holder that nobody is for a file that is no lock */
function readHolder(path: string): LockHolder | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes(codeOf(error))) return undefined;
    throw error;
  }
  try {
    const { host, pid, start, job } = JSON.parse(text);
    return { host: String(host), pid: Number(pid), start: String(start), ...(job && { job: String(job) }) };
  } catch {
    return { host: "an unknown host", pid: 0, start: "" };
  }
}

function isStale(path: string, { host, pid, start }: LockHolder): boolean {
  if (host === hostname() && isGone(pid, start)) return true;
  return (
    !ours.has(path) && (host !== hostname() || pid === process.pid) && secondsBehind(path) > STALE_SECONDS
  );
}

function isGone(pid: number, start: string): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return codeOf(error) === "ESRCH";
  }
  const now = startOf(pid);
  return start !== "" && now !== undefined && now !== start;
}

/** How long ago a file was touched, by the clock of its file system: that of a file written now beside it. */
function secondsBehind(path: string): number {
  const probe = temporaryBeside(path);
  try {
    writeFileSync(probe, "", { flag: "wx" });
    return (statSync(probe).mtimeMs - statSync(path).mtimeMs) / 1000;
  } catch {
    return 0;
  } finally {
    removeIfThere(probe);
  }
}

/** Replaces a stale lock by ours, unless somebody else does. */
function replaceStale(folder: string, path: string, stale: LockHolder, me: string): boolean {
  const guard = join(folder, TAKEOVER);
  if (!createFileAtomic(guard, me)) {
    if (secondsBehind(guard) > TAKEOVER_SECONDS) removeIfThere(guard);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
    return false;
  }
  try {
    const now = readHolder(path);
    if (now !== undefined && JSON.stringify(now) !== JSON.stringify(stale)) return false;
    removeIfThere(path);
    return createFileAtomic(path, me);
  } finally {
    removeIfThere(guard);
  }
}

/**
 * Touches a file until it is told to stop, on a thread whose event loop turns while others compute: writes what is there
 * already, so that the file system's clock is read, into the file that was opened, not into one that replaces it.
 */
const TOUCHER = `
  const { workerData: { path, text, milliseconds } } = require("node:worker_threads");
  const { openSync, writeSync } = require("node:fs");
  const fd = openSync(path, "r+");
  setInterval(() => { try { writeSync(fd, text, 0); } catch {} }, milliseconds);
`;

function startToucher(path: string, text: string): Worker | undefined {
  try {
    const workerData = { path, text, milliseconds: TOUCH_SECONDS * 1000 };
    const worker = new Worker(TOUCHER, { eval: true, workerData, execArgv: [], stdout: false });
    worker.unref();
    worker.on("error", () => {});
    return worker;
  } catch {
    // A host without threads: there its locks look stale to other hosts after a minute of computing.
    return undefined;
  }
}

function holdLock(path: string, me: string): Lock {
  ours.add(path);
  const toucher = startToucher(path, me);
  const held = (): boolean => {
    try {
      return readFileSync(path, "utf8") === me;
    } catch {
      return false;
    }
  };
  const release = (): void => {
    process.off("exit", release);
    toucher?.terminate();
    if (ours.delete(path) && held()) unlinkSync(path);
  };
  process.on("exit", release);
  return { held, release };
}
