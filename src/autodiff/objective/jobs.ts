import { Job } from "../../wasm/index.ts";
import type { Plan } from "../plan/plan.ts";
import type { Placement } from "./memory-map.ts";
import { ADDITIONS, REGION } from "./plan.ts";
import { pairIndex } from "./polarisation.ts";
import { STAGES } from "./stages.ts";

/** Which of the stages that depend on the weights alone a job has to run, and whether it accumulates the gradient. */
export interface Primal {
  readonly from: number;
  readonly to: number;
  readonly gradient: boolean;
}

/** Writes the jobs of a joint evaluation for a placement. Sums over chunks start from zero in each job. */
export class JobWriter {
  readonly job = new Job();
  private readonly placement: Placement;
  private readonly p: number;
  private readonly batchSize: number;
  private readonly valueSize: number;
  private readonly tangentSize: number;

  private readonly plan: Plan;

  constructor(placement: Placement, p: number, plan: Plan) {
    const { regionSizes } = plan;
    this.placement = placement;
    this.plan = plan;
    this.p = p;
    this.batchSize = regionSizes[REGION.batch];
    this.valueSize = regionSizes[REGION.value];
    this.tangentSize = regionSizes[REGION.tangent];
  }

  /** Where a chunk's loss and outputs are. */
  valueOf(chunk: number): number {
    const { chunkStart, chunkStride } = this.placement;
    return chunkStart + chunk * chunkStride + this.batchSize;
  }

  /** The stages that depend on the weights alone, for every chunk. */
  primal(primal: Primal): Job {
    this.begin(0);
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
      this.direction(count + j, this.placement.directions);
      for (let i = 0; i < count; i++) {
        this.pair(i, count + j, this.placement.directions);
        this.accumulate(i * others + j);
      }
    }
    return this.job;
  }

  /** @param sums how many sums the job accumulates, the gradient apart */
  private begin(sums: number): void {
    this.job.begin(this.placement.chunkStart, this.placement.chunkStride);
    if (sums > 0) this.job.zero(this.placement.sums, sums * this.p);
  }

  private task(primal: Primal): void {
    const { job, placement, batchSize, valueSize } = this;
    const { own, weights, constants, gradientSum } = placement;
    job.task();
    if (primal.gradient) job.zero(gradientSum, this.p);
    job.setRegion(REGION.weights, weights);
    job.setRegion(REGION.constants, constants);
    job.setRegionInChunk(REGION.batch, 0);
    job.setRegionInChunk(REGION.value, batchSize);
    if (placement.keepsPrimal) job.setRegionInChunk(REGION.primal, batchSize + valueSize);
    else job.setRegionInArena(REGION.primal, own.primal);
    job.setRegionInArena(REGION.scratch, own.scratch);
    for (const result of [REGION.gradient, REGION.product, REGION.third])
      job.setRegionInArena(result, own.result);
    for (let stage = primal.from; stage <= primal.to; stage++) {
      if (this.plan.segments[stage].length > 0) job.run(stage);
      if (stage === STAGES.gradient && primal.gradient) this.accumulateInto(gradientSum);
    }
  }

  /** The first order of vector i, its tangents in a place of the arena. */
  private direction(i: number, place: number): void {
    const { job } = this;
    job.setRegion(REGION.direction, this.vector(i));
    job.setRegionInArena(REGION.tangent, this.tangents(place));
    job.run(STAGES.direction);
  }

  /** The second order of the sum of vectors i and j, whose tangents are in places i and `placeOfJ`. */
  private pair(i: number, j: number, placeOfJ: number): void {
    const { job, placement } = this;
    const sum = this.tangents(placement.directions + 1);
    job.setRegion(REGION.left, this.vector(i));
    job.setRegion(REGION.right, this.vector(j));
    job.setRegionInArena(REGION.sum, placement.own.direction);
    job.run(ADDITIONS.weights);
    job.setRegionInArena(REGION.left, this.tangents(i));
    job.setRegionInArena(REGION.right, this.tangents(placeOfJ));
    job.setRegionInArena(REGION.sum, sum);
    job.run(ADDITIONS.tangents);
    job.setRegionInArena(REGION.direction, placement.own.direction);
    job.setRegionInArena(REGION.tangent, sum);
    job.run(STAGES.secondOrder);
  }

  /** Adds the chunk's product or third derivative to a sum over chunks. */
  private accumulate(sum: number): void {
    this.accumulateInto(this.placement.sums + sum * this.p);
  }

  private accumulateInto(sum: number): void {
    const { job, placement } = this;
    job.setRegion(REGION.sum, sum);
    job.setRegion(REGION.left, sum);
    job.setRegionInArena(REGION.right, placement.own.result);
    job.accumulate(ADDITIONS.weights);
  }

  private vector(i: number): number {
    return this.placement.vectors + i * this.p;
  }

  private tangents(place: number): number {
    return this.placement.own.tangents + place * this.tangentSize;
  }
}
