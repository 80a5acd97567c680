/**
 * What a helper thread is: a function whose text is sent to a thread without any other code. It waits for jobs and takes
 * tasks of them, and runs programs from their bytecode (`../programs/bytecode.ts`).
 */
import type { Engine, Memory, Module } from "../emit/engine.ts";
import type { Port, WorkerThreads } from "./host.ts";
import type { JobWords } from "./job.ts";

/** What all threads share besides jobs: one array of 32-bit integers. */
export const CONTROL = {
  /** Even: a job is open, or was; odd: one is being written. Idle helpers wait for it to change. */
  generation: 0,
  /** How often a helper has stopped taking tasks. */
  left: 1,
  /** Threads that may take part in the job, the caller included, and the program that they run. */
  threads: 2,
  program: 3,
  /** How often there have been messages. */
  messages: 4,
  /** Whether to measure. */
  timed: 5,
  /** Characters of a failed helper's message, and where they are. */
  failure: 6,
  text: 16,
  textLength: 512,
  /** Two numbers for each thread, so far apart that no two threads write to one cache line: its state, its pulse. */
  threadWords: 528,
  threadStride: 16,
  /** After the state: a number that changes while the thread gets on. */
  pulse: 1,
  length: 528 + 16 * 64,
} as const;

/** The states of a helper. */
export const STATE = {
  /** Not started yet. */
  absent: 0,
  /** Waiting for a job. */
  idle: 1,
  /** Taking tasks. */
  working: 2,
  /** Ended, or given up: it takes no task any more. */
  lost: 3,
} as const;

/** A program as a helper sees it. */
export interface HelperProgram {
  readonly id: number;
  readonly memory: Memory;
  /** How long the header of a thread in front of the memory's entries is, and where in it the starts of regions and the pulse stand, in bytes. */
  readonly header: number;
  readonly bases: number;
  readonly pulse: number;
  readonly modules: readonly Module[];
  readonly runner: Module;
  /** Where each segment of the bytecode starts in the memory, in bytes; one more than there are segments. */
  readonly starts: Int32Array;
  readonly regions: number;
  readonly arenas: Int32Array;
  /** Seconds by segment, a row for each thread. */
  readonly seconds: Float64Array;
}

/** What a helper is started with. */
export interface HelperData {
  /** Its number among the threads, from 1. */
  readonly thread: number;
  readonly control: Int32Array;
  readonly job: Int32Array;
  readonly jobWords: JobWords;
  readonly CONTROL: typeof CONTROL;
  readonly STATE: typeof STATE;
  readonly spins: number;
  readonly idleSpins: number;
}

type Work = typeof import("./job.ts").work;

/**
 * All that a helper thread does. Runs from its own text, so it names nothing outside itself. Returns only when it has been
 * given up.
 * @param work the function of that name in `job.ts`
 */
export function help(threads: WorkerThreads, work: Work): void {
  const { thread, control, job, jobWords, CONTROL, STATE, spins, idleSpins } =
    threads.workerData as HelperData;
  const state = CONTROL.threadWords + CONTROL.threadStride * thread;
  const pulse = state + CONTROL.pulse;
  const programs = new Map<number, { bases: Int32Array; arena: number; run: (segment: number) => void }>();
  let known = 0;

  const live = (): void => {
    control[pulse]++;
  };

  const load = (program: HelperProgram): void => {
    const { id, memory, header, modules, runner, starts, regions, arenas, seconds } = program;
    const base = thread * header;
    const bases = new Int32Array(memory.buffer, base + program.bases, regions);
    const { Instance, Table } = (globalThis as unknown as { readonly WebAssembly: Engine }).WebAssembly;
    const table = new Table({ element: "anyfunc", initial: modules.length });
    modules.forEach((module, place) => {
      live();
      table.set(place, new Instance(module, { env: { memory, base } }).exports.run);
    });
    const execute = new Instance(runner, { env: { memory, base, table } }).exports.run;
    const run = (segment: number): void => {
      const before = control[CONTROL.timed] ? performance.now() : 0;
      execute(starts[segment], starts[segment + 1]);
      live();
      if (control[CONTROL.timed])
        seconds[thread * (starts.length - 1) + segment] += (performance.now() - before) / 1000;
    };
    programs.set(id, { bases, arena: arenas[thread], run });
  };

  const listen = (): void => {
    const messages = Atomics.load(control, CONTROL.messages);
    if (messages === known) return;
    known = messages;
    for (;;) {
      const received = threads.receiveMessageOnPort(threads.parentPort as Port);
      if (!received) return;
      const message = received.message as HelperProgram | number;
      if (typeof message === "number") programs.delete(message);
      else load(message);
    }
  };

  const fail = (error: unknown): void => {
    const text = String(error).slice(0, CONTROL.textLength);
    for (let i = 0; i < text.length; i++) control[CONTROL.text + i] = text.charCodeAt(i);
    Atomics.store(control, CONTROL.failure, text.length);
    Atomics.store(job, jobWords.JOB.failed, 1);
    Atomics.notify(job, jobWords.JOB.done);
  };

  Atomics.store(control, state, STATE.idle);
  Atomics.notify(control, state);
  let seen = -1;
  for (;;) {
    let now = Atomics.load(control, CONTROL.generation);
    for (let looks = 0; now === seen || now % 2 !== 0; looks++) {
      if (looks > idleSpins) Atomics.wait(control, CONTROL.generation, now);
      now = Atomics.load(control, CONTROL.generation);
    }
    seen = now;
    Atomics.store(control, state, STATE.working);
    // The caller does not write another job while a helper is working that has seen this one.
    if (Atomics.load(control, CONTROL.generation) === now && thread < control[CONTROL.threads]) {
      try {
        listen();
        const program = programs.get(control[CONTROL.program]);
        if (program) work(job, jobWords, spins, program.bases, program.arena, program.run, live);
      } catch (error) {
        fail(error);
      }
    }
    if (Atomics.compareExchange(control, state, STATE.working, STATE.idle) !== STATE.working) return;
    Atomics.add(control, CONTROL.left, 1);
    Atomics.notify(control, CONTROL.left);
  }
}
