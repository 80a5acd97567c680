import { valueError } from "../base/index.ts";
import type { Backend } from "./backends/backend.ts";
import { jsBackend } from "./backends/js.ts";
import { planJoint, REGION } from "./joint-plan.ts";
import { exampleCount, type LossDefinition } from "./loss.ts";
import type { Plan } from "./plan/plan.ts";
import { pairIndex, polarise, unitScales } from "./polarisation.ts";
import type { Cost } from "./primitives/rule.ts";
import { Program } from "./program.ts";
import { type Shape, sizeOf } from "./shape.ts";
import { type JointGraph, STAGES } from "./stages.ts";

export interface ObjectiveOptions {
  readonly backend?: Backend;
  /** Examples per chunk; by default as many as keep one chunk's arrays under 64 MiB. */
  readonly chunk?: number;
  /** Bytes for the values kept between evaluations at one w; beyond it chunks recompute them. Default 1 GiB. */
  readonly memory?: number;
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
  readonly plan: Plan;
  /** Whether every chunk keeps its values for the current w; otherwise they are recomputed per block of directions. */
  readonly keepsResiduals: boolean;
  private readonly program: Program;
  private readonly batchBases: Int32Array;
  private readonly primalBases: Int32Array;
  /** How far each chunk's values are in memory for the current w: the number of stages done. */
  private readonly done: Uint8Array;
  /** How many of a chunk's results (loss, then gradient) have been collected at the current w. */
  private readonly collected: Uint8Array;
  private heldChunk = -1;
  private readonly chunkLosses: Float64Array;
  private readonly gradientValue: Float64Array;
  private readonly outputValues: Float64Array;
  /** Copies of the first-order tangents of each direction of a block, for polarisation. */
  private readonly tangentCopies: Float64Array[] = [];

  constructor(definition: LossDefinition, options: ObjectiveOptions = {}) {
    this.parameters = definition.parameters;
    this.dimension = Object.values(definition.parameters).reduce((total, shape) => total + sizeOf(shape), 0);
    this.examples = exampleCount(definition);
    const { chunk, joint, plan } = planJoint(definition, this.examples, options);
    this.chunk = chunk;
    this.graph = joint;
    this.plan = plan;
    this.chunks = this.examples === 0 ? 1 : Math.ceil(this.examples / chunk);
    const sizes = plan.regionSizes;
    const budget = (options.memory ?? DEFAULT_MEMORY) / 8;
    this.keepsResiduals = this.chunks * sizes[REGION.primal] <= budget;

    const perChunk = sizes[REGION.batch] + (this.keepsResiduals ? sizes[REGION.primal] : 0);
    let end = 0;
    const place = (region: number): number => {
      const base = end;
      end += sizes[region];
      return base;
    };
    const shared = [
      REGION.weights,
      REGION.direction,
      REGION.value,
      REGION.product,
      REGION.third,
      REGION.scratch,
      REGION.constants,
      REGION.tangent,
    ];
    const bases = shared.map((region) => [region, place(region)] as const);
    const sharedPrimal = this.keepsResiduals ? 0 : place(REGION.primal);
    const chunkStart = end;
    end += this.chunks * perChunk;
    const constantsBase = (
      bases.find(([region]) => region === REGION.constants) as readonly [number, number]
    )[1];
    this.program = new Program(plan, options.backend ?? jsBackend, end, constantsBase);
    for (const [region, base] of bases) this.program.bases[region] = base;
    this.batchBases = Int32Array.from({ length: this.chunks }, (_, c) => chunkStart + c * perChunk);
    this.primalBases = this.batchBases.map((base) =>
      this.keepsResiduals ? base + sizes[REGION.batch] : sharedPrimal,
    );
    this.loadExamples(definition);
    this.done = new Uint8Array(this.chunks);
    this.collected = new Uint8Array(this.chunks);
    this.chunkLosses = new Float64Array(this.chunks);
    this.gradientValue = new Float64Array(this.dimension);
    this.outputValues = new Float64Array(this.examples * this.outputWidth);
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
    this.program.memory.set(w, this.program.bases[REGION.weights]);
    this.done.fill(0);
    this.collected.fill(0);
    this.heldChunk = -1;
    this.gradientValue.fill(0);
  }

  /** L(w). */
  loss(): number {
    this.collect(STAGES.value);
    return this.chunkLosses.reduce((total, part) => total + part, 0);
  }

  /** ∇L(w): a view that is overwritten by the next `setWeights`. */
  gradient(): Float64Array {
    this.collect(STAGES.gradient);
    return this.gradientValue;
  }

  /** The network's outputs at w, [examples, …]: a view that is overwritten after the next `setWeights`. */
  outputs(): Float64Array {
    this.collect(STAGES.value);
    return this.outputValues;
  }

  /**
   * Hessian-vector products at w. Reads `count` vectors of length p one after another; overwrites as many products.
   * Cost: per vector about 2 gradients.
   */
  hvp(vectors: Float64Array, products: Float64Array, count: number): void {
    const length = count * this.dimension;
    checkRoom("hvp", vectors, length, products, length);
    this.directional(vectors, count, products);
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
    return this.program.executed();
  }

  /** How often each stage has run (one run is one chunk, and one direction for the later two). */
  stageRuns(): number[] {
    return [...this.program.runs];
  }

  private collect(stage: number): void {
    for (let c = 0; c < this.chunks; c++) if (this.collected[c] <= stage) this.ensure(c, stage);
  }

  /** Makes a chunk current and its values at w available up to a stage. */
  private ensure(chunk: number, stage: number): void {
    const { bases } = this.program;
    bases[REGION.batch] = this.batchBases[chunk];
    bases[REGION.primal] = this.primalBases[chunk];
    if (!this.keepsResiduals && this.heldChunk !== chunk) {
      this.done[chunk] = 0;
      this.heldChunk = chunk;
    }
    for (let next = this.done[chunk]; next <= stage; next++) {
      this.program.runSegment(next);
      if (this.collected[chunk] === next) this.collectStage(chunk, next);
    }
    this.done[chunk] = Math.max(this.done[chunk], stage + 1);
  }

  /** Takes a chunk's loss and outputs, or its share of the gradient, once per w; chunks always come in order. */
  private collectStage(chunk: number, stage: number): void {
    const { memory, bases } = this.program;
    const value = bases[REGION.value];
    const width = this.outputWidth;
    if (stage === STAGES.value) {
      this.chunkLosses[chunk] = memory[value];
      const first = chunk * this.chunk;
      const rows = Math.min(this.chunk, this.examples - first);
      const start = value + 1 + this.dimension;
      if (width > 0) this.outputValues.set(memory.subarray(start, start + rows * width), first * width);
    } else if (stage === STAGES.gradient) this.accumulateFrom(value + 1, this.gradientValue, 0);
    else return;
    this.collected[chunk] = stage + 1;
  }

  /** Products, third derivatives, or both, for `count` vectors. */
  private directional(
    vectors: Float64Array,
    count: number,
    products: Float64Array | undefined,
    rows?: Float64Array,
  ): void {
    const p = this.dimension;
    // Products of vectors that are scaled by powers of two are those of the vectors, to the bit.
    const scales = rows ? unitScales(vectors, count, p) : new Float64Array(count).fill(1);
    products?.fill(0, 0, count * p);
    rows?.fill(0, 0, (count * (count + 1) * p) / 2);
    for (let c = 0; c < this.chunks; c++) {
      this.ensure(c, rows ? STAGES.third : STAGES.curvature);
      for (let i = 0; i < count; i++) {
        this.direct(vectors, i, scales[i]);
        this.program.runSegment(STAGES.direction);
        if (products) this.accumulate(REGION.product, products, i * p, 1 / scales[i]);
        if (!rows) continue;
        if (count > 1) this.copyTangents(i);
        this.program.runSegment(STAGES.secondOrder);
        this.accumulate(REGION.third, rows, pairIndex(i, i, count) * p);
      }
      if (!rows) continue;
      for (let i = 0; i < count; i++)
        for (let j = i + 1; j < count; j++) {
          this.directPair(vectors, i, j, scales);
          this.program.runSegment(STAGES.secondOrder);
          this.accumulate(REGION.third, rows, pairIndex(i, j, count) * p);
        }
    }
    if (rows) polarise(rows, count, p, scales);
  }

  private direct(vectors: Float64Array, i: number, scale: number): void {
    const { memory, bases } = this.program;
    const p = this.dimension;
    const to = bases[REGION.direction];
    for (let l = 0; l < p; l++) memory[to + l] = vectors[i * p + l] * scale;
  }

  private copyTangents(i: number): void {
    const size = this.plan.regionSizes[REGION.tangent];
    this.tangentCopies[i] ??= new Float64Array(size);
    const from = this.program.bases[REGION.tangent];
    this.tangentCopies[i].set(this.program.memory.subarray(from, from + size));
  }

  /** Sets direction and first-order tangents for the sum of the scaled u_i and u_j. */
  private directPair(vectors: Float64Array, i: number, j: number, scales: Float64Array): void {
    const { memory, bases } = this.program;
    const p = this.dimension;
    const to = bases[REGION.direction];
    const [si, sj] = [scales[i], scales[j]];
    for (let l = 0; l < p; l++) memory[to + l] = vectors[i * p + l] * si + vectors[j * p + l] * sj;
    const tangent = bases[REGION.tangent];
    const a = this.tangentCopies[i];
    const b = this.tangentCopies[j];
    for (let l = 0; l < a.length; l++) memory[tangent + l] = a[l] + b[l];
  }

  /** Adds a chunk's share, times a power of two, to p entries. */
  private accumulate(region: number, into: Float64Array, start: number, scale = 1): void {
    this.accumulateFrom(this.program.bases[region], into, start, scale);
  }

  private accumulateFrom(from: number, into: Float64Array, start: number, scale = 1): void {
    const { memory } = this.program;
    for (let i = 0; i < this.dimension; i++) into[start + i] += scale * memory[from + i];
  }

  private loadExamples(definition: LossDefinition): void {
    const { memory } = this.program;
    let offset = 0;
    for (const { data, shape, padding } of Object.values(definition.examples ?? {})) {
      const width = sizeOf(shape);
      for (let row = 0; row < this.chunks * this.chunk; row++) {
        const to = this.batchBases[Math.floor(row / this.chunk)] + offset + (row % this.chunk) * width;
        if (row < this.examples) memory.set(data.subarray(row * width, (row + 1) * width), to);
        else if (padding === "repeat") memory.set(data.subarray(0, width), to);
      }
      offset += this.chunk * width;
    }
  }
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
