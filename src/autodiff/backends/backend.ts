/** What a program asks of a backend: memory, kernels over it, and perhaps other threads. */
import type { Job } from "../../wasm/index.ts";
import type { Group, Instruction, Item } from "../plan/plan.ts";
import type { Kernel } from "../primitives/rule.ts";

/** Turns instructions into kernels over a memory of its own. */
export interface Backend {
  readonly name: string;
  /** A zeroed memory of this many entries. */
  allocate(entries: number): Float64Array;
  /**
   * A kernel for the instruction's layouts; called with the addresses of the result and the operands.
   * @param memory the one it will be called with: what can be prepared for it is prepared now
   */
  lower(instruction: Instruction, memory?: Float64Array): Kernel;
  /**
   * For backends that run fused plans: a kernel for a group, called with the addresses of its outputs, then of its inputs.
   */
  lowerGroup?(group: Group, memory?: Float64Array): Kernel;
  /** The most threads that may run kernels over one memory at a time here and now; 1 where this is not said. */
  mostThreads?(): number;
  /** Why there are no other threads here, as the end of a sentence; undefined while nothing is known against them. */
  threadsObstacle?(): string | undefined;
  /** For backends that run whole segments by themselves, perhaps on several threads. */
  bind?(request: BindRequest): BoundSegments;
}

/** What a backend must know to run segments. */
export interface BindRequest {
  /** The size of the memory. */
  readonly entries: number;
  readonly segments: readonly (readonly Item[])[];
  readonly regions: number;
  /** Where each thread's arena starts; the caller's is the first. */
  readonly arenas: Int32Array;
}

/** Segments over a memory of their own. */
export interface BoundSegments {
  /** Zeros at first. */
  readonly memory: Float64Array;
  /** Where each region starts, in entries: the caller's to set. */
  readonly bases: Int32Array;
  /** Runs a segment on the caller's thread. */
  run(segment: number): void;
  /** Threads that know these segments; undefined where there are none to be had or only one arena was asked for. */
  readonly helpers: Helpers | undefined;
}

/** Other threads that take tasks of the caller's jobs. */
export interface Helpers {
  /** How many threads there are now, the caller's included: fewer than were asked for after one was lost. */
  readonly threads: number;
  /** Seconds that each segment took while times were asked for: a row for each thread; the caller's is its own affair. */
  readonly seconds: Float64Array;
  /**
   * Does a job together with the caller and returns when all is done. Throws what `take` throws, and where a helper failed;
   * one that was lost only makes the job start again.
   * @param timed whether helpers look at the clock
   * @param clear sets the ranges of `job.zeros` to 0; called whenever the job starts
   * @param take takes tasks from the array on the caller's thread, handing `watch` on to `work`
   */
  run(
    job: Job,
    timed: boolean,
    clear: (job: Job) => void,
    take: (job: Int32Array, watch: () => void) => void,
  ): void;
  /** Makes the other threads let go of the memory. */
  dispose(): void;
}
