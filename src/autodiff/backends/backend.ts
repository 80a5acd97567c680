import type { Schedule } from "../../wasm/index.ts";
import type { Group } from "../plan/fuse.ts";
import type { Instruction } from "../plan/plan.ts";
import type { Kernel } from "../primitives/rule.ts";

/** What a segment of a plan consists of. */
export type Item = Instruction | Group;

/** Turns instructions into kernels over a memory of its own. */
export interface Backend {
  readonly name: string;
  /** A zeroed memory of this many entries, for so many threads at a time (1 by default). */
  allocate(entries: number, threads?: number): Float64Array;
  /**
   * A kernel for the instruction's layouts; called with the addresses of the result and the operands.
   * @param memory the one it will be called with: what can be prepared for it is prepared now
   */
  lower(instruction: Instruction, memory?: Float64Array): Kernel;
  /**
   * For backends that evaluate elementwise instructions together: a kernel for a group, called with the addresses of
   * its outputs, then of its inputs.
   */
  lowerGroup?(group: Group, memory?: Float64Array): Kernel;
  /** The most threads that may run kernels over one memory at a time here and now; 1 where this is not said. */
  mostThreads?(): number;
  /**
   * For backends whose kernels run on several threads: helpers that know these segments over a memory that was
   * allocated for them; undefined where there are none to be had.
   */
  helpers?(request: HelpRequest): Helpers | undefined;
}

export interface HelpRequest {
  readonly memory: Float64Array;
  readonly segments: readonly (readonly Item[])[];
  readonly regions: number;
  /** Where each thread's arena starts; the caller's is the first. */
  readonly arenas: Int32Array;
}

/** Other threads that take tasks of the caller's jobs. */
export interface Helpers {
  /** Seconds that each segment took while times were asked for: a row for each thread; the caller's is its own affair. */
  readonly seconds: Float64Array;
  /**
   * Does a job together with the caller: calls `take` with the array to take tasks from, and returns when all are done.
   * Throws when a helper failed.
   * @param timed whether helpers look at the clock
   */
  run(schedule: Schedule, timed: boolean, take: (job: Int32Array) => void): void;
  /** Makes the other threads let go of the memory. */
  dispose(): void;
}
