import { type Worker, type WorkerThreads, workerThreads } from "./host.ts";
import { COMMAND, JOB, type Schedule, WAITING, work } from "./job.ts";
import { CONTROL, type HelperData, type HelperProgram, help } from "./worker.ts";

/** Looks before an idle helper goes to sleep: some tenths of a millisecond, as long as a solver needs between products. */
const IDLE_SPINS = 100_000;

/** The text of a helper: its functions, and one that a build tool may have put into them. */
const SOURCE = `"use strict"; const __name = (f) => f; (${help})(process.getBuiltinModule("node:worker_threads"), ${work});`;

/**
 * The helpers of this process, started when first wanted; they never keep it alive. A job is written while `generation`
 * is odd and no helper is active, so nobody sees half of one; a helper that has not started yet, or sleeps, is not waited
 * for: the others do its share.
 */
export class Crew {
  private readonly host: WorkerThreads;
  private readonly control = new Int32Array(new SharedArrayBuffer(4 * CONTROL.length));
  private readonly job = new Int32Array(new SharedArrayBuffer(4 * JOB.length));
  private readonly workers: Worker[] = [];
  private readonly programs = new Map<number, HelperProgram>();
  private nextProgram = 1;

  constructor(host: WorkerThreads) {
    this.host = host;
  }

  /** Makes a program known to `threads` − 1 helpers; returns its number. */
  add(program: Omit<HelperProgram, "id">, threads: number): number {
    const id = this.nextProgram++;
    this.programs.set(id, { ...program, id });
    this.tell({ ...program, id });
    while (this.workers.length < threads - 1 && this.start());
    return id;
  }

  remove(id: number): void {
    if (this.programs.delete(id)) this.tell(id);
  }

  /**
   * Does a job of a program together with helpers; `take` takes tasks on this thread. What it throws ends the job for
   * everyone and is thrown on.
   */
  run(program: number, threads: number, schedule: Schedule, timed: boolean, take: (job: Int32Array) => void) {
    const { control, job } = this;
    this.checkHelpers();
    Atomics.add(control, CONTROL.generation, 1);
    this.wait(control, CONTROL.active, () => Atomics.load(control, CONTROL.active) === 0);
    job.set(schedule.written);
    control[CONTROL.threads] = threads;
    control[CONTROL.program] = program;
    control[CONTROL.timed] = timed ? 1 : 0;
    Atomics.add(control, CONTROL.generation, 1);
    Atomics.notify(control, CONTROL.generation);
    try {
      take(job);
    } catch (error) {
      this.abandon();
      throw error;
    }
    const over = () => Atomics.load(job, JOB.done) === job[JOB.tasks] || Atomics.load(job, JOB.failed) !== 0;
    this.wait(job, JOB.done, over);
    this.checkHelpers();
  }

  /** Makes helpers leave the job, and waits until none is in it: the memory is the caller's alone afterwards. */
  private abandon(): void {
    const { control, job } = this;
    Atomics.store(job, JOB.failed, 1);
    // Another value in place of the one that a helper waits on, so that it cannot miss the change.
    for (let turn = JOB.turns; turn < JOB.starts; turn++) {
      Atomics.store(job, turn, -1);
      Atomics.notify(job, turn);
    }
    this.wait(control, CONTROL.active, () => Atomics.load(control, CONTROL.active) === 0);
  }

  /** Throws what a helper has failed with since the last time. */
  private checkHelpers(): void {
    const length = Atomics.exchange(this.control, CONTROL.failure, 0);
    if (length === 0) return;
    const text = this.control.subarray(CONTROL.text, CONTROL.text + length);
    throw new Error(`threads: a helper thread failed (${String.fromCharCode(...text)}); try one thread`);
  }

  /** Waits until a condition holds that comes with a change of an entry: looks for a while, then sleeps. */
  private wait(array: Int32Array, at: number, holds: () => boolean): void {
    const { spins, patience } = WAITING;
    for (let looks = 0; looks < spins; looks++) if (holds()) return;
    for (let seconds = 0; seconds < patience; seconds++) {
      const value = Atomics.load(array, at);
      if (holds()) return;
      if (Atomics.wait(array, at, value, 1000) !== "timed-out") seconds = 0;
    }
    Atomics.store(this.job, JOB.failed, 1);
    throw new Error(`threads: a helper thread gave no answer in ${patience} s; try one thread`);
  }

  private tell(message: HelperProgram | number): void {
    for (const worker of this.workers) worker.postMessage(message);
    Atomics.add(this.control, CONTROL.messages, 1);
  }

  /** Starts a helper; false where the host allows none. */
  private start(): boolean {
    const data: HelperData = {
      thread: this.workers.length + 1,
      control: this.control,
      job: this.job,
      layout: { JOB, COMMAND },
      CONTROL,
      waiting: WAITING,
      idleSpins: IDLE_SPINS,
    };
    let worker: Worker;
    try {
      worker = new this.host.Worker(SOURCE, { eval: true, workerData: data, execArgv: [], env: {} });
    } catch {
      return false;
    }
    worker.unref();
    // One that cannot start, or is ended from outside while idle, only leaves its share to the others.
    worker.on("error", () => {});
    this.workers.push(worker);
    for (const program of this.programs.values()) worker.postMessage(program);
    Atomics.add(this.control, CONTROL.messages, 1);
    return true;
  }
}

let crew: Crew | undefined;

/** The crew of this process; undefined where there are no threads or no memory to share. */
export function theCrew(): Crew | undefined {
  const host = workerThreads();
  if (!host || typeof SharedArrayBuffer === "undefined") return undefined;
  crew ??= new Crew(host);
  return crew;
}
