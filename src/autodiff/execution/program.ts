import { type ShouldStop, throwIfStopped } from "../../base/index.ts";
import { COMMAND, JOB, type Schedule, WAITING, work } from "../../wasm/index.ts";
import type { Backend, Helpers, Item } from "../backends/backend.ts";
import { bytesOf, fuseSegment, type Group, isGroup, placesOf } from "../plan/fuse.ts";
import { type Instruction, type Plan, totalCost } from "../plan/plan.ts";
import type { Cost, Kernel } from "../primitives/rule.ts";

/** A kernel with where each of its arrays lies. */
interface Step {
  readonly kernel: Kernel;
  readonly regions: Int32Array;
  readonly offsets: Int32Array;
  readonly at: Int32Array;
}

function bind(backend: Backend, item: Item, memory: Float64Array): Step {
  const places = placesOf(item);
  const lowerGroup = backend.lowerGroup as (group: Group, memory: Float64Array) => Kernel;
  return {
    kernel: isGroup(item) ? lowerGroup(item, memory) : backend.lower(item, memory),
    regions: Int32Array.from(places, (place) => place.region),
    offsets: Int32Array.from(places, (place) => place.offset),
    at: new Int32Array(places.length),
  };
}

export interface ProgramOptions {
  readonly plan: Plan;
  /** Segments that follow those of the plan: what the caller does with their results. */
  readonly further?: readonly (readonly Instruction[])[];
  /** The number of regions, if further segments have more than the plan. */
  readonly regions?: number;
  readonly backend: Backend;
  /** The size of the memory; regions are placed in it by `bases` or by the commands of a schedule. */
  readonly entries: number;
  /** Where the constants go (they are written here, once). */
  readonly constantsBase: number;
  /** Where the arena of each thread starts, the caller's first; one thread by default. */
  readonly arenas?: Int32Array;
  /** Whether to measure what segments take. */
  readonly timed?: boolean;
}

/** Flops below which it takes longer to call helpers than to do their share: some ten microseconds' worth. */
const WORTH_HELP = 2e5;

/**
 * A plan bound to a backend's memory. The caller sets the address of every region and runs segments, or hands over a
 * schedule that says both; running allocates nothing.
 */
export class Program {
  readonly memory: Float64Array;
  /** The address of each region, in entries; the caller may move regions between runs. */
  readonly bases: Int32Array;
  /** How often each segment has run, and what one run of it costs. */
  readonly runs: Float64Array;
  readonly costs: readonly Cost[];
  readonly bytes: readonly number[];
  /** Looked at before every schedule and every segment on the caller's thread; what runs ends with `Stopped` where it answers true. */
  shouldStop: ShouldStop | undefined;
  private readonly steps: readonly (readonly Step[])[];
  private readonly arena: number;
  private helpers: Helpers | undefined;
  private readonly helperSeconds: Float64Array | undefined;
  private readonly seconds: Float64Array | undefined;

  constructor(options: ProgramOptions) {
    const { plan, further = [], backend, entries, constantsBase, arenas = new Int32Array(1) } = options;
    this.memory = backend.allocate(entries, arenas.length);
    this.memory.set(plan.constants, constantsBase);
    this.bases = new Int32Array(options.regions ?? plan.regionSizes.length);
    this.bases[plan.constantsRegion] = constantsBase;
    const instructions = [...plan.segments, ...further];
    this.runs = new Float64Array(instructions.length);
    this.costs = instructions.map(totalCost);
    const segments = instructions.map((list, segment) =>
      backend.lowerGroup && segment < plan.segments.length ? fuseSegment(plan, segment) : list,
    );
    this.bytes = segments.map((items) => items.reduce((total, item) => total + bytesOf(item), 0));
    this.steps = segments.map((items) => items.map((item) => bind(backend, item, this.memory)));
    this.arena = arenas[0];
    this.seconds = options.timed ? new Float64Array(instructions.length) : undefined;
    this.execute = options.timed ? this.executeTimed : this.executeUntimed;
    if (arenas.length > 1)
      this.helpers = backend.helpers?.({
        memory: this.memory,
        segments,
        regions: this.bases.length,
        arenas,
      });
    this.helperSeconds = this.helpers?.seconds;
  }

  /** How many threads run schedules. */
  get threads(): number {
    return this.helpers ? this.helpers.seconds.length / this.steps.length : 1;
  }

  runSegment(segment: number): void {
    this.execute(segment);
    this.runs[segment]++;
  }

  /**
   * Runs a schedule for so many chunks. The order in which threads take tasks changes no bit of the results. After an
   * exception no thread is at work any more and what the schedule writes is unfinished; another can be run.
   */
  run(schedule: Schedule, chunks: number): void {
    throwIfStopped("evaluation", this.shouldStop);
    schedule.finish(chunks);
    const { helpers } = this;
    if (helpers && schedule.job[JOB.tasks] > 1 && this.flopsOf(schedule, chunks) > WORTH_HELP)
      helpers.run(schedule, this.seconds !== undefined, this.take);
    else this.take(schedule.job);
    this.count(schedule, chunks);
  }

  /** Matrix products and flops executed so far, by segment. */
  executed(): Cost[] {
    return this.costs.map((cost, segment) => ({
      flops: cost.flops * this.runs[segment],
      products: cost.products * this.runs[segment],
    }));
  }

  /** Seconds that each segment took, a row for each thread, the caller's first; zeros unless timed. */
  secondsByThread(): number[][] {
    const count = this.steps.length;
    const rows = [[...(this.seconds ?? new Float64Array(count))]];
    const { helperSeconds } = this;
    for (let at = count; helperSeconds && at < helperSeconds.length; at += count)
      rows.push([...helperSeconds.subarray(at, at + count)]);
    return rows;
  }

  /** Makes helpers let go of the memory; what follows runs without them. */
  dispose(): void {
    this.helpers?.dispose();
    this.helpers = undefined;
  }

  private readonly take = (job: Int32Array): void => {
    work(job, { JOB, COMMAND }, WAITING, this.bases, this.arena, this.execute);
  };

  private readonly execute: (segment: number) => void;

  private readonly executeTimed = (segment: number): void => {
    const before = performance.now();
    this.executeUntimed(segment);
    (this.seconds as Float64Array)[segment] += (performance.now() - before) / 1000;
  };

  private readonly executeUntimed = (segment: number): void => {
    const { bases, memory } = this;
    throwIfStopped("evaluation", this.shouldStop);
    for (const { kernel, regions, offsets, at } of this.steps[segment]) {
      for (let i = 0; i < at.length; i++) at[i] = bases[regions[i]] + offsets[i];
      kernel(memory, at);
    }
  };

  private flopsOf({ written }: Schedule, chunks: number): number {
    let flops = 0;
    for (let at = JOB.commands; at < written.length; at += 3)
      if (written[at] === COMMAND.run) flops += chunks * this.costs[written[at + 1]].flops;
    return flops;
  }

  private count({ written }: Schedule, chunks: number): void {
    for (let at = JOB.commands; at < written.length; at += 3)
      if (written[at] === COMMAND.run) this.runs[written[at + 1]] += chunks;
  }
}
