import { Schedule } from "../../wasm/index.ts";
import type { Plan } from "../plan/plan.ts";
import type { Placement } from "./memory-map.ts";
import { ADDITIONS, REGION } from "./plan.ts";
import { pairIndex } from "./polarisation.ts";
import { STAGES } from "./stages.ts";

/** Which of the stages that depend on the weights alone a job has to run, and whether it takes up the gradient. */
export interface Primal {
  readonly from: number;
  readonly to: number;
  readonly gradient: boolean;
}

/** Writes the jobs of a joint evaluation for a placement. Sums must be zero before the job that takes them runs. */
export class JointSchedule {
  readonly schedule = new Schedule();
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
  primal(primal: Primal): Schedule {
    this.begin();
    this.variant(primal);
    return this.schedule;
  }

  /** Products of the first `count` vectors into as many sums. */
  products(count: number, primal: Primal): Schedule {
    this.begin();
    // Where the values at w are there already, every product of a chunk is a task of its own.
    const split = this.plan.segments
      .slice(primal.from, primal.to + 1)
      .every((segment) => segment.length === 0);
    for (let i = 0; i < count; i++) {
      if (i === 0 || split) this.variant(primal);
      this.direction(i, 0);
      this.takeUp(i);
    }
    return this.schedule;
  }

  /** Products (if wanted) of `count` vectors into the first sums, then third derivatives of all pairs, as `pairIndex` says. */
  pairs(count: number, withProducts: boolean, primal: Primal): Schedule {
    this.begin();
    this.variant(primal);
    for (let i = 0; i < count; i++) {
      this.direction(i, i);
      if (withProducts) this.takeUp(i);
      this.schedule.run(STAGES.secondOrder);
      this.takeUp(count + pairIndex(i, i, count));
    }
    for (let i = 0; i < count; i++)
      for (let j = i + 1; j < count; j++) {
        this.pair(i, j, j);
        this.takeUp(count + pairIndex(i, j, count));
      }
    return this.schedule;
  }

  /** Third derivatives of every pair of one of the first `count` vectors and one of the `others` after them, row by row. */
  pairsOfBlocks(count: number, others: number, primal: Primal): Schedule {
    this.begin();
    this.variant(primal);
    for (let i = 0; i < count; i++) this.direction(i, i);
    for (let j = 0; j < others; j++) {
      this.direction(count + j, this.placement.directions);
      for (let i = 0; i < count; i++) {
        this.pair(i, count + j, this.placement.directions);
        this.takeUp(i * others + j);
      }
    }
    return this.schedule;
  }

  private begin(): void {
    this.schedule.begin(this.placement.chunkStart, this.placement.chunkStride);
  }

  private variant(primal: Primal): void {
    const { schedule, placement, batchSize, valueSize } = this;
    const { own, weights, constants, gradientSum } = placement;
    schedule.variant();
    schedule.place(REGION.weights, weights);
    schedule.place(REGION.constants, constants);
    schedule.placeInChunk(REGION.batch, 0);
    schedule.placeInChunk(REGION.value, batchSize);
    if (placement.keepsPrimal) schedule.placeInChunk(REGION.primal, batchSize + valueSize);
    else schedule.placeOwn(REGION.primal, own.primal);
    schedule.placeOwn(REGION.scratch, own.scratch);
    for (const result of [REGION.gradient, REGION.product, REGION.third])
      schedule.placeOwn(result, own.result);
    for (let stage = primal.from; stage <= primal.to; stage++) {
      if (this.plan.segments[stage].length > 0) schedule.run(stage);
      if (stage === STAGES.gradient && primal.gradient) this.takeUpInto(gradientSum);
    }
  }

  /** The first order of vector i, its tangents in a place of the arena. */
  private direction(i: number, place: number): void {
    const { schedule } = this;
    schedule.place(REGION.direction, this.vector(i));
    schedule.placeOwn(REGION.tangent, this.tangents(place));
    schedule.run(STAGES.direction);
  }

  /** The second order of the sum of vectors i and j, whose tangents are in places i and `placeOfJ`. */
  private pair(i: number, j: number, placeOfJ: number): void {
    const { schedule, placement } = this;
    const sum = this.tangents(placement.directions + 1);
    schedule.place(REGION.left, this.vector(i));
    schedule.place(REGION.right, this.vector(j));
    schedule.placeOwn(REGION.sum, placement.own.direction);
    schedule.run(ADDITIONS.weights);
    schedule.placeOwn(REGION.left, this.tangents(i));
    schedule.placeOwn(REGION.right, this.tangents(placeOfJ));
    schedule.placeOwn(REGION.sum, sum);
    schedule.run(ADDITIONS.tangents);
    schedule.placeOwn(REGION.direction, placement.own.direction);
    schedule.placeOwn(REGION.tangent, sum);
    schedule.run(STAGES.secondOrder);
  }

  /** Adds the chunk's product or third derivative to a sum over chunks. */
  private takeUp(sum: number): void {
    this.takeUpInto(this.placement.sums + sum * this.p);
  }

  private takeUpInto(sum: number): void {
    const { schedule, placement } = this;
    schedule.place(REGION.sum, sum);
    schedule.place(REGION.left, sum);
    schedule.placeOwn(REGION.right, placement.own.result);
    schedule.runInTurn(ADDITIONS.weights);
  }

  private vector(i: number): number {
    return this.placement.vectors + i * this.p;
  }

  private tangents(place: number): number {
    return this.placement.own.tangents + place * this.tangentSize;
  }
}
