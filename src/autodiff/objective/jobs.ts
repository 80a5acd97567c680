import { pairIndex } from "../../base/index.ts";
import { Job } from "../../wasm/index.ts";
import type { Plan } from "../plan/plan.ts";
import type { MemoryMap } from "./memory-map.ts";
import { ADDITIONS, REGION } from "./plan.ts";
import { STAGES } from "./stages.ts";

/** Which of the stages that depend on the weights alone a job has to run, and whether it accumulates the gradient. */
export interface Primal {
  readonly from: number;
  readonly to: number;
  readonly gradient: boolean;
}

/**
 * Writes the jobs of a joint evaluation: for a chunk of examples, where regions lie and which segments run. Every method
 * overwrites the one job there is. Sums over chunks start from zero in each job.
 */
export class JobWriter {
  private readonly job = new Job();
  private readonly map: MemoryMap;
  private readonly plan: Plan;
  private readonly p: number;
  private readonly tangentSize: number;

  constructor(map: MemoryMap, p: number, plan: Plan) {
    this.map = map;
    this.plan = plan;
    this.p = p;
    this.tangentSize = plan.regionSizes[REGION.tangent];
  }

  /** The stages that depend on the weights alone, for chunks from `first` on. */
  primal(primal: Primal, first = 0): Job {
    this.begin(0, first);
    this.task(primal);
    return this.job;
  }

  /** Products of the first `count` vectors into as many sums. */
  products(count: number, primal: Primal): Job {
    this.begin(count);
    // Where the values at w are there already, every product of a chunk is a task of its own.
    const split = this.plan.segments
      .slice(primal.from, primal.to + 1)
      .every((segment) => segment.length === 0);
    for (let i = 0; i < count; i++) {
      if (i === 0 || split) this.task(primal);
      this.direction(i, 0);
      this.accumulate(i);
    }
    return this.job;
  }

  /** Products (if wanted) of `count` vectors into the first sums, then third derivatives of all pairs, as `pairIndex` says. */
  pairs(count: number, withProducts: boolean, primal: Primal): Job {
    this.begin(count + (count * (count + 1)) / 2);
    this.task(primal);
    for (let i = 0; i < count; i++) {
      this.direction(i, i);
      if (withProducts) this.accumulate(i);
      this.job.run(STAGES.secondOrder);
      this.accumulate(count + pairIndex(i, i, count));
    }
    for (let i = 0; i < count; i++)
      for (let j = i + 1; j < count; j++) {
        this.pair(i, j, j);
        this.accumulate(count + pairIndex(i, j, count));
      }
    return this.job;
  }

  /** Third derivatives of every pair of one of the first `count` vectors and one of the `others` after them, row by row. */
  pairsOfBlocks(count: number, others: number, primal: Primal): Job {
    this.begin(count * others);
    this.task(primal);
    for (let i = 0; i < count; i++) this.direction(i, i);
    for (let j = 0; j < others; j++) {
      this.direction(count + j, this.map.directions);
      for (let i = 0; i < count; i++) {
        this.pair(i, count + j, this.map.directions);
        this.accumulate(i * others + j);
      }
    }
    return this.job;
  }

  /** @param sums how many sums the job accumulates, the gradient apart */
  private begin(sums: number, firstChunk = 0): void {
    const { chunkStart, chunkStride } = this.map;
    this.job.begin(chunkStart + firstChunk * chunkStride, chunkStride);
    if (sums > 0) this.job.zero(this.map.sums, sums * this.p);
  }

  /** Begins a task: one thread runs what follows for a chunk. */
  private task({ from, to, gradient }: Primal): void {
    const { job } = this;
    const { inArena, inChunk, weights, constants, gradientSum, keepsPrimal } = this.map;
    job.task();
    if (gradient) job.zero(gradientSum, this.p);
    job.setRegion(REGION.weights, weights);
    job.setRegion(REGION.constants, constants);
    job.setRegionInChunk(REGION.batch, 0);
    job.setRegionInChunk(REGION.value, inChunk.value);
    if (keepsPrimal) job.setRegionInChunk(REGION.primal, inChunk.primal);
    else job.setRegionInArena(REGION.primal, inArena.primal);
    job.setRegionInArena(REGION.scratch, inArena.scratch);
    for (const result of [REGION.gradient, REGION.product, REGION.third])
      job.setRegionInArena(result, inArena.result);
    for (let stage = from; stage <= to; stage++) {
      if (this.plan.segments[stage].length > 0) job.run(stage);
      if (stage === STAGES.gradient && gradient) this.accumulateInto(gradientSum);
    }
  }

  /** The first order of vector i; its tangents go to room `room` of the arena. */
  private direction(i: number, room: number): void {
    const { job } = this;
    job.setRegion(REGION.direction, this.vector(i));
    job.setRegionInArena(REGION.tangent, this.tangents(room));
    job.run(STAGES.direction);
  }

  /** The second order of the sum of vectors i and j, whose tangents are in rooms i and `roomOfJ`. */
  private pair(i: number, j: number, roomOfJ: number): void {
    const { job, map } = this;
    const sum = this.tangents(map.directions + 1);
    job.setRegion(REGION.left, this.vector(i));
    job.setRegion(REGION.right, this.vector(j));
    job.setRegionInArena(REGION.sum, map.inArena.direction);
    job.run(ADDITIONS.weights);
    job.setRegionInArena(REGION.left, this.tangents(i));
    job.setRegionInArena(REGION.right, this.tangents(roomOfJ));
    job.setRegionInArena(REGION.sum, sum);
    job.run(ADDITIONS.tangents);
    job.setRegionInArena(REGION.direction, map.inArena.direction);
    job.setRegionInArena(REGION.tangent, sum);
    job.run(STAGES.secondOrder);
  }

  /** Adds the chunk's product or third derivative to a sum over chunks. */
  private accumulate(sum: number): void {
    this.accumulateInto(this.map.sums + sum * this.p);
  }

  private accumulateInto(sum: number): void {
    const { job } = this;
    job.setRegion(REGION.sum, sum);
    job.setRegion(REGION.left, sum);
    job.setRegionInArena(REGION.right, this.map.inArena.result);
    job.accumulate(ADDITIONS.weights);
  }

  private vector(i: number): number {
    return this.map.vectors + i * this.p;
  }

  private tangents(room: number): number {
    return this.map.inArena.tangents + room * this.tangentSize;
  }
}
