/**
 * The part of Node's worker_threads that helpers need (Node.js API, "Worker threads"). Asked for at run time, so that
 * the engine also runs where there is no Node.
 */

/** A thread, seen from the one that started it. */
export interface Worker {
  postMessage(message: unknown): void;
  unref(): void;
  /** Ends the thread, in the middle of whatever it does. */
  terminate(): unknown;
  on(event: "error", listener: (error: Error) => void): void;
  on(event: "exit", listener: () => void): void;
}

/** Where a thread gets its messages. */
export interface Port {
  readonly brand?: "port";
}

/** The module node:worker_threads. */
export interface WorkerThreads {
  readonly Worker: new (
    source: string,
    options: {
      readonly eval: true;
      readonly workerData: unknown;
      readonly execArgv: readonly string[];
      readonly env: Readonly<Record<string, string>>;
    },
  ) => Worker;
  readonly parentPort: Port | null;
  readonly workerData: unknown;
  receiveMessageOnPort(port: Port): { readonly message: unknown } | undefined;
}

interface Process {
  getBuiltinModule?(id: "node:worker_threads"): WorkerThreads | undefined;
}

/** Node's worker_threads; undefined elsewhere. */
export function workerThreads(): WorkerThreads | undefined {
  const { process } = globalThis as { readonly process?: Process };
  return process?.getBuiltinModule?.("node:worker_threads");
}
