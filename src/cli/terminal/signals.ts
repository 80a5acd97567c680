/**
 * How a command that computes for long learns that it is to stop. Node hands signals to the main thread, and only between
 * turns of its event loop, which a computation does not take for minutes. So the command computes on a worker thread, and
 * the main thread does nothing but wait for signals: the first sets a flag in shared memory, at which the computation
 * looks at least once per chunk of examples; the second ends the process at once.
 */
import { isMainThread, Worker, workerData } from "node:worker_threads";
import { statusAfterWriting } from "./streams.ts";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** The exit status of what was interrupted. */
const INTERRUPTED = 130;

/** What the main thread shares with the one that computes. */
interface Shared {
  /** [whether to stop, columns of the terminal]. */
  readonly flags: Int32Array;
  readonly argv: readonly string[];
  readonly isTTY: boolean;
}

const shared: Shared | undefined =
  isMainThread || workerData?.centralFlows === undefined ? undefined : workerData.centralFlows;

/** The words of the command line. */
export const commandWords = (): readonly string[] => shared?.argv ?? process.argv.slice(2);

/** Standard error as a terminal: how wide it is now, and whether it is one. */
export const terminal = {
  get isTTY(): boolean {
    return shared?.isTTY ?? process.stderr.isTTY === true;
  },
  get columns(): number {
    return shared ? Atomics.load(shared.flags, 1) : (process.stderr.columns ?? 0);
  },
  write: (words: string): unknown => process.stderr.write(words),
};

/** Whether a command computes for long enough to be interrupted. */
export const isLong = ([command, ...words]: readonly string[]): boolean =>
  (["run", "resume", "claim", "study", "analyse"].includes(command) ||
    (command === "sweep" && words[0] === "task")) &&
  !words.includes("--help") &&
  !words.includes("-h");

/**
 * Runs the file `main` with these words on a worker thread, passing on signals.
 *
 * @returns its exit status; undefined where there can be no such thread
 */
export function runOnWorker(main: URL, argv: readonly string[]): Promise<number> | undefined {
  const flags = new Int32Array(new SharedArrayBuffer(8));
  const resized = (): void => {
    Atomics.store(flags, 1, process.stderr.columns ?? 0);
  };
  resized();
  const isTTY = process.stderr.isTTY === true;
  let worker: Worker;
  try {
    worker = startWorker(main, { flags, argv, isTTY });
  } catch {
    return undefined;
  }
  const listener = onSignals(() => {
    Atomics.store(flags, 0, 1);
    process.stderr.write(`${isTTY ? "\r\u001b[2K" : ""}stopping; press Ctrl-C again to stop at once\n`);
  });
  process.stderr.on("resize", resized);
  return new Promise((ended) => {
    worker.on("error", (error) => {
      process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    });
    worker.on("exit", (status) => {
      listener.stop();
      process.stderr.off("resize", resized);
      ended(statusAfterWriting(status));
    });
  });
}

/**
 * Room for new objects on the thread that computes. V8 makes it 48 MB and then moves what outlives it into memory that grows by
 * some 50 MB before it is looked through; with 12 MB a long run needs a third less, for the same time.
 */
const YOUNG_MEGABYTES = 12;

function startWorker(main: URL, centralFlows: Shared): Worker {
  const resourceLimits = { maxYoungGenerationSizeMb: YOUNG_MEGABYTES };
  const options = { workerData: { centralFlows }, resourceLimits };
  if (!main.pathname.endsWith(".ts")) return new Worker(main, options);
  // From a checkout: tsx does not follow into threads by itself.
  const start = `import("tsx/esm/api").then(({ register }) => { register(); return import("${main.href}"); })`;
  return new Worker(start, { ...options, eval: true });
}

/** Calls `first` at the first signal and ends the process at the second. */
function onSignals(first: () => void): { readonly stop: () => void } {
  let count = 0;
  const listener = (): void => {
    if (++count > 1) process.exit(INTERRUPTED);
    first();
  };
  for (const signal of SIGNALS) process.on(signal, listener);
  return {
    stop: () => {
      for (const signal of SIGNALS) process.off(signal, listener);
    },
  };
}

/**
 * Whether the user wants the command to stop: what the main thread has been told or, without a thread of our own, what
 * this one hears between steps.
 *
 * @param note shows a line
 */
export function watchInterrupts(note: (line: string) => void): {
  readonly asked: () => boolean;
  readonly stop: () => void;
} {
  if (shared) {
    const { flags } = shared;
    return { asked: () => Atomics.load(flags, 0) !== 0, stop: () => {} };
  }
  let asked = false;
  const listener = onSignals(() => {
    asked = true;
    note("stopping after this step; press Ctrl-C again to stop at once");
  });
  return { asked: () => asked, stop: listener.stop };
}
