import { afterEach, describe, expect, test } from "vitest";
import {
  type Call,
  engine,
  int,
  Job,
  type Module,
  ModuleWriter,
  moduleOf,
  PROGRAM,
  RUNNER,
  repeatWhile,
  ThreadPool,
} from "../../../src/wasm/index.ts";
import { type Worker, type WorkerThreads, workerThreads } from "../../../src/wasm/threads/host.ts";
import { JOB } from "../../../src/wasm/threads/job.ts";

const host = workerThreads() as WorkerThreads;

const started: Worker[] = [];
afterEach(() => {
  for (const worker of started.splice(0)) worker.terminate();
});

/** Node's threads, with the text of a helper changed; what is started is kept in `started`. */
function hostWith(change: (source: string) => string = (source) => source): WorkerThreads {
  class Changed {
    constructor(source: string, options: ConstructorParameters<WorkerThreads["Worker"]>[1]) {
      const worker = new host.Worker(change(source), options);
      started.push(worker);
      // biome-ignore lint/correctness/noConstructorReturn: stands in for the class that it wraps
      return worker as never;
    }
  }
  return { ...host, Worker: Changed as unknown as WorkerThreads["Worker"] };
}

/** A pool with a program of one segment that calls one kernel, and a job of four chunks that run it. */
function poolWith(module: Module, threads: WorkerThreads = hostWith()) {
  const pool = new ThreadPool(threads);
  pool.start(2);
  const memory = new (engine() as NonNullable<ReturnType<typeof engine>>).Memory({
    initial: 1,
    maximum: 1,
    shared: true,
  });
  const program = pool.add({
    ...{ memory, header: 0, ...PROGRAM, modules: [module], runner: moduleOf(RUNNER, true) },
    // Kernel 0 without arrays and words: three zeros, as the memory has them.
    ...{ starts: Int32Array.of(4096, 4096 + 12), regions: 1 },
    ...{ arenas: Int32Array.of(0, 0), seconds: new Float64Array(new SharedArrayBuffer(16)) },
  });
  const job = new Job();
  job.begin(0, 0);
  job.task();
  job.run(0);
  job.finish(4);
  const run = (take: (words: Int32Array) => void, clear = (): void => {}): void =>
    pool.run({ program, threads: 2, job, timed: false, clear, take });
  return { pool, run };
}

const kernel = (key: string, write: () => ModuleWriter): Module => {
  const call: Call = { key, write, arrays: [], words: [] };
  return moduleOf(call, true);
};

/** A kernel that never ends. */
const endless = (): Module =>
  kernel("endless", () => {
    const module = new ModuleWriter();
    module.function("run", 0, () => repeatWhile([], int(1)));
    return module;
  });

/** What a thread does that takes every task that is left. */
function takeAll(words: Int32Array): number {
  let taken = 0;
  while (Atomics.add(words, JOB.next, 1) < words[JOB.tasks]) {
    taken++;
    Atomics.add(words, JOB.done, 1);
  }
  return taken;
}

/** Waits until a helper has taken a task, so that it is in the middle of it. */
function untilTaken(words: Int32Array): void {
  const end = performance.now() + 20_000;
  while (Atomics.load(words, JOB.next) === 0 && performance.now() < end);
  expect(Atomics.load(words, JOB.next)).toBeGreaterThan(0);
}

describe("a helper that does not come back from a task", () => {
  test.each([
    ["is ended from outside", () => started[0].terminate()],
    ["never finishes a kernel", () => {}],
  ])(
    "%s: it is given up within seconds, and the job is done from its beginning by the rest",
    (_, end) => {
      const { pool, run } = poolWith(endless());
      expect(pool.ready()).toBe(true);
      expect(pool.alive(2)).toBe(2);
      let attempts = 0;
      let cleared = 0;
      let taken = 0;
      run(
        (words) => {
          attempts++;
          if (attempts === 1) {
            untilTaken(words);
            end();
          }
          taken = takeAll(words);
        },
        () => {
          cleared++;
        },
      );
      expect({ attempts, cleared, taken }).toEqual({ attempts: 2, cleared: 2, taken: 4 });
      expect(pool.alive(2)).toBe(1);
      // The pool works on.
      let again = 0;
      run((words) => {
        again = takeAll(words);
      });
      expect(again).toBe(4);
    },
    60_000,
  );
});

test("a helper that fails is an error with a sentence, and so is what fails on this thread", () => {
  const { pool, run } = poolWith({} as never);
  expect(pool.ready()).toBe(true);
  const end = performance.now() + 20_000;
  const jobs = (): void => {
    // The helper takes up the program while this thread finishes one job after another.
    while (performance.now() < end)
      run((words) => {
        Atomics.store(words, JOB.done, words[JOB.tasks]);
      });
  };
  expect(jobs).toThrow(/^threads: a helper thread failed \(.*\); try one thread$/);
  expect(() =>
    run(() => {
      throw new RangeError("here");
    }),
  ).toThrow("here");
});

describe("hosts whose threads are unlike Node's", () => {
  test.each([
    [
      "a text that names what is not there, as minifiers that keep names make it",
      (source: string) => source.replace(/const live = /, "const named = o(() => {}, 'named'), live = "),
      /^helper threads ended: ReferenceError: o is not defined$/,
    ],
    ["threads that stay silent", () => "", /^a helper thread did not start in \d+ s$/],
  ])(
    "%s: no helpers, and the reason in words",
    (_, change, reason) => {
      const pool = new ThreadPool(hostWith(change));
      pool.start(2);
      expect(started.length).toBe(1);
      expect(pool.ready()).toBe(false);
      expect(pool.obstacle).toMatch(reason);
      expect(pool.ready()).toBe(false);
    },
    60_000,
  );

  test("a host that starts no threads", () => {
    class Refusing {
      constructor() {
        throw new Error("not allowed here");
      }
    }
    const pool = new ThreadPool({ ...host, Worker: Refusing as unknown as WorkerThreads["Worker"] });
    pool.start(2);
    expect(pool.ready()).toBe(false);
    expect(pool.obstacle).toBe("this host starts no helper threads (not allowed here)");
  });
});
