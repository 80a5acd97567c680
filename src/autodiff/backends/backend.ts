import type { Group } from "../plan/fusion.ts";
import type { Instruction } from "../plan/plan.ts";
import type { Kernel } from "../primitives/rule.ts";

/** Turns instructions into kernels over a memory of its own. */
export interface Backend {
  readonly name: string;
  /** A zeroed memory of this many entries. */
  allocate(entries: number): Float64Array;
  /** A kernel for the instruction's layouts; called with the addresses of the result and the operands. */
  lower(instruction: Instruction): Kernel;
  /**
   * For backends that evaluate elementwise instructions together: a kernel for a group, called with the addresses of
   * its outputs, then of its inputs.
   */
  lowerGroup?(group: Group): Kernel;
}
