import { InputKindError, InputValueError, kindError, Stopped } from "../base/index.ts";
import { type Answer, type Endpoint, listen, type Request } from "./protocol.ts";
import type { Served } from "./serve.ts";

/** A worker as browsers and Node have it. */
export type WorkerLike = Pick<Endpoint, "postMessage"> & object;

/** The part of an AbortSignal that is needed. */
export interface StopSignal {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: "abort", listener: () => void): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

/** How to ask. */
export interface RowsOptions {
  /** Ends the loop at once with its reason, and the worker's run after the row that it computes. */
  readonly signal?: StopSignal;
}

/** What a worker is sent, and what its rows are. */
export type InputOf<Work> = Work extends Served<infer Input, unknown> ? Input : never;
/** See `InputOf`. */
export type RowOf<Work> = Work extends Served<unknown, infer Row> ? Row : never;

let runs = 0;

/**
 * The rows that a worker computes (`serve`), for `for await … of`; the page stays free meanwhile. To leave the loop, by
 * `break` or an abort, ends the run and leaves the worker ready for the next question; a new question to the same worker ends
 * the loop over the one before. `worker.terminate()` is yours, and the one way to end a row under way.
 *
 *     const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
 *     for await (const row of rowsOf<typeof work>(worker, 0.3, { signal })) …
 *
 * @param input what `start` in the worker is called with
 * @throws, in the loop, what `start` or its rows throw there, with name and message; the reason of an aborted signal; an
 *   Error where the worker cannot be loaded
 */
export async function* rowsOf<Work extends Served<unknown, unknown>>(
  worker: WorkerLike,
  input: InputOf<Work>,
  { signal }: RowsOptions = {},
): AsyncGenerator<RowOf<Work>, void, undefined> {
  if (typeof worker?.postMessage !== "function")
    throw kindError("rowsOf", "a worker", typeof worker, "new Worker(new URL(…), …) makes one");
  if (signal?.aborted) throw signal.reason;
  const end = worker as Endpoint;
  const run = ++runs;
  const inbox = new Inbox<RowOf<Work>>(run);
  const say = (request: Request): void => end.postMessage(request);
  const fail = (error: unknown): void => inbox.end({ error });
  const abort = (): void => fail(signal?.reason);
  const deaf = [
    listen(end, "message", (data) => inbox.take(data as Answer)),
    listen(end, "error", (error) => fail(failure(error))),
    listen(end, "messageerror", () => fail(new Error("rowsOf: a message could not be copied"))),
    listen(end, "exit", () => fail(new Error("rowsOf: the worker has ended before its last row"))),
  ];
  signal?.addEventListener("abort", abort);
  latest.get(worker)?.end({});
  latest.set(worker, inbox);
  try {
    say({ say: "run", run, input });
    for (;;) {
      const rows = await inbox.next();
      if (rows === undefined) return;
      for (const row of rows) {
        yield row;
        if (inbox.error && !inbox.complete) throw inbox.error.error;
      }
      say({ say: "consumed", run, rows: rows.length });
    }
  } finally {
    if (!inbox.complete) say({ say: "stop", run });
    signal?.removeEventListener("abort", abort);
    for (const stop of deaf) stop();
    if (latest.get(worker) === inbox) latest.delete(worker);
  }
}

/** The last question to each worker. */
const latest = new WeakMap<object, { end(how: object): void }>();

/** Batches of one run as they come. */
class Inbox<Row> {
  /** Whether the worker has sent all. */
  complete = false;
  error: { readonly error: unknown } | undefined;
  private readonly run: number;
  private readonly batches: (readonly Row[])[] = [];
  private ended = false;
  private wake: () => void = () => undefined;

  constructor(run: number) {
    this.run = run;
  }

  take(answer: Answer): void {
    if (answer?.run !== this.run) return;
    if (answer.say === "rows") this.batches.push(answer.rows as readonly Row[]);
    else {
      this.complete = true;
      this.end(answer.say === "failed" ? { error: revived(answer) } : {});
    }
    this.wake();
  }

  /** Ends the loop: with an error at once, else after the batches that are here. */
  end(how: { readonly error?: unknown }): void {
    this.ended = true;
    if ("error" in how) this.error ??= { error: how.error };
    this.wake();
  }

  /** The next batch; undefined at the end. */
  async next(): Promise<readonly Row[] | undefined> {
    for (;;) {
      const batch = this.batches.shift();
      if (batch && (!this.error || this.complete)) return batch;
      if (this.error) throw this.error.error;
      if (this.ended) return undefined;
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
  }
}

/** An error of the worker's, of the class that it had there where it is one of this package's. */
function revived({ name, message }: { readonly name: string; readonly message: string }): Error {
  if (name === "InputValueError") return new InputValueError(message);
  if (name === "InputKindError") return new InputKindError(message);
  const error = name === "Stopped" ? Object.create(Stopped.prototype) : new Error();
  return Object.assign(error as Error, { name, message });
}

/** What a worker's `error` event tells: in Node the error itself. */
function failure(event: unknown): Error {
  if (event instanceof Error) return event;
  const { message } = event as { readonly message?: string };
  return new Error(`rowsOf: ${message || "the worker could not be loaded"}`);
}
