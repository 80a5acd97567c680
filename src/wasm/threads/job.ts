/**
 * Jobs: what threads do together, as numbers in one array that any of them can read. A job says, for each chunk of
 * examples, where every region of the memory lies and which segments of a program run, in one or several tasks; threads take
 * tasks until none are left. A sum over chunks is accumulated in the order of chunks, whichever thread has which, so no bit
 * of a result depends on who did what.
 */

/** Where the numbers of a job stand. A head, then commands. */
export const JOB = {
  /** The next task to take, how many there are, and how many are done. */
  next: 0,
  tasks: 1,
  done: 2,
  /** Not 0 after a thread failed, was stopped or was lost. */
  failed: 3,
  /** Task t is the (t mod tasksPerChunk)-th of chunk ⌊t / tasksPerChunk⌋. */
  tasksPerChunk: 4,
  /** Where chunks start in the memory, and how far apart they are, in entries. */
  chunkStart: 5,
  chunkStride: 6,
  /** For each sum, the number of chunks that it has accumulated so far. */
  accumulated: 8,
  /** Where the commands of each task of a chunk start; one number more than tasks per chunk. */
  starts: 136,
  commands: 168,
  length: 8192,
} as const;

/** Commands are three numbers: what to do, and with what. */
export const COMMAND = {
  /** Region a starts at entry b. */
  setRegion: 0,
  /** Region a starts b entries after the start of the thread's own arena. */
  setRegionInArena: 1,
  /** Region a starts b entries after the start of the chunk. */
  setRegionInChunk: 2,
  /** Runs segment a. */
  run: 3,
  /** Runs segment a, which adds to sum b: after the chunks before this one, and before those that follow. */
  accumulate: 4,
} as const;

const MOST_SUMS = JOB.starts - JOB.accumulated;
const MOST_TASKS = JOB.commands - JOB.starts - 1;

/**
 * Writes a job: `begin`, then for each task of a chunk `task` and its commands, then `finish`. Starting a job again from
 * its beginning gives the same bits, as long as the ranges named by `zero` are cleared first.
 */
export class Job {
  readonly words = new Int32Array(JOB.length);
  /** Ranges of the memory that must be 0 before the job starts: first entry and number of entries, in pairs. */
  readonly zeros: number[] = [];
  /** The segments that the tasks of a chunk run, in order. */
  readonly runs: number[] = [];
  private end = 0;
  private tasks = 0;
  private sums = 0;

  /** What there is to tell another thread. */
  get written(): Int32Array {
    return this.words.subarray(0, this.end);
  }

  /** Starts anew. Chunk c is the range of the memory from entry `chunkStart` + c·`chunkStride` on. */
  begin(chunkStart: number, chunkStride: number): void {
    this.words[JOB.chunkStart] = chunkStart;
    this.words[JOB.chunkStride] = chunkStride;
    this.zeros.length = 0;
    this.runs.length = 0;
    this.end = JOB.commands;
    this.tasks = 0;
    this.sums = 0;
  }

  /** These entries are 0 when the job starts: sums that it accumulates from nothing. */
  zero(start: number, length: number): void {
    this.zeros.push(start, length);
  }

  /** What follows, up to the next one, is a task of its own for every chunk. */
  task(): void {
    this.words[JOB.starts + this.tasks] = this.end;
    this.tasks++;
  }

  setRegion(region: number, entry: number): void {
    this.command(COMMAND.setRegion, region, entry);
  }

  setRegionInArena(region: number, offset: number): void {
    this.command(COMMAND.setRegionInArena, region, offset);
  }

  setRegionInChunk(region: number, offset: number): void {
    this.command(COMMAND.setRegionInChunk, region, offset);
  }

  run(segment: number): void {
    this.command(COMMAND.run, segment, 0);
    this.runs.push(segment);
  }

  /** Runs a segment that adds to a sum over chunks, another one for each call, in the order of chunks. */
  accumulate(segment: number): void {
    this.command(COMMAND.accumulate, segment, this.sums);
    this.runs.push(segment);
    this.sums++;
  }

  /** Ends the writing; no task has been taken yet. Throws for a job longer than the room for it. */
  finish(chunks: number): void {
    const { words } = this;
    if (this.end > JOB.length || this.sums > MOST_SUMS || this.tasks > MOST_TASKS)
      throw new Error("job: longer than the room for it");
    words[JOB.starts + this.tasks] = this.end;
    words[JOB.tasksPerChunk] = this.tasks;
    words[JOB.tasks] = chunks * this.tasks;
    this.rewind();
  }

  /** Sets the job to its beginning. The ranges of `zeros` are the caller's to clear. */
  rewind(): void {
    const { words } = this;
    words[JOB.next] = 0;
    words[JOB.done] = 0;
    words[JOB.failed] = 0;
    words.fill(0, JOB.accumulated, JOB.accumulated + this.sums);
  }

  private command(what: number, a: number, b: number): void {
    const { words, end } = this;
    words[end] = what;
    words[end + 1] = a;
    words[end + 2] = b;
    this.end += 3;
  }
}

/** The numbers above, passed to `work` because it may not name anything outside itself. */
export interface JobWords {
  readonly JOB: typeof JOB;
  readonly COMMAND: typeof COMMAND;
}

/** Looks before a thread that waits for another goes to sleep: some twenty microseconds. */
export const SPINS = 5000;

/**
 * Takes tasks of a job until none are left: the same function on every thread, the caller's included. Its text is also
 * sent to other threads, so it must not name anything outside itself and have no function inside. Once another thread has
 * failed or was stopped, returns before the next segment; what `run` or `watch` throws is thrown on.
 * @param spins see `SPINS`
 * @param bases the address of each region, this thread's own; overwritten
 * @param arena where this thread's arena starts
 * @param run runs a segment with `bases`
 * @param watch called after every second in which this thread waited for a chunk of another one
 */
export function work(
  job: Int32Array,
  { JOB, COMMAND }: JobWords,
  spins: number,
  bases: Int32Array,
  arena: number,
  run: (segment: number) => void,
  watch: () => void,
): void {
  for (;;) {
    const task = Atomics.add(job, JOB.next, 1);
    if (task >= job[JOB.tasks] || Atomics.load(job, JOB.failed) !== 0) return;
    const perChunk = job[JOB.tasksPerChunk];
    const chunk = Math.floor(task / perChunk);
    const start = JOB.starts + (task % perChunk);
    const chunkBase = job[JOB.chunkStart] + chunk * job[JOB.chunkStride];
    for (let at = job[start]; at < job[start + 1]; at += 3) {
      const a = job[at + 1];
      const b = job[at + 2];
      switch (job[at]) {
        case COMMAND.setRegion:
          bases[a] = b;
          break;
        case COMMAND.setRegionInArena:
          bases[a] = arena + b;
          break;
        case COMMAND.setRegionInChunk:
          bases[a] = chunkBase + b;
          break;
        case COMMAND.run:
          if (Atomics.load(job, JOB.failed) !== 0) return;
          run(a);
          break;
        default: {
          const sum = JOB.accumulated + b;
          for (let looks = 0; ; looks++) {
            const chunks = Atomics.load(job, sum);
            if (chunks === chunk) break;
            if (Atomics.load(job, JOB.failed) !== 0) return;
            if (looks > spins && Atomics.wait(job, sum, chunks, 1000) === "timed-out") watch();
          }
          run(a);
          Atomics.store(job, sum, chunk + 1);
          Atomics.notify(job, sum);
        }
      }
    }
    if (Atomics.add(job, JOB.done, 1) + 1 === job[JOB.tasks]) Atomics.notify(job, JOB.done);
  }
}
