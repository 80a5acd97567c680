import type { Backend } from "./backends/backend.ts";
import { fuseSegment, type Group, isGroup } from "./plan/fusion.ts";
import { type Instruction, type Location, type Plan, totalCost } from "./plan/plan.ts";
import type { Cost, Kernel } from "./primitives/rule.ts";

/** A kernel with where each of its arrays lies. */
interface Step {
  readonly kernel: Kernel;
  readonly regions: Int32Array;
  readonly offsets: Int32Array;
  readonly at: Int32Array;
}

const bind = ({ result, operands }: Instruction, kernel: Kernel): Step =>
  stepOf(kernel, [result, ...operands]);

const bindGroup = ({ outputs, inputs }: Group, kernel: Kernel): Step =>
  stepOf(kernel, [...outputs.map(({ result }) => result), ...inputs]);

function stepOf(kernel: Kernel, places: readonly Location[]): Step {
  return {
    kernel,
    regions: Int32Array.from(places, (place) => place.region),
    offsets: Int32Array.from(places, (place) => place.offset),
    at: new Int32Array(places.length),
  };
}

/**
 * A plan bound to a backend's memory. The caller sets the address of every region and runs segments; running
 * allocates nothing.
 */
export class Program {
  readonly memory: Float64Array;
  /** The address of each region, in entries; the caller may move regions between runs. */
  readonly bases: Int32Array;
  /** How often each segment has run, and what one run of it costs. */
  readonly runs: Float64Array;
  readonly costs: readonly Cost[];
  private readonly steps: readonly (readonly Step[])[];

  /**
   * @param entries the size of the memory; regions are placed in it by `bases`
   * @param constantsBase where the constants go (they are written here, once)
   */
  constructor(plan: Plan, backend: Backend, entries: number, constantsBase: number) {
    this.memory = backend.allocate(entries);
    this.bases = new Int32Array(plan.regionSizes.length);
    this.bases[plan.constantsRegion] = constantsBase;
    this.memory.set(plan.constants, constantsBase);
    this.runs = new Float64Array(plan.segments.length);
    this.costs = plan.segments.map(totalCost);
    this.steps = plan.segments.map((instructions, segment) => {
      const { lowerGroup } = backend;
      if (!lowerGroup)
        return instructions.map((instruction) => bind(instruction, backend.lower(instruction)));
      return fuseSegment(plan, segment).map((item) =>
        isGroup(item) ? bindGroup(item, lowerGroup(item)) : bind(item, backend.lower(item)),
      );
    });
  }

  runSegment(segment: number): void {
    const { bases, memory } = this;
    for (const { kernel, regions, offsets, at } of this.steps[segment]) {
      for (let i = 0; i < at.length; i++) at[i] = bases[regions[i]] + offsets[i];
      kernel(memory, at);
    }
    this.runs[segment]++;
  }

  /** Matrix products and flops executed so far, by segment. */
  executed(): Cost[] {
    return this.costs.map((cost, segment) => ({
      flops: cost.flops * this.runs[segment],
      products: cost.products * this.runs[segment],
    }));
  }
}
