import { pairIndex, type ShouldStop, valueError } from "../../base/index.ts";
import type { Backend } from "../backends/backend.ts";
import { jsBackend } from "../backends/js/js.ts";
import { sizeOf } from "../graph/shape.ts";
import type { Plan } from "../plan/plan.ts";
import { chunkSize } from "./chunks.ts";
import { type EvaluationOptions, JointEvaluation, type StageProfile } from "./evaluation.ts";
import {
  batchLoss,
  type ChunkLoss,
  checkDefinition,
  chunkLoss,
  type ExampleArrays,
  exampleCount,
  type LossDefinition,
  type Shapes,
} from "./loss.ts";
import { polarise, unitScales } from "./polarisation.ts";
import { independentRows } from "./row-independence.ts";
import { type DerivativeKind, GAUSS_NEWTON, GRADIENT, JOINT, type JointGraph, MIXED } from "./stages.ts";

/** How an objective is evaluated; none of it changes a bit of a result, but that of `chunk` in sums over examples. */
export interface ObjectiveOptions {
  /** What computes; default the js backend. Same bits. */
  readonly backend?: Backend;
  /** Examples per chunk; by default few enough for a core's caches and for threads to share. */
  readonly chunk?: number;
  /** Bytes for the values kept between evaluations at one w; beyond it chunks recompute them. Default 1 GiB. */
  readonly memory?: number;
  /** Threads to evaluate with, the caller's included, where the backend and the host have them. Default 1. Same bits. */
  readonly threads?: number;
  /** Whether to look at the clock around every stage, for `profile`. */
  readonly timed?: boolean;
  /**
   * Of a loss over examples: the objective is one of so many of them at a time, at first the first ones; see
   * `Objective.choose`. Default: of all.
   */
  readonly batch?: number;
  /** See `Objective.shouldStop`. */
  readonly shouldStop?: ShouldStop;
}

const DEFAULT_MEMORY = 2 ** 30;

/**
 * A loss with its derivatives up to the third at a current w. Tracing and planning happen once, at construction; work that
 * depends on w alone is done once per `setWeights`, however many directions follow. Vectors are Float64Arrays of p numbers
 * per vector, one vector after another.
 *
 * Construction throws for a definition of neither kind, rows that depend on each other or on their number, examples that do
 * not fit, and options out of range. Cost: tracing and planning grow with the operations of the loss, not with examples.
 */
export class Objective<P extends Shapes = Shapes, E extends ExampleArrays = ExampleArrays> {
  /** p, the number of weights. */
  readonly dimension: number;
  readonly parameters: P;
  /** The number of examples, that of a batch where there are batches, 0 for a loss without. */
  readonly examples: number;
  /** Examples per chunk, and the number of chunks. */
  readonly chunk: number;
  readonly chunks: number;
  /** Whether every chunk keeps its values for the current w; otherwise they are recomputed per block of directions. */
  readonly keepsResiduals: boolean;
  /** Seconds that tracing, planning (the size of chunks included) and compiling took. */
  readonly preparation: { readonly trace: number; readonly plan: number; readonly compile: number };
  /** The loss of all examples, and that of the examples now. */
  private readonly whole: ChunkLoss;
  private definition: ChunkLoss;
  private readonly options: EvaluationOptions;
  private readonly evaluation: JointEvaluation;
  /** Of derivatives that few ask for, made when first wanted, and whether they are at the current weights. */
  private readonly further = new Map<DerivativeKind, { evaluation: JointEvaluation; current: boolean }>();

  constructor(definition: LossDefinition<P, E>, options: ObjectiveOptions = {}) {
    const start = performance.now();
    const whole = lossOf(definition);
    const loss = firstBatch(whole, options.batch);
    this.parameters = definition.parameters;
    this.dimension = Object.values(definition.parameters).reduce((total, shape) => total + sizeOf(shape), 0);
    this.examples = loss.examples;
    this.chunk = examplesPerChunk(loss, this.dimension, options.chunk);
    const sized = performance.now();
    const { backend = jsBackend, memory = DEFAULT_MEMORY, threads = 1, timed = false, shouldStop } = options;
    if (!Number.isSafeInteger(threads) || threads < 1)
      throw valueError("threads", "a whole number ≥ 1", String(threads));
    this.whole = whole;
    this.definition = loss;
    this.options = {
      backend,
      chunk: this.chunk,
      memory,
      threads: Math.min(threads, backend.mostThreads?.() ?? 1),
      timed,
      shouldStop,
    };
    this.evaluation = new JointEvaluation(loss, JOINT, this.options);
    this.chunks = this.evaluation.chunks;
    this.keepsResiduals = this.evaluation.map.keepsPrimal;
    const { trace, plan, compile } = this.evaluation.preparation;
    this.preparation = { trace, plan: plan + (sized - start) / 1000, compile };
  }

  /** The joint graph of the loss, its gradient, products and third derivatives, for one chunk of examples. */
  get graph(): JointGraph {
    return this.evaluation.joint;
  }

  /** What runs, fused where the backend runs groups. */
  get plan(): Plan {
    return this.evaluation.plan;
  }

  /**
   * Asked before every stage of every chunk of examples, on the caller's thread; may be set at any time. Where it answers
   * true the evaluation ends at once, on all threads, with `Stopped`: arrays that it was to fill are undefined, and the
   * next evaluation, at these weights or others, gives the same bits as if nothing had been stopped.
   */
  get shouldStop(): ShouldStop | undefined {
    return this.evaluation.program.shouldStop;
  }

  set shouldStop(shouldStop: ShouldStop | undefined) {
    this.evaluation.program.shouldStop = shouldStop;
    for (const { evaluation } of this.further.values()) evaluation.program.shouldStop = shouldStop;
  }

  /** How many threads evaluate it, the caller's included. */
  get threads(): number {
    return this.evaluation.program.threads;
  }

  /** Entries of the outputs per example, 0 for a loss without examples. */
  get outputWidth(): number {
    return this.evaluation.outputWidth;
  }

  /** Moves to new weights (copied). Nothing is evaluated until it is asked for. */
  setWeights(w: Float64Array): void {
    if (w.length !== this.dimension)
      throw valueError("setWeights", `${this.dimension} weights`, String(w.length));
    this.evaluation.setWeights(w);
    for (const part of this.further.values()) part.current = false;
  }

  /**
   * Takes the examples at these indices, repeats allowed, in place of those of the last batch: the loss is then
   * (N/B)·Σ ω_r·loss_r over the rows of these B examples of N. The weights stay; nothing is evaluated until it is asked for.
   * Throws where the objective was not made for batches of this size, and for examples that there are not.
   * Cost: a copy of the examples.
   */
  choose(indices: ArrayLike<number>): void {
    const { examples: among } = this.whole;
    if (among === 0 || indices.length !== this.examples)
      throw valueError("choose", `a batch of ${this.examples} examples`, String(indices.length));
    const strange = Array.from(indices).find((i) => !(Number.isInteger(i) && i >= 0 && i < among));
    if (strange !== undefined)
      throw valueError("choose", `indices of examples from 0 to ${among - 1}`, String(strange));
    this.definition = batchLoss(this.whole, indices);
    this.evaluation.replaceExamples(this.definition);
    for (const { evaluation } of this.further.values()) evaluation.replaceExamples(this.definition);
  }

  /** L(w). */
  loss(): number {
    return this.evaluation.loss();
  }

  /** ∇L(w): a view that is overwritten after the next `setWeights`. */
  gradient(): Float64Array {
    return this.evaluation.gradient();
  }

  /** The outputs at w, [examples, …]: a view that is overwritten after the next `setWeights`. Empty without examples. */
  outputs(): Float64Array {
    return this.evaluation.outputs();
  }

  /**
   * Hessian-vector products at w. Reads `count` vectors of length p one after another; overwrites as many products.
   * Cost: per vector about 2 gradients.
   */
  hvp(vectors: Float64Array, products: Float64Array, count: number): void {
    const length = count * this.dimension;
    checkRoom("hvp", vectors, length, products, length);
    this.evaluation.products(vectors, products, count);
  }

  /**
   * T_ij = D³L(w)[u_i, u_j, ·] for all pairs i ≤ j. Reads `count` vectors of length p; overwrites count(count+1)/2
   * rows of length p, ordered (0,0), (0,1), …, (1,1), …. Off-diagonal rows by polarisation of vectors scaled alike,
   * T_ij = ½(D[u_i + u_j] − D[u_i] − D[u_j]) with D[v] = D³L[v,v,·]: first-order tangents are linear in v and are
   * added, so a pair costs the second order only. Where the terms cancel to less than 2⁻¹⁶ of the largest, D³L[u,v,·] is
   * taken as a mixed derivative instead. So the largest error of a row is about 2⁻³⁶ of its largest entry, and mostly that
   * of D[v], a few roundings. Cost: per vector about 2 + 2.3 gradients, per further pair 2.3; per pair that cancels 5 more,
   * and the first time another trace and plan of the loss.
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

  /**
   * Gauss–Newton products JᵀHJ·v of a loss over examples, at w: J the Jacobian of the outputs, H the Hessian of the weighed
   * criterion in the outputs. Positive semidefinite where the criterion is convex and no row weighs less than 0. Reads
   * `count` vectors of length p one after another; overwrites as many products. Throws for a loss without examples. Cost:
   * per vector about as much as `hvp` or less; the first time, another trace and plan of the loss and a copy of the examples.
   * Source: N. N. Schraudolph, Fast curvature matrix-vector products for second-order gradient descent, Neural Computation
   * 14 (2002).
   */
  gaussNewton(vectors: Float64Array, products: Float64Array, count: number): void {
    const length = count * this.dimension;
    checkRoom("gaussNewton", vectors, length, products, length);
    this.at(GAUSS_NEWTON).products(vectors, products, count);
  }

  /**
   * Gradients of what examples `first` to `first + count − 1` contribute to the loss, Σ_r ω_r·∇loss_r over the rows of each:
   * those of all examples sum to ∇L. Overwrites `count` rows of length p. Throws for a loss without examples and for
   * examples that there are not. Cost: about one gradient of these examples, one by one on this thread; the first time,
   * another trace and plan of the loss and a copy of the examples.
   */
  exampleGradients(first: number, count: number, gradients: Float64Array): void {
    const whole = Number.isSafeInteger(first) && Number.isSafeInteger(count) && first >= 0 && count >= 0;
    if (!whole || first + count > this.examples)
      throw valueError("exampleGradients", `examples among ${this.examples}`, `${count} from ${first} on`);
    const length = count * this.dimension;
    if (gradients.length < length)
      throw valueError("exampleGradients", `room for ${length} numbers`, String(gradients.length));
    if (count === 0) return;
    const evaluation = this.at(GRADIENT, { ...this.options, chunk: 1, memory: 0, threads: 1 });
    for (let i = 0; i < count; i++) evaluation.chunkGradient(first + i, gradients, i * this.dimension);
  }

  /** What every stage of `loss`, `gradient`, `hvp` and `joint` did since the start: see `StageProfile`. */
  profile(): StageProfile[] {
    return this.evaluation.profile();
  }

  /** Makes the other threads let go of this objective's memory; what follows is evaluated on the caller's. */
  dispose(): void {
    this.evaluation.program.dispose();
    for (const { evaluation } of this.further.values()) evaluation.program.dispose();
  }

  /** The evaluation of another kind of derivatives, at the current weights. */
  private at(kind: DerivativeKind, options = this.options): JointEvaluation {
    let part = this.further.get(kind);
    if (!part) {
      const { shouldStop } = this;
      const evaluation = new JointEvaluation(this.definition, kind, { ...options, shouldStop });
      part = { evaluation, current: false };
      this.further.set(kind, part);
    }
    if (!part.current) part.evaluation.setWeights(this.evaluation.weights());
    part.current = true;
    return part.evaluation;
  }

  /** Third derivatives, and products if wanted, of `count` vectors. */
  private directional(
    vectors: Float64Array,
    count: number,
    products: Float64Array | undefined,
    rows: Float64Array,
  ): void {
    const scales = unitScales(vectors, count, this.dimension);
    this.evaluation.directional(vectors, scales, products, rows);
    for (const pair of polarise(rows, count, this.dimension, scales))
      this.at(MIXED).mixed(vectors, pair, scales, rows, pairIndex(...pair, count) * this.dimension);
  }
}

/** A definition, checked, as a sum over chunks. */
function lossOf(definition: LossDefinition): ChunkLoss {
  checkDefinition(definition);
  exampleCount(definition);
  return chunkLoss(definition, definition.examples === undefined ? [] : independentRows(definition));
}

/** The loss of the examples that an objective begins with. */
function firstBatch(whole: ChunkLoss, batch: number | undefined): ChunkLoss {
  if (batch === undefined) return whole;
  if (!Number.isSafeInteger(batch) || batch < 1 || batch > whole.examples)
    throw valueError(
      "batch",
      `a whole number from 1 to ${whole.examples}, the number of examples`,
      String(batch),
    );
  return batchLoss(
    whole,
    Int32Array.from({ length: batch }, (_, i) => i),
  );
}

function examplesPerChunk(loss: ChunkLoss, dimension: number, wanted: number | undefined): number {
  if (loss.examples === 0) return 0;
  if (wanted === undefined) return chunkSize(loss, dimension);
  if (!Number.isSafeInteger(wanted) || wanted < 1)
    throw valueError("chunk", "a whole number ≥ 1", String(wanted));
  return Math.min(wanted, loss.examples);
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
