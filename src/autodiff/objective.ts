import { valueError } from "../base/index.ts";
import type { Backend } from "./backends/backend.ts";
import { jsBackend } from "./backends/js.ts";
import { buildPlan } from "./plan/build.ts";
import type { Location, Plan } from "./plan/plan.ts";
import type { Cost } from "./primitives/rule.ts";
import { Program } from "./program.ts";
import { formatShape, type Shape, sizeOf } from "./shape.ts";
import { type JointGraph, type LossResult, STAGE_COUNT, STAGES, traceJoint } from "./stages.ts";
import type { Tensor } from "./tensor.ts";

/** One array with a row per example. */
export interface ExampleArray {
  /** [examples, …shape], row-major. */
  readonly data: Float64Array;
  /** The shape of one example. */
  readonly shape: Shape;
  /**
   * What fills the last chunk when it is short: the first example again, or zeros. An array of example weights
   * must take zeros, which makes the filling contribute exactly nothing.
   */
  readonly padding: "repeat" | "zero";
}

/** A loss: a sum over examples, or (without examples) any scalar function of the parameters. */
export interface LossDefinition {
  /** Name → shape; the flat weight vector holds them in this order, each row-major. */
  readonly parameters: Readonly<Record<string, Shape>>;
  readonly examples?: Readonly<Record<string, ExampleArray>>;
  /**
   * Traced once, for one chunk of examples: every example array arrives with a leading axis. Must return the sum
   * of the chunk's contributions, so that the sum over chunks is the loss: put 1/N into an array of weights.
   */
  readonly loss: (parameters: Record<string, Tensor>, batch: Record<string, Tensor>) => LossResult;
}

export interface ObjectiveOptions {
  readonly backend?: Backend;
  /** Examples per chunk; by default as many as keep one chunk's arrays under 64 MiB. */
  readonly chunk?: number;
  /** Bytes for the values kept between evaluations at one w; beyond it chunks recompute them. Default 1 GiB. */
  readonly memory?: number;
}

const REGION = {
  weights: 0,
  direction: 1,
  batch: 2,
  value: 3,
  product: 4,
  third: 5,
  scratch: 6,
  constants: 7,
  primal: 8,
  tangent: 9,
} as const;
const REGION_COUNT = 10;

/** 64 MiB of doubles: about what a core's share of a server's last-level cache and bandwidth digest well; larger chunks gain nothing. */
const CHUNK_ENTRIES = 2 ** 23;
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
  readonly joint: JointGraph;
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
    this.joint = joint;
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
    const shape = this.joint.outputShape;
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
    const p = this.dimension;
    checkRoom("hvp", vectors, count * p, products, count * p);
    products.fill(0, 0, count * p);
    for (let c = 0; c < this.chunks; c++) {
      this.ensure(c, STAGES.curvature);
      for (let i = 0; i < count; i++) {
        this.direct(vectors, i * p);
        this.program.runSegment(STAGES.direction);
        this.accumulate(REGION.product, products, i * p);
      }
    }
  }

  /**
   * T_ij = D³L(w)[u_i, u_j, ·] for all pairs i ≤ j. Reads `count` vectors of length p; overwrites count(count+1)/2
   * rows of length p, ordered (0,0), (0,1), …, (1,1), …. Off-diagonal rows by polarisation of unit vectors,
   * T_ij = ½(D[u_i + u_j] − D[u_i] − D[u_j]) with D[v] = D³L[v,v,·]: first-order tangents are linear in v and are
   * added, so a pair costs the second order only. Cost: per vector about 2 + 2.3 gradients, per further pair 2.3.
   */
  thirdDerivatives(vectors: Float64Array, count: number, rows: Float64Array): void {
    const p = this.dimension;
    checkRoom("thirdDerivatives", vectors, count * p, rows, (count * (count + 1) * p) / 2);
    const norms = Float64Array.from({ length: count }, (_, i) => norm(vectors, i * p, p));
    rows.fill(0, 0, (count * (count + 1) * p) / 2);
    for (let c = 0; c < this.chunks; c++) {
      this.ensure(c, STAGES.third);
      for (let i = 0; i < count; i++) {
        this.direct(vectors, i * p, norms[i] > 0 ? 1 / norms[i] : 0);
        this.program.runSegment(STAGES.direction);
        if (count > 1) this.copyTangents(i);
        this.program.runSegment(STAGES.secondOrder);
        this.accumulate(REGION.third, rows, pairIndex(i, i, count) * p);
      }
      for (let i = 0; i < count; i++)
        for (let j = i + 1; j < count; j++) {
          this.directPair(vectors, i, j, norms);
          this.program.runSegment(STAGES.secondOrder);
          this.accumulate(REGION.third, rows, pairIndex(i, j, count) * p);
        }
    }
    polarise(rows, count, p, norms);
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

  private direct(vectors: Float64Array, start: number, scale = 1): void {
    const { memory, bases } = this.program;
    const to = bases[REGION.direction];
    for (let i = 0; i < this.dimension; i++) memory[to + i] = vectors[start + i] * scale;
  }

  private copyTangents(i: number): void {
    const size = this.plan.regionSizes[REGION.tangent];
    this.tangentCopies[i] ??= new Float64Array(size);
    const from = this.program.bases[REGION.tangent];
    this.tangentCopies[i].set(this.program.memory.subarray(from, from + size));
  }

  /** Sets direction and first-order tangents for u_i + u_j, both scaled to unit length. */
  private directPair(vectors: Float64Array, i: number, j: number, norms: Float64Array): void {
    const { memory, bases } = this.program;
    const p = this.dimension;
    const to = bases[REGION.direction];
    const si = norms[i] > 0 ? 1 / norms[i] : 0;
    const sj = norms[j] > 0 ? 1 / norms[j] : 0;
    for (let l = 0; l < p; l++) memory[to + l] = vectors[i * p + l] * si + vectors[j * p + l] * sj;
    const tangent = bases[REGION.tangent];
    const a = this.tangentCopies[i];
    const b = this.tangentCopies[j];
    for (let l = 0; l < a.length; l++) memory[tangent + l] = a[l] + b[l];
  }

  private accumulate(region: number, into: Float64Array, start: number): void {
    this.accumulateFrom(this.program.bases[region], into, start);
  }

  private accumulateFrom(from: number, into: Float64Array, start: number): void {
    const { memory } = this.program;
    for (let i = 0; i < this.dimension; i++) into[start + i] += memory[from + i];
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

/** The position of pair (i, j), i ≤ j, in the order (0,0), (0,1), …, (0,k−1), (1,1), …. */
export function pairIndex(i: number, j: number, count: number): number {
  return i * count - (i * (i - 1)) / 2 + (j - i);
}

function polarise(rows: Float64Array, count: number, p: number, norms: Float64Array): void {
  for (let i = 0; i < count; i++)
    for (let j = i + 1; j < count; j++) {
      const row = pairIndex(i, j, count) * p;
      const a = pairIndex(i, i, count) * p;
      const b = pairIndex(j, j, count) * p;
      const scale = 0.5 * norms[i] * norms[j];
      for (let l = 0; l < p; l++) rows[row + l] = scale * (rows[row + l] - rows[a + l] - rows[b + l]);
    }
  for (let i = 0; i < count; i++) {
    const row = pairIndex(i, i, count) * p;
    for (let l = 0; l < p; l++) rows[row + l] *= norms[i] * norms[i];
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

function norm(vectors: Float64Array, start: number, length: number): number {
  let total = 0;
  for (let i = start; i < start + length; i++) total += vectors[i] * vectors[i];
  return Math.sqrt(total);
}

function exampleCount({ examples }: LossDefinition): number {
  const counts = Object.entries(examples ?? {}).map(([name, { data, shape }]) => {
    const count = data.length / sizeOf(shape);
    if (!Number.isInteger(count) || count < 1)
      throw valueError(
        `examples.${name}`,
        `at least one whole example of shape ${formatShape(shape)}`,
        `${data.length} numbers`,
      );
    return count;
  });
  if (counts.some((count) => count !== counts[0]))
    throw valueError("examples", "the same number of examples in every array", counts.join(", "));
  return counts[0] ?? 0;
}

/** Plans the joint evaluation for the chunk size asked for, or for the largest that keeps a chunk's arrays small. */
function planJoint(definition: LossDefinition, examples: number, options: ObjectiveOptions) {
  if (examples === 0) return { chunk: 0, ...planFor(definition, 0) };
  if (options.chunk !== undefined) {
    if (!Number.isSafeInteger(options.chunk) || options.chunk < 1)
      throw valueError("chunk", "a whole number ≥ 1", String(options.chunk));
    const chunk = Math.min(options.chunk, examples);
    return { chunk, ...planFor(definition, chunk) };
  }
  const probe = Math.min(examples, 4);
  const probed = planFor(definition, probe);
  const sizes = probed.plan.regionSizes;
  const perExample =
    (sizes[REGION.batch] + sizes[REGION.primal] + sizes[REGION.tangent] + sizes[REGION.scratch]) / probe;
  const most = Math.max(1, Math.floor(CHUNK_ENTRIES / Math.max(1, perExample)));
  const chunk = Math.ceil(examples / Math.ceil(examples / most));
  return chunk === probe ? { chunk, ...probed } : { chunk, ...planFor(definition, chunk) };
}

function planFor(definition: LossDefinition, chunk: number): { joint: JointGraph; plan: Plan } {
  const batch = Object.fromEntries(
    Object.entries(definition.examples ?? {}).map(([name, { shape }]) => [name, [chunk, ...shape]]),
  );
  const joint = traceJoint(definition.parameters, batch, definition.loss);
  const { graph, parameterCount } = joint;
  const run = (ids: readonly number[], region: number, start = 0): Location[] => {
    let offset = start;
    return ids.map((id) => {
      const location = { region, offset };
      offset += sizeOf(graph.nodes[id].shape);
      return location;
    });
  };
  const p = parameterCount;
  const dimension = graph.inputs.slice(0, p).reduce((total, id) => total + sizeOf(graph.nodes[id].shape), 0);
  const plan = buildPlan({
    graph,
    segmentOf: joint.stageOf,
    segmentCount: STAGE_COUNT,
    inputs: [
      ...run(graph.inputs.slice(0, p), REGION.weights),
      ...run(graph.inputs.slice(p, 2 * p), REGION.direction),
      ...run(graph.inputs.slice(2 * p), REGION.batch),
    ],
    outputs: [
      ...run(graph.outputs.slice(0, 1 + p), REGION.value),
      ...run(graph.outputs.slice(1 + p, 1 + 2 * p), REGION.product),
      ...run(graph.outputs.slice(1 + 2 * p, 1 + 3 * p), REGION.third),
      ...run(graph.outputs.slice(1 + 3 * p), REGION.value, 1 + dimension),
    ],
    // A gradient that the loss computes on its way is written with the gradient all the same: see collectStage.
    outputSegments: graph.outputs.map((_, i) =>
      i === 0 || i > 3 * p
        ? STAGES.value
        : [STAGES.gradient, STAGES.direction, STAGES.secondOrder][Math.floor((i - 1) / p)],
    ),
    residualRegion: (stage) => (stage >= STAGES.direction ? REGION.tangent : REGION.primal),
    scratchRegion: REGION.scratch,
    constantsRegion: REGION.constants,
    regions: REGION_COUNT,
  });
  return { joint, plan };
}
