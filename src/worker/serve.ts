import { kindError } from "../base/index.ts";
import { type Answer, type Endpoint, listen, type Request } from "./protocol.ts";

/** Rows, all at once or with pauses. */
export type Rows<Row> = Iterable<Row> | AsyncIterable<Row>;

/** What a worker does, as the page's types know it: `rowsOf<typeof work>(worker, input)`. */
export interface Served<Input, Row> {
  readonly input?: Input;
  readonly row?: Row;
}

/** Milliseconds of rows in a batch, two frames, and rows at most. */
const BATCH = { milliseconds: 33, rows: 128 };
/** Rows that are computed ahead of those consumed. */
const AHEAD = 512;

/**
 * Makes a worker of the file that calls it: whenever the page asks (`rowsOf`), `start` is called with what it sent, and the
 * rows are sent back in batches. The next question, or an end of the loop in the page, ends the one before after the row
 * that is being computed. Input and rows are copied as `structuredClone` copies.
 *
 *     export const work = serve((lr: number) => centralFlow({ …, optimizer: gradientDescent({ lr }) }).steps(300));
 *
 * @param start makes the rows; what it throws is thrown by the loop in the page
 * @throws InputKindError where it is not called in a worker
 */
export function serve<Input, Row>(start: (input: Input) => Rows<Row>): Served<Input, Row> {
  const page = ownEnd();
  let current: Run<Row> | undefined;
  listen(page, "message", (data) => {
    const request = data as Request;
    if (request.say === "run") {
      current?.stop();
      current = new Run(page, request.run);
      void current.go(() => start(request.input as Input));
    } else if (request.run === current?.number) {
      if (request.say === "stop") current.stop();
      else current.consumed(request.rows);
    }
  });
  return {};
}

/** One question and its rows. */
class Run<Row> {
  readonly number: number;
  private readonly page: Endpoint;
  private batch: Row[] = [];
  private stopped = false;
  private ahead = 0;
  private wake: () => void = () => undefined;

  constructor(page: Endpoint, number: number) {
    this.page = page;
    this.number = number;
  }

  stop(): void {
    this.stopped = true;
    this.wake();
  }

  consumed(rows: number): void {
    this.ahead -= rows;
    this.wake();
  }

  async go(start: () => Rows<Row>): Promise<void> {
    const { number: run } = this;
    try {
      await this.send(start());
      if (!this.stopped) this.say({ say: "done", run });
    } catch (error) {
      this.flush();
      const { name, message } = error instanceof Error ? error : new Error(String(error));
      this.say({ say: "failed", run, name, message });
    }
  }

  private async send(rows: Rows<Row>): Promise<void> {
    const source = Symbol.iterator in rows ? rows[Symbol.iterator]() : rows[Symbol.asyncIterator]();
    try {
      let sent = Number.NEGATIVE_INFINITY;
      for (;;) {
        const next = source.next();
        const { value, done } = next instanceof Promise ? await next : next;
        if (!done) this.batch.push(value);
        const early = performance.now() - sent < BATCH.milliseconds && this.batch.length < BATCH.rows;
        if (!done && early) continue;
        this.flush();
        if (done) return;
        sent = performance.now();
        // A question or an end arrives only when the event loop turns.
        await new Promise<void>((resolve) => timers.setTimeout(resolve, 0));
        while (this.ahead > AHEAD && !this.stopped)
          await new Promise<void>((resolve) => {
            this.wake = resolve;
          });
        if (this.stopped) return;
      }
    } finally {
      await source.return?.();
    }
  }

  private flush(): void {
    const { batch: rows, number: run } = this;
    this.batch = [];
    this.ahead += rows.length;
    if (rows.length > 0) this.say({ say: "rows", run, rows });
  }

  private say(answer: Answer): void {
    this.page.postMessage(answer);
  }
}

const timers = globalThis as unknown as {
  setTimeout(callback: () => void, milliseconds: number): unknown;
};

interface Host extends Endpoint {
  readonly process?: {
    getBuiltinModule?(id: "node:worker_threads"): { readonly parentPort: Endpoint | null };
  };
  readonly WorkerGlobalScope?: unknown;
}

/** The worker's end of the line to its page. */
function ownEnd(): Endpoint {
  const host = globalThis as unknown as Host;
  const port = host.process?.getBuiltinModule?.("node:worker_threads").parentPort;
  if (port) return port;
  if (host.WorkerGlobalScope === undefined)
    throw kindError(
      "serve",
      "to be called in a worker",
      "the page itself",
      'start its file with new Worker(new URL("./worker.js", import.meta.url), { type: "module" })',
    );
  return host;
}
