import { type ShouldStop, valueError } from "../../base/index.ts";
import type { Job } from "../../wasm/index.ts";
import type { Backend } from "../backends/backend.ts";
import { jsBackend } from "../backends/js.ts";
import { Program } from "../execution/program.ts";
import { type Shape, sizeOf } from "../graph/shape.ts";
import type { Plan } from "../plan/plan.ts";
import type { Cost } from "../primitives/rule.ts";
import { chunkSize } from "./chunks.ts";
import { JobWriter, type Primal } from "./jobs.ts";
import { exampleCount, type LossDefinition } from "./loss.ts";
import { type Placement, placeAll } from "./memory-map.ts";
import { additions, planJoint, REGION, REGION_COUNT } from "./plan.ts";
import { pairIndex, polarise, unitScales } from "./polarisation.ts";
import { type JointGraph, STAGE_COUNT, STAGES } from "./stages.ts";

export interface ObjectiveOptions {
  readonly backend?: Backend;
  /** Examples per chunk; by default few enough for a core's caches and for threads to share. */
  readonly chunk?: number;
  /** Bytes for the values kept between evaluations at one w; beyond it chunks recompute them. Default 1 GiB. */
  readonly memory?: number;
  /** Threads to evaluate with, the caller's included, where the backend and the host have them. Default 1. Same bits. */
  readonly threads?: number;
  /** Whether to look at the clock around every stage, for `stageSeconds`. */
  readonly timed?: boolean;
  /** See `Objective.shouldStop`. */
  readonly shouldStop?: ShouldStop;
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
}

const DEFAULT_MEMORY = 2 ** 30;

/**
 * A loss with its derivatives up to the third at a current w, in three stages: work that depends on w alone is done
 * once per `setWeights`, however many directions follow. Tracing and planning happen once, here.
 */
export class Objective {
  /** p, the number of weights. */
  readonly dimension: number;
  readonly parameters: Readonly<Record<string, Shape>>;
  readonly examples: number;
  readonly chunk: number;
  readonly chunks: number;
  readonly graph: JointGraph;
  /** What runs, fused where the backend runs groups. */
  readonly plan: Plan;
  /** Whether every chunk keeps its values for the current w; otherwise they are recomputed per block of directions. */
  readonly keepsResiduals: boolean;
  /** Seconds that tracing, planning (the size of chunks included) and compiling took. */
  readonly preparation: { readonly trace: number; readonly plan: number; readonly compile: number };
  private readonly program: Program;
  private readonly placement: Placement;
  private readonly jobs: JobWriter;
  /** How many of the stages that depend on the weights alone every chunk has in memory for the current w. */
  private reached = 0;
  private hasValue = false;
  private hasGradient = false;
  private readonly gradientValue: Float64Array;
  private readonly outputValues: Float64Array;

  constructor(definition: LossDefinition, options: ObjectiveOptions = {}) {
    this.parameters = definition.parameters;
    this.dimension = Object.values(definition.parameters).reduce((total, shape) => total + sizeOf(shape), 0);
    this.examples = exampleCount(definition);
    const start = performance.now();
    this.chunk = examplesPerChunk(definition, this.examples, this.dimension, options.chunk);
    const { joint, plan, traceSeconds } = planJoint(definition, this.chunk);
    const planned = performance.now();
    this.graph = joint;
    this.chunks = this.examples === 0 ? 1 : Math.ceil(this.examples / this.chunk);
    const { backend = jsBackend, memory = DEFAULT_MEMORY, threads: wanted = 1, timed = false } = options;
    const threads = Math.min(threadsWanted(wanted), backend.mostThreads?.() ?? 1);
    this.placement = placeAll(plan, this.dimension, this.chunks, threads, memory / 8);
    this.keepsResiduals = this.placement.keepsPrimal;
    this.jobs = new JobWriter(this.placement, this.dimension, plan);
    this.program = new Program({
      plan,
      further: additions(this.dimension, plan.regionSizes[REGION.tangent]),
      regions: REGION_COUNT,
      backend,
      entries: this.placement.entries,
      constantsBase: this.placement.constants,
      arenas: this.placement.arenas,
      timed,
    });
    this.plan = this.program.plan;
    const compiled = performance.now();
    this.preparation = {
      trace: traceSeconds,
      plan: (planned - start) / 1000 - traceSeconds,
      compile: (compiled - planned) / 1000,
    };
    this.shouldStop = options.shouldStop;
    this.loadExamples(definition);
    this.gradientValue = new Float64Array(this.dimension);
    this.outputValues = new Float64Array(this.examples * this.outputWidth);
  }

  /**
   * Asked before every stage of every chunk of examples, on the caller's thread; may be set at any time. Where it answers
   * true the evaluation ends at once, on all threads, with `Stopped`: arrays that it was to fill are undefined, and the
   * next evaluation, at these weights or others, gives the same bits as if nothing had been stopped.
   */
  get shouldStop(): ShouldStop | undefined {
    return this.program.shouldStop;
  }

  set shouldStop(shouldStop: ShouldStop | undefined) {
    this.program.shouldStop = shouldStop;
  }

  /** How many threads evaluate it, the caller's included. */
  get threads(): number {
    return this.program.threads;
  }

  /** Entries of the network's outputs per example, 0 when the loss names none. */
  get outputWidth(): number {
    const shape = this.graph.outputShape;
    return shape && this.examples > 0 ? sizeOf(shape) / this.chunk : 0;
  }

  /** Moves to new weights (copied). Nothing is evaluated until it is asked for. */
  setWeights(w: Float64Array): void {
    if (w.length !== this.dimension)
      throw valueError("setWeights", `${this.dimension} weights`, String(w.length));
    this.program.memory.set(w, this.placement.weights);
    this.reached = 0;
    this.hasValue = false;
    this.hasGradient = false;
  }

  /** L(w). */
  loss(): number {
    if (!this.hasValue) this.evaluate(this.jobs.primal(this.primal(STAGES.value)), STAGES.value);
    let total = 0;
    for (let c = 0; c < this.chunks; c++) total += this.program.memory[this.jobs.valueOf(c)];
    return total;
  }

  /** ∇L(w): a view that is overwritten after the next `setWeights`. */
  gradient(): Float64Array {
    if (!this.hasGradient) this.evaluate(this.jobs.primal(this.primal(STAGES.gradient)), STAGES.gradient);
    return this.gradientValue;
  }

  /** The network's outputs at w, [examples, …]: a view that is overwritten after the next `setWeights`. */
  outputs(): Float64Array {
    this.loss();
    const { memory } = this.program;
    const width = this.outputWidth;
    for (let c = 0; width > 0 && c < this.chunks; c++) {
      const first = c * this.chunk;
      const rows = Math.min(this.chunk, this.examples - first);
      const start = this.jobs.valueOf(c) + 1;
      this.outputValues.set(memory.subarray(start, start + rows * width), first * width);
    }
    return this.outputValues;
  }

  /**
   * Hessian-vector products at w. Reads `count` vectors of length p one after another; overwrites as many products.
   * Cost: per vector about 2 gradients.
   */
  hvp(vectors: Float64Array, products: Float64Array, count: number): void {
    const length = count * this.dimension;
    checkRoom("hvp", vectors, length, products, length);
    const p = this.dimension;
    const most = 2 * this.placement.directions;
    for (let first = 0; first < count; first += most) {
      const block = Math.min(most, count - first);
      for (let i = 0; i < block; i++) this.load(vectors, first + i, i, 1);
      this.evaluate(this.jobs.products(block, this.primal(STAGES.curvature)), STAGES.curvature);
      for (let i = 0; i < block; i++) this.copySum(this.sum(i), products, (first + i) * p, 1);
    }
  }

  /**
   * T_ij = D³L(w)[u_i, u_j, ·] for all pairs i ≤ j. Reads `count` vectors of length p; overwrites count(count+1)/2
   * rows of length p, ordered (0,0), (0,1), …, (1,1), …. Off-diagonal rows by polarisation of vectors scaled alike,
   * T_ij = ½(D[u_i + u_j] − D[u_i] − D[u_j]) with D[v] = D³L[v,v,·]: first-order tangents are linear in v and are
   * added, so a pair costs the second order only. Cost: per vector about 2 + 2.3 gradients, per further pair 2.3.
   */
  thirdDerivatives(vectors: Float64Array, count: number, rows: Float64Array): void {
    const p = this.dimension;
    checkRoom("thirdDerivatives", vectors, count * p, rows, (count * (count + 1) * p) / 2);
    this.directional(vectors, count, undefined, rows);
  }

  /**
   * `hvp` and `thirdDerivatives` of the same vectors, to the bit, at the cost of the latter: the first order of each
   * vector serves both.
   */
  joint(vectors: Float64Array, count: number, products: Float64Array, rows: Float64Array): void {
    const p = this.dimension;
    checkRoom("joint", vectors, count * p, products, count * p);
    checkRoom("joint", vectors, count * p, rows, (count * (count + 1) * p) / 2);
    this.directional(vectors, count, products, rows);
  }

  /** What has been executed since the start, by stage. */
  executed(): Cost[] {
    return this.program.executed().slice(0, STAGE_COUNT);
  }

  /** How often each stage has run (one run is one chunk, and one direction for the later two). */
  stageRuns(): number[] {
    return [...this.program.runs.subarray(0, STAGE_COUNT)];
  }

  /** Seconds that each stage took so far on each thread, the caller's first; zeros unless `timed`. */
  stageSeconds(): number[][] {
    return this.program.secondsByThread().map((row) => row.slice(0, STAGE_COUNT));
  }

  /** What every stage did so far: see `StageProfile`. */
  profile(): StageProfile[] {
    const seconds = this.stageSeconds();
    const stageRuns = this.stageRuns();
    return Object.entries(STAGES).map(([name, stage]) => {
      const runs = stageRuns[stage];
      const { flops, products } = this.program.costs[stage];
      return {
        stage: name as keyof typeof STAGES,
        runs,
        products: runs * products,
        flops: runs * flops,
        bytes: runs * this.program.bytes[stage],
        seconds: seconds.reduce((total, row) => total + row[stage], 0),
      };
    });
  }

  /** Makes the other threads let go of this objective's memory; what follows is evaluated on the caller's. */
  dispose(): void {
    this.program.dispose();
  }

  /** Third derivatives, and products if wanted, of `count` vectors. */
  private directional(
    vectors: Float64Array,
    count: number,
    products: Float64Array | undefined,
    rows: Float64Array,
  ): void {
    const p = this.dimension;
    // Products of vectors that are scaled by powers of two are those of the vectors, to the bit.
    const scales = unitScales(vectors, count, p);
    const most = this.placement.directions;
    for (let a = 0; a < count; a += most) {
      const own = Math.min(most, count - a);
      for (let i = 0; i < own; i++) this.load(vectors, a + i, i, scales[a + i]);
      const primal = this.primal(STAGES.third);
      this.evaluate(this.jobs.pairs(own, products !== undefined, primal), STAGES.third);
      for (let i = 0; i < own; i++) {
        if (products) this.copySum(this.sum(i), products, (a + i) * p, 1 / scales[a + i]);
        for (let j = i; j < own; j++)
          this.copySum(this.sum(own + pairIndex(i, j, own)), rows, pairIndex(a + i, a + j, count) * p, 1);
      }
      for (let b = a + most; b < count; b += most) {
        const others = Math.min(most, count - b);
        for (let j = 0; j < others; j++) this.load(vectors, b + j, own + j, scales[b + j]);
        this.evaluate(this.jobs.pairsOfBlocks(own, others, this.primal(STAGES.third)), STAGES.third);
        for (let i = 0; i < own; i++)
          for (let j = 0; j < others; j++)
            this.copySum(this.sum(i * others + j), rows, pairIndex(a + i, b + j, count) * p, 1);
      }
    }
    polarise(rows, count, p, scales);
  }

  /** What a job has still to do at the current w to reach a stage. */
  private primal(to: number): Primal {
    const gradient = !this.hasGradient && to >= STAGES.gradient;
    return { from: this.reached, to, gradient };
  }

  private evaluate(job: Job, stage: number): void {
    this.program.run(job, this.chunks);
    if (this.keepsResiduals) this.reached = Math.max(this.reached, stage + 1);
    this.hasValue = true;
    if (this.hasGradient || stage < STAGES.gradient) return;
    this.copySum(this.placement.gradientSum, this.gradientValue, 0, 1);
    this.hasGradient = true;
  }

  /** Puts a vector of the caller's, times a power of two, in a place of the memory. */
  private load(vectors: Float64Array, i: number, place: number, scale: number): void {
    const { memory } = this.program;
    const p = this.dimension;
    const to = this.placement.vectors + place * p;
    for (let l = 0; l < p; l++) memory[to + l] = vectors[i * p + l] * scale;
  }

  private sum(i: number): number {
    return this.placement.sums + i * this.dimension;
  }

  private copySum(sum: number, into: Float64Array, start: number, scale: number): void {
    const { memory } = this.program;
    for (let l = 0; l < this.dimension; l++) into[start + l] = scale * memory[sum + l];
  }

  private loadExamples(definition: LossDefinition): void {
    const { memory } = this.program;
    const { chunkStart, chunkStride } = this.placement;
    let offset = chunkStart;
    for (const { data, shape, padding } of Object.values(definition.examples ?? {})) {
      const width = sizeOf(shape);
      for (let row = 0; row < this.chunks * this.chunk; row++) {
        const to = offset + Math.floor(row / this.chunk) * chunkStride + (row % this.chunk) * width;
        if (row < this.examples) memory.set(data.subarray(row * width, (row + 1) * width), to);
        else if (padding === "repeat") memory.set(data.subarray(0, width), to);
      }
      offset += this.chunk * width;
    }
  }
}

function examplesPerChunk(
  definition: LossDefinition,
  examples: number,
  dimension: number,
  wanted: number | undefined,
): number {
  if (examples === 0) return 0;
  if (wanted === undefined) return chunkSize(definition, examples, dimension);
  if (!Number.isSafeInteger(wanted) || wanted < 1)
    throw valueError("chunk", "a whole number ≥ 1", String(wanted));
  return Math.min(wanted, examples);
}

function threadsWanted(threads: number): number {
  if (!Number.isSafeInteger(threads) || threads < 1)
    throw valueError("threads", "a whole number ≥ 1", String(threads));
  return threads;
}

function checkRoom(
  operation: string,
  vectors: Float64Array,
  read: number,
  results: Float64Array,
  written: number,
): void {
  if (vectors.length < read || results.length < written)
    throw valueError(
      operation,
      `room for ${read} entries of vectors and ${written} of results`,
      `${vectors.length} and ${results.length}`,
    );
}
