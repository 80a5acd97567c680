import { kindError } from "../../base/index.ts";
import type { Graph } from "../graph/graph.ts";
import { ancestors, dependents } from "../graph/reach.ts";
import type { Shape } from "../graph/shape.ts";
import { full } from "../tensor/operations.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { pushForward } from "../transforms/jvp.ts";
import { inline, newTrace, verifyGraph } from "../transforms/simplify.ts";
import { gradientOf, pullBack } from "../transforms/transpose.ts";
import type { ChunkLoss, LossParts } from "./loss.ts";

/**
 * The segments of a joint evaluation, by what a node depends on. The weights alone: what the loss needs, what else
 * the gradient, Hessian-vector products and third derivatives need. One direction v: what Hv needs. Its second
 * order: the rest of D³L[v,v,·].
 */
export const STAGES = {
  value: 0,
  gradient: 1,
  curvature: 2,
  third: 3,
  direction: 4,
  secondOrder: 5,
} as const;
export const STAGE_COUNT = 6;

/** Derivatives of a traced loss: lists like the parameters, empty where one is not taken. */
interface Derivatives {
  readonly gradient: readonly Tensor[];
  readonly product: readonly Tensor[];
  readonly third: readonly Tensor[];
}

/** Which derivatives are appended to a trace. */
export interface DerivativeKind {
  /** Directions that are inputs together. */
  readonly directions: number;
  /** @param v a list like w for each direction */
  take(parts: LossParts, w: readonly Tensor[], v: readonly (readonly Tensor[])[]): Derivatives;
}

const orZero = (tangents: readonly (Tensor | undefined)[], w: readonly Tensor[]): Tensor[] =>
  tangents.map((tangent, i) => tangent ?? full(w[i], 0, w[i].shape));

/**
 * g = ∇L, Hv = dg[v] and D³L[v,v,·] = d(Hv)[v]: forward over forward over reverse. Per hidden fully connected layer 3
 * products for g, 6 more for Hv, 7 more for D³L[v,v,·].
 */
export const JOINT: DerivativeKind = {
  directions: 1,
  take({ value }, w, [v]) {
    const gradient = gradientOf(value, w);
    const product = orZero(pushForward(gradient, w, v), w);
    return { gradient, product, third: orZero(pushForward(product, w, v), w) };
  },
};

/** D³L[u,v,·] = d(Hv)[u] alone, for directions u and v that are inputs one after the other. */
export const MIXED: DerivativeKind = {
  directions: 2,
  take({ value }, w, [u, v]) {
    const product = orZero(pushForward(gradientOf(value, w), w, v), w);
    return { gradient: [], product: [], third: orZero(pushForward(product, w, u), w) };
  },
};

/** ∇L alone. */
export const GRADIENT: DerivativeKind = {
  directions: 0,
  take: ({ value }, w) => ({ gradient: gradientOf(value, w), product: [], third: [] }),
};

/**
 * Jᵀ·H·J·v in place of the Hessian's product, for a loss over examples: J the Jacobian of the outputs f in the weights, H
 * the Hessian of the weighed criterion in the outputs. H·(Jv) is taken on inputs of its own, which then become f and Jv:
 * simplified, the criterion may read what f is a view of.
 */
export const GAUSS_NEWTON: DerivativeKind = {
  directions: 1,
  take({ examples }, w, [v]) {
    if (!examples) throw kindError("gaussNewton", "a loss over examples", "one of the weights alone");
    const { outputs, arrays, valueAt } = examples;
    const { trace } = outputs;
    const f = trace.input("outputs", outputs.shape);
    const df = trace.input("tangent of outputs", outputs.shape);
    const [curved] = orZero(pushForward(gradientOf(valueAt(f), [f]), [f], [df]), [f]);
    const [tangent] = orZero(pushForward([outputs], w, v), [outputs]);
    const graph = trace.graph([f, df, ...arrays], [curved]);
    const cotangents = inline(trace, graph, [outputs, tangent, ...arrays]);
    return { gradient: [], product: pullBack([outputs], w, cotangents), third: [] };
  },
};

/** A traced loss with derivatives, split into stages. */
export interface JointGraph {
  /** Inputs: parameters, their directions, example arrays. Outputs: L, gradient…, product…, third…, outputs if any. */
  readonly graph: Graph;
  readonly stageOf: (node: number) => number;
  /** How many nodes each group of inputs and of derivatives has. */
  readonly counts: {
    readonly parameters: number;
    readonly directions: number;
    readonly gradient: number;
    readonly product: number;
    readonly third: number;
  };
  readonly outputShape: Shape | undefined;
}

/**
 * Traces a chunk of `count` examples once and appends derivatives to the same trace, where common subexpressions merge.
 * Throws where the loss is no scalar.
 */
export function traceJoint(loss: ChunkLoss, count: number, kind: DerivativeKind): JointGraph {
  const trace = newTrace();
  const inputs = (prefix: string): Tensor[] =>
    Object.entries(loss.parameters).map(([name, shape]) => trace.input(prefix + name, shape));
  const w = inputs("");
  const v = Array.from({ length: kind.directions }, () => inputs("direction of "));
  const arrays = loss.arrays.map(({ name, shape }) => trace.input(`batch ${name}`, [count, ...shape]));
  const parts = loss.trace(w, arrays);
  const { gradient, product, third } = kind.take(parts, w, v);
  const { value } = parts;
  const outputs = parts.examples?.outputs;
  const results = [value, ...gradient, ...product, ...third, ...(outputs ? [outputs] : [])];
  const graph = verifyGraph(trace.graph([...w, ...v.flat(), ...arrays], results));
  const counts = {
    parameters: w.length,
    directions: w.length * kind.directions,
    gradient: gradient.length,
    product: product.length,
    third: third.length,
  };
  return { graph, stageOf: stagesOf(graph, counts), counts, outputShape: outputs?.shape };
}

function stagesOf(graph: Graph, counts: JointGraph["counts"]): (node: number) => number {
  const { parameters, directions, gradient: gradients, product: products, third: thirds } = counts;
  const value = ancestors(graph.nodes, [
    ...graph.outputs.slice(0, 1),
    ...graph.outputs.slice(1 + gradients + products + thirds),
  ]);
  const gradient = ancestors(graph.nodes, graph.outputs.slice(1, 1 + gradients));
  const curvature = ancestors(graph.nodes, graph.outputs.slice(1 + gradients, 1 + gradients + products));
  const directed = dependents(graph.nodes, graph.inputs.slice(parameters, parameters + directions));
  return (id) => {
    if (directed[id]) return curvature[id] ? STAGES.direction : STAGES.secondOrder;
    if (value[id]) return STAGES.value;
    if (gradient[id]) return STAGES.gradient;
    return curvature[id] ? STAGES.curvature : STAGES.third;
  };
}
