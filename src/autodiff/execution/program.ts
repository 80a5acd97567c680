import { type ShouldStop, throwIfStopped } from "../../base/index.ts";
import { COMMAND, JOB, type Job, SPINS, work } from "../../wasm/index.ts";
import type { Backend, BindRequest, BoundSegments, Helpers } from "../backends/backend.ts";
import { fusePlan } from "../plan/fuse.ts";
import {
  arraysOf,
  bytesOf,
  type Group,
  type Instruction,
  type Item,
  isGroup,
  type Plan,
  totalCost,
} from "../plan/plan.ts";
import { verifyPlan } from "../plan/verify.ts";
import type { Cost, Kernel } from "../primitives/rule.ts";

/** A kernel with where each of its arrays lies. */
interface Step {
  readonly kernel: Kernel;
  readonly regions: Int32Array;
  readonly offsets: Int32Array;
  readonly at: Int32Array;
}

function bind(backend: Backend, item: Item, memory: Float64Array): Step {
  const arrays = arraysOf(item);
  const lowerGroup = backend.lowerGroup as (group: Group, memory: Float64Array) => Kernel;
  return {
    kernel: isGroup(item) ? lowerGroup(item, memory) : backend.lower(item, memory),
    regions: Int32Array.from(arrays, ({ region }) => region),
    offsets: Int32Array.from(arrays, ({ offset }) => offset),
    at: new Int32Array(arrays.length),
  };
}

/** Segments as kernels called one by one, for a backend that does not run segments itself. */
function bindSteps(backend: Backend, { entries, segments, regions }: BindRequest): BoundSegments {
  const memory = backend.allocate(entries);
  const bases = new Int32Array(regions);
  const steps = segments.map((items) => items.map((item) => bind(backend, item, memory)));
  const run = (segment: number): void => {
    for (const { kernel, regions, offsets, at } of steps[segment]) {
      for (let i = 0; i < at.length; i++) at[i] = bases[regions[i]] + offsets[i];
      kernel(memory, at);
    }
  };
  return { memory, bases, run, helpers: undefined };
}

export interface ProgramOptions {
  readonly plan: Plan<Instruction>;
  /** Segments that follow those of the plan: what the caller does with their results. */
  readonly further?: readonly (readonly Instruction[])[];
  /** The number of regions, if further segments have more than the plan. */
  readonly regions?: number;
  readonly backend: Backend;
  /** The size of the memory; where regions start in it is said by `bases` or by the commands of a job. */
  readonly entries: number;
  /** Where the constants go (they are written here, once). */
  readonly constantsBase: number;
  /** Where the arena of each thread starts, the caller's first; one thread by default. */
  readonly arenas?: Int32Array;
  /** Whether to measure what segments take. */
  readonly timed?: boolean;
}

/** What a thread that works alone does while it waits: never called. */
const alone = (): void => {};

/** Flops below which it takes longer to call helpers than to do their share: some ten microseconds' worth. */
const WORTH_HELP = 2e5;

/**
 * A plan bound to a backend's memory. The caller sets the address of every region and runs segments, or hands over a
 * job that says both; running allocates nothing.
 */
export class Program {
  /** What runs: the plan it was given, fused where the backend runs groups, and verified. */
  readonly plan: Plan;
  readonly memory: Float64Array;
  /** The address of each region, in entries; the caller may move regions between runs. */
  readonly bases: Int32Array;
  /** How often each segment has run, and what one run of it costs. */
  readonly runs: Float64Array;
  readonly costs: readonly Cost[];
  readonly bytes: readonly number[];
  /** Looked at before every job and every segment on the caller's thread; what runs ends with `Stopped` where it answers true. */
  shouldStop: ShouldStop | undefined;
  /** What runs a segment on the caller's thread. */
  private readonly step: (segment: number) => void;
  private readonly arena: number;
  private helpers: Helpers | undefined;
  private readonly helperSeconds: Float64Array | undefined;
  private readonly seconds: Float64Array | undefined;

  constructor(options: ProgramOptions) {
    const { further = [], backend, entries, constantsBase, arenas = new Int32Array(1) } = options;
    const plan = backend.lowerGroup ? fusePlan(options.plan) : options.plan;
    verifyPlan(plan);
    this.plan = plan;
    const segments: readonly (readonly Item[])[] = [...plan.segments, ...further];
    const regions = options.regions ?? plan.regionSizes.length;
    const request = { entries, segments, regions, arenas };
    const { memory, bases, run, helpers } = backend.bind?.(request) ?? bindSteps(backend, request);
    this.memory = memory;
    this.memory.set(plan.constants, constantsBase);
    this.bases = bases;
    this.bases[plan.constantsRegion] = constantsBase;
    this.step = run;
    this.helpers = helpers;
    this.runs = new Float64Array(segments.length);
    this.costs = segments.map(totalCost);
    this.bytes = segments.map((items) => items.reduce((total, item) => total + bytesOf(item), 0));
    this.arena = arenas[0];
    this.seconds = options.timed ? new Float64Array(segments.length) : undefined;
    this.execute = options.timed ? this.executeTimed : this.executeUntimed;
    this.helperSeconds = this.helpers?.seconds;
  }

  /** How many threads run jobs: fewer than were asked for where there are none to be had, or one was lost. */
  get threads(): number {
    return this.helpers?.threads ?? 1;
  }

  runSegment(segment: number): void {
    this.execute(segment);
    this.runs[segment]++;
  }

  /**
   * Runs a job for this number of chunks. The order in which threads take tasks changes no bit of the results. After an
   * exception no thread is at work any more and what the job writes is unfinished; another can be run.
   */
  run(job: Job, chunks: number): void {
    throwIfStopped("evaluation", this.shouldStop);
    job.finish(chunks);
    const { helpers } = this;
    if (helpers && job.words[JOB.tasks] > 1 && this.flopsOf(job, chunks) > WORTH_HELP)
      helpers.run(job, this.seconds !== undefined, this.clear, this.take);
    else {
      this.clear(job);
      this.take(job.words, alone);
    }
    for (const segment of job.runs) this.runs[segment] += chunks;
  }

  /** Seconds that each segment took, a row for each thread, the caller's first; zeros unless timed. */
  secondsByThread(): number[][] {
    const count = this.costs.length;
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

  private readonly take = (job: Int32Array, watch: () => void): void => {
    work(job, { JOB, COMMAND }, SPINS, this.bases, this.arena, this.execute, watch);
  };

  /** Sets the sums that a job accumulates to 0. */
  private readonly clear = ({ zeros }: Job): void => {
    for (let i = 0; i < zeros.length; i += 2) this.memory.fill(0, zeros[i], zeros[i] + zeros[i + 1]);
  };

  private readonly execute: (segment: number) => void;

  private readonly executeTimed = (segment: number): void => {
    const before = performance.now();
    this.executeUntimed(segment);
    (this.seconds as Float64Array)[segment] += (performance.now() - before) / 1000;
  };

  private readonly executeUntimed = (segment: number): void => {
    throwIfStopped("evaluation", this.shouldStop);
    this.step(segment);
  };

  private flopsOf(job: Job, chunks: number): number {
    let flops = 0;
    for (const segment of job.runs) flops += chunks * this.costs[segment].flops;
    return flops;
  }
}
