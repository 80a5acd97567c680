import type { ShouldStop } from "../../base/index.ts";
import { pairIndex } from "../../base/index.ts";
import type { Job } from "../../wasm/index.ts";
import type { Backend } from "../backends/backend.ts";
import { Program } from "../execution/program.ts";
import { sizeOf } from "../graph/shape.ts";
import type { Plan } from "../plan/plan.ts";
import { JobWriter, type Primal } from "./jobs.ts";
import type { ChunkLoss } from "./loss.ts";
import { type MemoryMap, mapMemory } from "./memory-map.ts";
import { additions, planJoint, REGION, REGION_COUNT } from "./plan.ts";
import { type DerivativeKind, type JointGraph, STAGES } from "./stages.ts";

export interface EvaluationOptions {
  readonly backend: Backend;
  /** Examples per chunk; 0 for a loss without examples. */
  readonly chunk: number;
  /** Bytes for the values kept between evaluations at one w. */
  readonly memory: number;
  readonly threads: number;
  readonly timed: boolean;
  readonly shouldStop: ShouldStop | undefined;
}

/** What one stage did: one run is one chunk, and one direction for the later two. */
export interface StageProfile {
  readonly stage: keyof typeof STAGES;
  readonly runs: number;
  /** Matrix products, and flops in all. */
  readonly products: number;
  readonly flops: number;
  /** Operands and results of all kernels. */
  readonly bytes: number;
  /** All threads together; 0 unless `timed`. */
  readonly seconds: number;
  /** The same for each thread, the caller's first. */
  readonly secondsByThread: readonly number[];
}

/**
 * A loss with one kind of derivatives, traced, planned and bound to memory: knows which stages every chunk has been through
 * at the current w, and runs the rest of what is asked for. Arguments are taken as they are: `Objective` checks them.
 */
export class JointEvaluation {
  readonly joint: JointGraph;
  /** What runs, fused where the backend runs groups. */
  readonly plan: Plan;
  readonly map: MemoryMap;
  readonly program: Program;
  readonly chunks: number;
  /** Seconds that tracing, planning and compiling took. */
  readonly preparation: { readonly trace: number; readonly plan: number; readonly compile: number };
  private readonly examples: number;
  private readonly chunk: number;
  private readonly p: number;
  private readonly jobs: JobWriter;
  /** How many of the stages that depend on the weights alone every chunk has in memory for the current w. */
  private reached = 0;
  private hasValue = false;
  private hasGradient = false;
  private readonly gradientValue: Float64Array;
  private readonly outputValues: Float64Array;

  constructor(loss: ChunkLoss, kind: DerivativeKind, options: EvaluationOptions) {
    const { backend, chunk, memory, threads, timed } = options;
    const start = performance.now();
    const { joint, plan, traceSeconds } = planJoint(loss, chunk, kind);
    const planned = performance.now();
    this.joint = joint;
    this.chunk = chunk;
    this.examples = loss.examples;
    this.chunks = loss.examples === 0 ? 1 : Math.ceil(loss.examples / chunk);
    this.p = Object.values(loss.parameters).reduce((total, shape) => total + sizeOf(shape), 0);
    this.map = mapMemory(plan, { dimension: this.p, chunks: this.chunks, threads, budget: memory / 8 });
    this.jobs = new JobWriter(this.map, this.p, plan);
    this.program = new Program({
      plan,
      further: additions(this.p, plan.regionSizes[REGION.tangent]),
      regions: REGION_COUNT,
      backend,
      entries: this.map.entries,
      constantsBase: this.map.constants,
      arenas: this.map.arenas,
      timed,
    });
    this.plan = this.program.plan;
    this.program.shouldStop = options.shouldStop;
    this.preparation = {
      trace: traceSeconds,
      plan: (planned - start) / 1000 - traceSeconds,
      compile: (performance.now() - planned) / 1000,
    };
    this.loadExamples(loss);
    this.gradientValue = new Float64Array(this.p);
    this.outputValues = new Float64Array(this.examples * this.outputWidth);
  }

  /** Entries of the outputs per example, 0 for a loss without examples. */
  get outputWidth(): number {
    const shape = this.joint.outputShape;
    return shape ? sizeOf(shape) / this.chunk : 0;
  }

  setWeights(w: Float64Array): void {
    this.program.memory.set(w, this.map.weights);
    this.forget();
  }

  loss(): number {
    if (!this.hasValue) this.run(this.jobs.primal(this.primal(STAGES.value)), STAGES.value);
    let total = 0;
    for (let c = 0; c < this.chunks; c++) total += this.program.memory[this.valueOf(c)];
    return total;
  }

  /** A view that the next evaluation after `setWeights` overwrites. */
  gradient(): Float64Array {
    if (!this.hasGradient) this.run(this.jobs.primal(this.primal(STAGES.gradient)), STAGES.gradient);
    return this.gradientValue;
  }

  /** [examples, …], a view that the next evaluation after `setWeights` overwrites. */
  outputs(): Float64Array {
    this.loss();
    const { memory } = this.program;
    const width = this.outputWidth;
    for (let c = 0; width > 0 && c < this.chunks; c++) {
      const first = c * this.chunk;
      const rows = Math.min(this.chunk, this.examples - first);
      const start = this.valueOf(c) + 1;
      this.outputValues.set(memory.subarray(start, start + rows * width), first * width);
    }
    return this.outputValues;
  }

  /** Products of `count` vectors, in blocks that there is room for. */
  products(vectors: Float64Array, products: Float64Array, count: number): void {
    const most = 2 * this.map.directions;
    for (let first = 0; first < count; first += most) {
      const block = Math.min(most, count - first);
      for (let i = 0; i < block; i++) this.load(vectors, first + i, i, 1);
      this.run(this.jobs.products(block, this.primal(STAGES.curvature)), STAGES.curvature);
      for (let i = 0; i < block; i++) this.copySum(this.sum(i), products, (first + i) * this.p, 1);
    }
  }

  /**
   * With v_i = scales_i·u_i for `count` vectors u: third derivatives D[v_i], and D[v_i + v_j] for pairs, in the order of
   * `pairIndex`; products of u (if wanted) by the way, scaled back, which is exact for powers of two.
   */
  directional(
    vectors: Float64Array,
    scales: Float64Array,
    products: Float64Array | undefined,
    rows: Float64Array,
  ): void {
    const { p, map } = this;
    const count = scales.length;
    const most = map.directions;
    for (let a = 0; a < count; a += most) {
      const own = Math.min(most, count - a);
      for (let i = 0; i < own; i++) this.load(vectors, a + i, i, scales[a + i]);
      this.run(this.jobs.pairs(own, products !== undefined, this.primal(STAGES.third)), STAGES.third);
      for (let i = 0; i < own; i++) {
        if (products) this.copySum(this.sum(i), products, (a + i) * p, 1 / scales[a + i]);
        for (let j = i; j < own; j++)
          this.copySum(this.sum(own + pairIndex(i, j, own)), rows, pairIndex(a + i, a + j, count) * p, 1);
      }
      for (let b = a + most; b < count; b += most) {
        const others = Math.min(most, count - b);
        for (let j = 0; j < others; j++) this.load(vectors, b + j, own + j, scales[b + j]);
        this.run(this.jobs.pairsOfBlocks(own, others, this.primal(STAGES.third)), STAGES.third);
        for (let i = 0; i < own; i++)
          for (let j = 0; j < others; j++)
            this.copySum(this.sum(i * others + j), rows, pairIndex(a + i, b + j, count) * p, 1);
      }
    }
  }

  /** For the kind `MIXED`: D³L[v_i, v_j, ·] of vectors times powers of two, divided by these again. */
  mixed(
    vectors: Float64Array,
    [i, j]: readonly [number, number],
    scales: Float64Array,
    rows: Float64Array,
    start: number,
  ): void {
    this.load(vectors, i, 0, scales[i]);
    this.load(vectors, j, 1, scales[j]);
    this.run(this.jobs.pairs(1, false, this.primal(STAGES.third)), STAGES.third);
    this.copySum(this.sum(1), rows, start, 1 / scales[i] / scales[j]);
  }

  /** The gradient of one chunk's contribution to the loss, into `gradients` from `start` on. */
  chunkGradient(chunk: number, gradients: Float64Array, start: number): void {
    const primal = { from: 0, to: STAGES.gradient, gradient: true };
    this.program.run(this.jobs.primal(primal, chunk), 1);
    this.copySum(this.map.gradientSum, gradients, start, 1);
  }

  /** The current weights. */
  weights(): Float64Array {
    return this.program.memory.slice(this.map.weights, this.map.weights + this.p);
  }

  profile(): StageProfile[] {
    const { runs, costs, bytes } = this.program;
    const seconds = this.program.secondsByThread();
    return Object.entries(STAGES).map(([name, stage]) => {
      const secondsByThread = seconds.map((row) => row[stage]);
      return {
        stage: name as keyof typeof STAGES,
        runs: runs[stage],
        products: runs[stage] * costs[stage].products,
        flops: runs[stage] * costs[stage].flops,
        bytes: runs[stage] * bytes[stage],
        seconds: secondsByThread.reduce((total, part) => total + part, 0),
        secondsByThread,
      };
    });
  }

  /** What a job has still to do at the current w to reach a stage. */
  private primal(to: number): Primal {
    const taken = this.joint.counts.gradient > 0;
    return { from: this.reached, to, gradient: taken && !this.hasGradient && to >= STAGES.gradient };
  }

  private run(job: Job, stage: number): void {
    this.program.run(job, this.chunks);
    if (this.map.keepsPrimal) this.reached = Math.max(this.reached, stage + 1);
    this.hasValue = true;
    if (this.hasGradient || this.joint.counts.gradient === 0 || stage < STAGES.gradient) return;
    this.copySum(this.map.gradientSum, this.gradientValue, 0, 1);
    this.hasGradient = true;
  }

  /** Where a chunk's loss is; its outputs follow. */
  private valueOf(chunk: number): number {
    const { chunkStart, chunkStride, inChunk } = this.map;
    return chunkStart + chunk * chunkStride + inChunk.value;
  }

  /** Puts a vector of the caller's, times a power of two, in a place of the memory. */
  private load(vectors: Float64Array, i: number, place: number, scale: number): void {
    const { memory } = this.program;
    const { p } = this;
    const to = this.map.vectors + place * p;
    if (scale === 1) memory.set(vectors.subarray(i * p, (i + 1) * p), to);
    else for (let l = 0; l < p; l++) memory[to + l] = vectors[i * p + l] * scale;
  }

  private sum(i: number): number {
    return this.map.sums + i * this.p;
  }

  private copySum(sum: number, into: Float64Array, start: number, scale: number): void {
    const { memory } = this.program;
    if (scale === 1) into.set(memory.subarray(sum, sum + this.p), start);
    else for (let l = 0; l < this.p; l++) into[start + l] = scale * memory[sum + l];
  }

  /** Takes other examples, as many, in place of those that it has. */
  replaceExamples(loss: ChunkLoss): void {
    this.loadExamples(loss);
    this.forget();
  }

  private forget(): void {
    this.reached = 0;
    this.hasValue = false;
    this.hasGradient = false;
  }

  private loadExamples({ arrays, examples }: ChunkLoss): void {
    const { memory } = this.program;
    const { chunkStart, chunkStride } = this.map;
    let offset = chunkStart;
    for (const { data, shape, filling } of arrays) {
      const width = sizeOf(shape);
      for (let row = 0; row < this.chunks * this.chunk; row++) {
        const to = offset + Math.floor(row / this.chunk) * chunkStride + (row % this.chunk) * width;
        if (row < examples) memory.set(data.subarray(row * width, (row + 1) * width), to);
        else if (filling === "first example") memory.set(data.subarray(0, width), to);
      }
      offset += this.chunk * width;
    }
  }
}
