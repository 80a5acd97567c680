/**
 * A job as numbers: a head, then commands. One array of 32-bit integers, so that any number of threads can share it.
 */
export const JOB = {
  /** The next task to take, how many there are, and how many are done. */
  next: 0,
  tasks: 1,
  done: 2,
  /** Not 0 after a thread failed or was stopped. */
  failed: 3,
  /** Tasks per chunk: task t is variant t mod variants of chunk ⌊t / variants⌋. */
  variants: 4,
  /** Where chunks start in the memory, and how far apart they are, in entries. */
  chunkStart: 5,
  chunkStride: 6,
  /** How many chunks each sum has taken up so far. */
  turns: 8,
  /** Where the commands of each variant start; one number more than variants. */
  starts: 136,
  commands: 168,
  length: 8192,
} as const;

/** Commands are three numbers: what to do, and with what. */
export const COMMAND = {
  /** Region a starts at entry b. */
  place: 0,
  /** Region a starts b entries after the start of the thread's own arena. */
  placeOwn: 1,
  /** Region a starts b entries after the start of the chunk. */
  placeInChunk: 2,
  /** Runs segment a. */
  run: 3,
  /** Waits until sum a has taken up the chunks before this one. */
  await: 4,
  /** Says that sum a has taken up this chunk. */
  pass: 5,
} as const;

const MOST_TURNS = JOB.starts - JOB.turns;
const MOST_VARIANTS = JOB.commands - JOB.starts - 1;

/**
 * Writes a job: the commands that every chunk of examples goes through, in one or several variants that may run at the
 * same time. Sums over chunks are taken in the order of chunks, whichever thread has which.
 */
export class Schedule {
  readonly job = new Int32Array(JOB.length);
  private end = 0;
  private variants = 0;
  private turns = 0;

  /** What there is to tell another thread. */
  get written(): Int32Array {
    return this.job.subarray(0, this.end);
  }

  begin(chunkStart: number, chunkStride: number): void {
    this.job[JOB.chunkStart] = chunkStart;
    this.job[JOB.chunkStride] = chunkStride;
    this.end = JOB.commands;
    this.variants = 0;
    this.turns = 0;
  }

  /** What follows, up to the next one, is a task of its own for every chunk. */
  variant(): void {
    this.job[JOB.starts + this.variants] = this.end;
    this.variants++;
  }

  place(region: number, entry: number): void {
    this.command(COMMAND.place, region, entry);
  }

  placeOwn(region: number, offset: number): void {
    this.command(COMMAND.placeOwn, region, offset);
  }

  placeInChunk(region: number, offset: number): void {
    this.command(COMMAND.placeInChunk, region, offset);
  }

  run(segment: number): void {
    this.command(COMMAND.run, segment, 0);
  }

  /** Runs a segment that adds to a sum over chunks: after the chunks before, and before those that follow. */
  runInTurn(segment: number): void {
    this.command(COMMAND.await, this.turns, 0);
    this.run(segment);
    this.command(COMMAND.pass, this.turns, 0);
    this.turns++;
  }

  /** Ends the writing; no task has been taken yet. */
  finish(chunks: number): void {
    const { job } = this;
    if (this.end > JOB.length || this.turns > MOST_TURNS || this.variants > MOST_VARIANTS)
      throw new Error("schedule: a job longer than the room for it");
    job[JOB.starts + this.variants] = this.end;
    job[JOB.variants] = this.variants;
    job[JOB.tasks] = chunks * this.variants;
    job[JOB.next] = 0;
    job[JOB.done] = 0;
    job[JOB.failed] = 0;
    job.fill(0, JOB.turns, JOB.turns + this.turns);
  }

  private command(what: number, a: number, b: number): void {
    const { job, end } = this;
    job[end] = what;
    job[end + 1] = a;
    job[end + 2] = b;
    this.end += 3;
  }
}

/** The parts of `JOB` and `COMMAND`, passed to `work` because it may not name anything outside itself. */
export interface Layout {
  readonly JOB: typeof JOB;
  readonly COMMAND: typeof COMMAND;
}

/** How threads wait for one another. */
export interface Waiting {
  /** Looks before a thread that waits goes to sleep. */
  readonly spins: number;
  /** Seconds without any change after which the other one is given up. */
  readonly patience: number;
}

/** Some twenty microseconds, and longer than any stage of any chunk takes. */
export const WAITING: Waiting = { spins: 5000, patience: 600 };

/**
 * Takes tasks of a job until none are left: the same function on every thread, the caller's included. Its text is also
 * sent to other threads, so it must not name anything outside itself and have no function inside. Once another thread has
 * failed or was stopped, returns before the next segment; what `run` throws is thrown on.
 * @param bases the address of each region, this thread's own
 * @param arena where this thread's arena starts
 * @param run runs a segment with `bases`
 */
export function work(
  job: Int32Array,
  { JOB, COMMAND }: Layout,
  { spins, patience }: Waiting,
  bases: Int32Array,
  arena: number,
  run: (segment: number) => void,
): void {
  for (;;) {
    const task = Atomics.add(job, JOB.next, 1);
    if (task >= job[JOB.tasks] || Atomics.load(job, JOB.failed) !== 0) return;
    const variants = job[JOB.variants];
    const chunk = Math.floor(task / variants);
    const start = JOB.starts + (task % variants);
    const chunkBase = job[JOB.chunkStart] + chunk * job[JOB.chunkStride];
    for (let at = job[start]; at < job[start + 1]; at += 3) {
      const a = job[at + 1];
      const b = job[at + 2];
      switch (job[at]) {
        case COMMAND.place:
          bases[a] = b;
          break;
        case COMMAND.placeOwn:
          bases[a] = arena + b;
          break;
        case COMMAND.placeInChunk:
          bases[a] = chunkBase + b;
          break;
        case COMMAND.run:
          if (Atomics.load(job, JOB.failed) !== 0) return;
          run(a);
          break;
        case COMMAND.await:
          for (let looks = 0; ; looks++) {
            const taken = Atomics.load(job, JOB.turns + a);
            if (taken === chunk) break;
            if (Atomics.load(job, JOB.failed) !== 0) return;
            if (looks > spins + patience)
              throw new Error(`threads: another thread gave no answer in ${patience} s; try one thread`);
            if (looks > spins) Atomics.wait(job, JOB.turns + a, taken, 1000);
          }
          break;
        default:
          Atomics.store(job, JOB.turns + a, chunk + 1);
          Atomics.notify(job, JOB.turns + a);
      }
    }
    if (Atomics.add(job, JOB.done, 1) + 1 === job[JOB.tasks]) Atomics.notify(job, JOB.done);
  }
}
