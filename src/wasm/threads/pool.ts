/**
 * The thread pool: the helper threads of this process, and how the caller's thread does jobs together with them.
 * A job is written while `generation` is odd and no helper is working, so nobody sees half of one; a helper that has not
 * started yet, or sleeps, is not waited for: the others do its share.
 */
import { type Worker, type WorkerThreads, workerThreads } from "./host.ts";
import { COMMAND, JOB, type Job, SPINS, work } from "./job.ts";
import { CONTROL, type HelperData, type HelperProgram, help, STATE } from "./worker.ts";

/** Looks before an idle helper goes to sleep: some tenths of a millisecond, as long as a solver needs between products. */
const IDLE_SPINS = 100_000;
/** Seconds in which a working helper finishes at least one kernel; after that it is given up. Runners count kernels. */
const PATIENCE = 5;
/** Seconds that the first helper has to start, on a machine that is busy with other things. */
const START_SECONDS = 10;
/** Milliseconds between looks while waiting. */
const LOOK = 1000;

/**
 * The text of a helper: its functions, and one that a build tool may have put into them. What fails before the helper
 * listens, as a text that names things outside itself does, is written down for the caller.
 */
const SOURCE = `"use strict"; const __name = (f) => f;
const workerThreads = process.getBuiltinModule("node:worker_threads");
const { control, CONTROL, STATE, thread } = workerThreads.workerData;
try {
  (${help})(workerThreads, ${work});
} catch (error) {
  const text = String(error).slice(0, CONTROL.textLength);
  for (let i = 0; i < text.length; i++) control[CONTROL.text + i] = text.charCodeAt(i);
  Atomics.store(control, CONTROL.failure, text.length);
  const state = CONTROL.threadWords + CONTROL.threadStride * thread;
  Atomics.store(control, state, STATE.lost);
  Atomics.notify(control, state);
}`;

/** A helper was given up in the middle of a job: what it did is unknown, so the job starts again. */
class HelperLost extends Error {}

/** One evaluation of a program, as `ThreadPool.run` takes it. */
export interface PoolRun {
  /** The program's number. */
  readonly program: number;
  /** How many threads may take part, the caller's included. */
  readonly threads: number;
  readonly job: Job;
  /** Whether helpers look at the clock. */
  readonly timed: boolean;
  /** Clears the ranges of `job.zeros`; called before the job starts, and before it starts again. */
  readonly clear: (job: Job) => void;
  /** Takes tasks from the array on this thread, by `work`, handing on `watch`. */
  readonly take: (job: Int32Array, watch: () => void) => void;
}

/** What the pool remembers of a helper between looks at it. */
interface Helper {
  readonly worker: Worker;
  pulse: number;
  /** Looks at which it worked and its pulse was the same. */
  still: number;
}

/** The helpers of this process, started when first wanted; they never keep it alive. */
export class ThreadPool {
  private readonly host: WorkerThreads;
  private readonly control = new Int32Array(new SharedArrayBuffer(4 * CONTROL.length));
  private readonly job = new Int32Array(new SharedArrayBuffer(4 * JOB.length));
  /** Helper i is thread i + 1. */
  private readonly helpers: Helper[] = [];
  private readonly programs = new Map<number, HelperProgram>();
  private nextProgram = 1;
  private trouble: string | undefined;

  constructor(host: WorkerThreads) {
    this.host = host;
  }

  /** Why helpers cannot be had here, as the end of a sentence; undefined while nothing is known against it. */
  get obstacle(): string | undefined {
    return this.trouble;
  }

  /** Starts helpers up to `threads` − 1; returns at once, while they get ready. */
  start(threads: number): void {
    while (this.trouble === undefined && this.helpers.length < threads - 1) this.startOne();
  }

  /** Waits until the first helper has started; false where helpers cannot be had, for which `obstacle` has the reason. */
  ready(): boolean {
    if (this.trouble !== undefined || this.helpers.length === 0) return false;
    const { control } = this;
    const state = stateOf(1);
    if (Atomics.load(control, state) === STATE.absent)
      Atomics.wait(control, state, STATE.absent, 1000 * START_SECONDS);
    const found = Atomics.load(control, state);
    if (found === STATE.absent) this.refuse(`a helper thread did not start in ${START_SECONDS} s`);
    else if (found === STATE.lost && this.alive(this.helpers.length + 1) === 1)
      this.refuse(`helper threads ended: ${this.failure() ?? "no reason given"}`);
    return this.trouble === undefined;
  }

  /** How many of `threads` threads there are: the caller's, and helpers that were not lost. */
  alive(threads: number): number {
    let count = 1;
    for (let thread = 1; thread < threads && thread <= this.helpers.length; thread++)
      if (Atomics.load(this.control, stateOf(thread)) !== STATE.lost) count++;
    return count;
  }

  /** Makes a program known to all helpers, present and future; returns its number. */
  add(program: Omit<HelperProgram, "id">): number {
    const id = this.nextProgram++;
    this.programs.set(id, { ...program, id });
    this.tell({ ...program, id });
    return id;
  }

  /** Makes helpers let go of a program. */
  remove(id: number): void {
    if (this.programs.delete(id)) this.tell(id);
  }

  /**
   * Does a job of a program together with helpers. A helper that ends or stands still in the middle is noticed within
   * seconds; the job then starts again without it, with the same bits. Throws what `take` throws, and an error with a
   * helper's message where one has thrown; afterwards no thread is at work any more.
   */
  run(request: PoolRun): void {
    for (;;) {
      try {
        this.attempt(request);
        return;
      } catch (error) {
        if (!(error instanceof HelperLost)) throw error;
        request.job.rewind();
      }
    }
  }

  private attempt({ program, threads, job: request, timed, clear, take }: PoolRun): void {
    const { control, job } = this;
    this.throwFailure();
    if (Atomics.load(control, CONTROL.generation) % 2 === 0) Atomics.add(control, CONTROL.generation, 1);
    this.wait(control, CONTROL.left, () => !this.someoneWorks());
    clear(request);
    job.set(request.written);
    control[CONTROL.threads] = threads;
    control[CONTROL.program] = program;
    control[CONTROL.timed] = timed ? 1 : 0;
    Atomics.add(control, CONTROL.generation, 1);
    Atomics.notify(control, CONTROL.generation);
    try {
      take(job, this.watch);
    } catch (error) {
      this.abandon();
      throw error;
    }
    const over = () => Atomics.load(job, JOB.done) === job[JOB.tasks] || Atomics.load(job, JOB.failed) !== 0;
    this.wait(job, JOB.done, over);
    this.throwFailure();
  }

  /** Makes helpers leave the job, and waits until none is in it: the memory is the caller's alone afterwards. */
  private abandon(): void {
    const { control, job } = this;
    Atomics.store(job, JOB.failed, 1);
    // Another value in place of the one that a helper waits on, so that it cannot miss the change.
    for (let sum = JOB.accumulated; sum < JOB.starts; sum++) {
      Atomics.store(job, sum, -1);
      Atomics.notify(job, sum);
    }
    this.wait(control, CONTROL.left, () => !this.someoneWorks());
  }

  private someoneWorks(): boolean {
    for (let thread = 1; thread <= this.helpers.length; thread++)
      if (Atomics.load(this.control, stateOf(thread)) === STATE.working) return true;
    return false;
  }

  /** What a helper has failed with since the last time. */
  private failure(): string | undefined {
    const length = Atomics.exchange(this.control, CONTROL.failure, 0);
    if (length === 0) return undefined;
    return String.fromCharCode(...this.control.subarray(CONTROL.text, CONTROL.text + length));
  }

  private throwFailure(): void {
    const failure = this.failure();
    if (failure !== undefined)
      throw new Error(`threads: a helper thread failed (${failure}); try one thread`);
  }

  /** Waits until a condition holds that comes with a change of an entry: looks for a while, then sleeps and watches. */
  private wait(array: Int32Array, at: number, holds: () => boolean): void {
    for (let looks = 0; looks < SPINS; looks++) if (holds()) return;
    for (;;) {
      const value = Atomics.load(array, at);
      if (holds()) return;
      if (Atomics.wait(array, at, value, LOOK) === "timed-out") this.watch();
    }
  }

  /**
   * Looks at the helpers after a second of waiting for them. One that works without a pulse for `PATIENCE` looks is given
   * up: it is ended, the others leave the job, and after a moment, in which whatever was left of it stops, `HelperLost` is
   * thrown.
   */
  private readonly watch = (): void => {
    let lost = false;
    this.helpers.forEach((helper, i) => {
      const state = stateOf(i + 1);
      const pulse = Atomics.load(this.control, state + CONTROL.pulse) + this.kernelsCalled(i + 1);
      const still = Atomics.load(this.control, state) === STATE.working && pulse === helper.pulse;
      helper.pulse = pulse;
      helper.still = still ? helper.still + 1 : 0;
      if (helper.still < PATIENCE) return;
      if (Atomics.compareExchange(this.control, state, STATE.working, STATE.lost) !== STATE.working) return;
      helper.worker.terminate();
      lost = true;
    });
    if (!lost) return;
    Atomics.store(this.job, JOB.failed, 1);
    // A moment in which nothing happens.
    Atomics.wait(this.control, stateOf(0), Atomics.load(this.control, stateOf(0)), LOOK);
    throw new HelperLost();
  };

  /** How many kernels the runner of a thread has called in the memory of the program that is run. */
  private kernelsCalled(thread: number): number {
    const program = this.programs.get(this.control[CONTROL.program]);
    if (!program) return 0;
    const { memory, header, pulse } = program;
    return Atomics.load(new Int32Array(memory.buffer, thread * header + pulse, 1), 0);
  }

  private tell(message: HelperProgram | number): void {
    for (const { worker } of this.helpers) worker.postMessage(message);
    Atomics.add(this.control, CONTROL.messages, 1);
  }

  private refuse(reason: string): void {
    this.trouble = reason;
    for (const { worker } of this.helpers) worker.terminate();
  }

  private startOne(): void {
    const thread = this.helpers.length + 1;
    const data: HelperData = {
      ...{ thread, control: this.control, job: this.job, jobWords: { JOB, COMMAND }, CONTROL, STATE },
      ...{ spins: SPINS, idleSpins: IDLE_SPINS },
    };
    try {
      const worker = new this.host.Worker(SOURCE, { eval: true, workerData: data, execArgv: [], env: {} });
      worker.unref();
      // One that ends, whatever the reason, only leaves its share to the others.
      worker.on("error", () => {});
      worker.on("exit", () => Atomics.store(this.control, stateOf(thread), STATE.lost));
      this.helpers.push({ worker, pulse: 0, still: 0 });
      for (const program of this.programs.values()) worker.postMessage(program);
      Atomics.add(this.control, CONTROL.messages, 1);
    } catch (error) {
      this.refuse(`this host starts no helper threads (${error instanceof Error ? error.message : error})`);
    }
  }
}

/** Where the state of a thread stands in `control`. */
const stateOf = (thread: number): number => CONTROL.threadWords + CONTROL.threadStride * thread;

let pool: ThreadPool | undefined;

/** The pool of this process; undefined where there are no threads or no memory to share. */
export function threadPool(): ThreadPool | undefined {
  const host = workerThreads();
  if (!host || typeof SharedArrayBuffer === "undefined") return undefined;
  pool ??= new ThreadPool(host);
  return pool.obstacle === undefined ? pool : undefined;
}

/** Why helper threads cannot be had here, as the end of a sentence; undefined where nothing is known against it. */
export function threadsObstacle(): string | undefined {
  if (pool?.obstacle !== undefined) return pool.obstacle;
  if (!workerThreads()) return "this host has no worker threads like Node's";
  return typeof SharedArrayBuffer === "undefined"
    ? "this host has no memory that threads can share"
    : undefined;
}
