import type { StepRow } from "../../../simulation/index.ts";
import { RowUnpacker } from "../../engine/pack.ts";
import type { Numbered, Report, Request, Told } from "../../engine/protocol.ts";

/** What a client of workers is told; rows come unpacked. */
export interface WorkerEvents {
  report(report: Exclude<Report, { type: "rows" }>): void;
  rows(rows: StepRow[], report: Extract<Report, { type: "rows" }>): void;
  /** No row for so many seconds, though one is awaited. */
  slow(seconds: number): void;
  /** The worker was given up, after so long or because it broke; rows that came are as good as before. */
  gone(reason: string): void;
}

/** Seconds without a row before that is said, and before the worker is given up. */
const SAID_AFTER = 1;
const GIVEN_UP_AFTER = 10;

/** Makes workers from the script of this page: from its text where it is in the page, else from its own address. */
function workerMaker(): () => Worker {
  const own = document.currentScript as HTMLScriptElement | null;
  if (own?.src) return () => new Worker(new URL("worker.js", own.src));
  const address = URL.createObjectURL(new Blob([own?.textContent ?? ""], { type: "text/javascript" }));
  return () => new Worker(address);
}

/** One worker that computes and one that waits, warm, to take its place. */
export class Workers {
  private readonly make: () => Worker;
  private readonly events: WorkerEvents;
  private current: Worker | undefined;
  private spare: Worker | undefined;
  private unpacker = new RowUnpacker();
  private heard = 0;
  /** The number of the last request, and that of the one that began the run: reports of runs before it are passed over. */
  private asked = 0;
  private begun = 0;
  /** Whether the last request is still to be answered. */
  private awaited = false;
  private said = 0;

  /** To be called while the page's script runs first, which it must find. */
  constructor(events: WorkerEvents) {
    this.make = workerMaker();
    this.events = events;
    this.spare = this.make();
    setInterval(() => this.watch(), 250);
  }

  /** Whether a worker is there that has been asked for a run. */
  get alive(): boolean {
    return this.current !== undefined;
  }

  /** Begins a run, in a fresh worker where the one there is still at another. */
  begin(argv: readonly string[]): void {
    if (this.current && this.awaited) this.end();
    if (!this.current) {
      this.current = this.spare ?? this.make();
      this.spare = undefined;
      this.listen(this.current);
    }
    this.unpacker = new RowUnpacker();
    this.begun = this.asked + 1;
    this.ask({ type: "init", argv });
    // When there is time, another one for the next that is given up.
    setTimeout(() => {
      this.spare ??= this.make();
    }, 1500);
  }

  /** Asks something of the worker. */
  ask(request: Request): void {
    if (!this.current) return;
    this.awaited = request.type !== "pause" || this.awaited;
    this.heard = performance.now();
    this.said = 0;
    this.asked++;
    this.current.postMessage({ number: this.asked, request } satisfies Numbered);
  }

  /** Ends what is computed, at once. */
  end(): void {
    this.current?.terminate();
    this.current = undefined;
    this.awaited = false;
  }

  private listen(worker: Worker): void {
    worker.onmessage = ({ data: { heard, report } }: MessageEvent<Told>) => {
      if (worker !== this.current || heard < this.begun) return;
      this.heard = performance.now();
      this.said = 0;
      if (report.type !== "rows" && report.type !== "cut" && heard === this.asked) this.awaited = false;
      if (report.type === "rows") this.events.rows(this.unpacker.unpack(report.rows), report);
      else this.events.report(report);
    };
    worker.onerror = (event) => {
      if (worker !== this.current) return;
      event.preventDefault();
      this.end();
      this.events.gone(event.message || "the worker broke");
    };
  }

  private watch(): void {
    if (!this.awaited) return;
    const seconds = (performance.now() - this.heard) / 1000;
    if (seconds >= GIVEN_UP_AFTER) {
      this.end();
      this.events.gone(`no row for ${GIVEN_UP_AFTER} seconds`);
    } else if (seconds >= SAID_AFTER && Math.floor(seconds) > this.said) {
      this.said = Math.floor(seconds);
      this.events.slow(this.said);
    }
  }
}
