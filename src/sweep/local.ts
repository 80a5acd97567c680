import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { join, resolve } from "node:path";
import { lockHolder, readOutcome } from "../record/index.ts";
import { isCancelled, readSweep, runFolder, SWEEP_NAMES, type Sweep, type SweepPoint } from "./folder.ts";
import { TASK_CODES } from "./task.ts";

/** How a sweep is computed on this machine. */
export interface LocalOptions {
  /** The program with its first arguments, before `sweep task`. */
  readonly program: readonly string[];
  /** Tasks at once. */
  readonly jobs: number;
  /** Threads of each. */
  readonly threads: number;
  /** Asked now and then: true stops the tasks, each after its step, and starts no more. */
  readonly shouldStop: () => boolean;
  /** After every task. */
  readonly progress?: (point: SweepPoint, code: number | null, final: number, total: number) => void;
}

/** What came of a local submission. */
export interface LocalResult {
  readonly final: number;
  readonly total: number;
  /** Points that were tried here and are not final, with the exit status of their task; null: ended by a signal. */
  readonly unfinished: ReadonlyMap<number, number | null>;
}

/** Milliseconds between looks at points that others compute, and at whether to stop. */
const LOOK = 250;

/**
 * Computes what is missing of a sweep on this machine, a process per task, and returns when every point is final or was
 * tried once. Points that somebody else computes are waited for, and taken over where they are left.
 */
export async function submitLocally(directory: string, options: LocalOptions): Promise<LocalResult> {
  const sweep = readSweep(directory, "sweep submit");
  mkdirSync(join(directory, SWEEP_NAMES.logs), { recursive: true });
  const isFinal = (point: SweepPoint): boolean => readOutcome(runFolder(sweep, point)) !== undefined;
  const total = sweep.points.length;
  let waiting = sweep.points.filter((point) => !isFinal(point));
  let final = total - waiting.length;
  const running = new Map<ChildProcess, SweepPoint>();
  const unfinished = new Map<number, number | null>();

  const begin = (point: SweepPoint): void => {
    const child = startTask(sweep, point, options);
    running.set(child, point);
    let told = false;
    const ended = (code: number | null): void => {
      if (told) return;
      told = true;
      running.delete(child);
      if (code === TASK_CODES.busy && !isFinal(point)) return void waiting.push(point);
      if (isFinal(point)) final++;
      else unfinished.set(point.index, code);
      options.progress?.(point, code, final, total);
    };
    child.on("error", () => ended(TASK_CODES.broken));
    child.on("exit", ended);
  };

  let stopped = false;
  while (running.size > 0 || (waiting.length > 0 && !stopped)) {
    if (!stopped && (options.shouldStop() || isCancelled(directory))) {
      stopped = true;
      for (const [child, point] of running) {
        // Who cancels has told those that hold their run already, and a second signal would end them within a step.
        const told = isCancelled(directory) && lockHolder(runFolder(sweep, point))?.pid === child.pid;
        if (!told) child.kill("SIGTERM");
      }
    }
    if (!stopped)
      for (const point of [...waiting]) {
        if (running.size >= options.jobs) break;
        if (isFinal(point)) {
          waiting = waiting.filter((each) => each !== point);
          final++;
          continue;
        }
        if (lockHolder(runFolder(sweep, point))) continue;
        waiting = waiting.filter((each) => each !== point);
        begin(point);
      }
    if (running.size > 0 || waiting.length > 0) await lookLater([...running.keys()]);
  }
  return { final, total, unfinished };
}

/** Until a task ends, or a moment has passed. */
function lookLater(running: readonly ChildProcess[]): Promise<void> {
  return new Promise((woken) => {
    const wake = (): void => {
      clearTimeout(timer);
      for (const child of running) child.off("exit", wake);
      woken();
    };
    const timer = setTimeout(wake, LOOK);
    for (const child of running) child.once("exit", wake);
  });
}

function startTask(sweep: Sweep, point: SweepPoint, { program, threads }: LocalOptions): ChildProcess {
  const [command, ...first] = program;
  const argv = [
    ...first,
    "sweep",
    "task",
    resolve(sweep.directory),
    String(point.index),
    "--threads",
    String(threads),
  ];
  const log = openSync(join(sweep.directory, SWEEP_NAMES.logs, `${point.index}.log`), "w");
  try {
    // A process group of its own: Ctrl-C in the terminal is for the submitter, which passes it on once.
    return spawn(command, argv, { cwd: sweep.cwd, stdio: ["ignore", log, log], detached: true });
  } finally {
    closeSync(log);
  }
}
