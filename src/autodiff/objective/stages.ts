import type { Graph } from "../graph/graph.ts";
import type { Shape } from "../graph/shape.ts";
import { full } from "../tensor/operations.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { pushForward } from "../transforms/jvp.ts";
import { newTrace, verify } from "../transforms/simplify.ts";
import { gradientOf } from "../transforms/transpose.ts";

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

/** What a loss function returns: a scalar, perhaps with the network's outputs for whoever wants to see them. */
export type LossResult = Tensor | { readonly loss: Tensor; readonly outputs: Tensor };

export interface JointGraph {
  /** Inputs: parameters, their directions, batch arrays. Outputs: L, g…, Hv…, D³L[v,v,·]…, outputs if any. */
  readonly graph: Graph;
  readonly stageOf: (node: number) => number;
  readonly parameterCount: number;
  readonly batchCount: number;
  readonly outputShape: Shape | undefined;
}

/**
 * Traces L once and appends g = ∇L, Hv = dg[v] and D³L[v,v,·] = d(Hv)[v] to the same trace, where common
 * subexpressions merge. Forward over forward over reverse: per hidden fully connected layer 3 products for g,
 * 6 more for Hv, 7 more for D³L[v,v,·].
 */
export function traceJoint(
  parameters: Readonly<Record<string, Shape>>,
  batch: Readonly<Record<string, Shape>>,
  loss: (parameters: Record<string, Tensor>, batch: Record<string, Tensor>) => LossResult,
): JointGraph {
  const trace = newTrace();
  const inputs = (shapes: Readonly<Record<string, Shape>>, prefix: string): [string, Tensor][] =>
    Object.entries(shapes).map(([name, shape]) => [name, trace.input(prefix + name, shape)]);
  const weights = inputs(parameters, "");
  const directions = inputs(parameters, "direction of ");
  const arrays = inputs(batch, "batch ");
  const result = loss(Object.fromEntries(weights), Object.fromEntries(arrays));
  const value = "loss" in result ? result.loss : result;
  const outputs = "loss" in result ? result.outputs : undefined;

  const w = weights.map(([, tensor]) => tensor);
  const v = directions.map(([, tensor]) => tensor);
  const gradient = gradientOf(value, w);
  const orZero = (tangents: readonly (Tensor | undefined)[]): Tensor[] =>
    tangents.map((tangent, i) => tangent ?? full(value, 0, w[i].shape));
  const product = orZero(pushForward(gradient, w, v));
  const third = orZero(pushForward(product, w, v));

  const graph = verify(
    trace.graph(
      [...w, ...v, ...arrays.map(([, tensor]) => tensor)],
      [value, ...gradient, ...product, ...third, ...(outputs ? [outputs] : [])],
    ),
  );
  return {
    graph,
    stageOf: stagesOf(graph, w.length),
    parameterCount: w.length,
    batchCount: arrays.length,
    outputShape: outputs?.shape,
  };
}

function stagesOf(graph: Graph, parameterCount: number): (node: number) => number {
  const p = parameterCount;
  const value = ancestors(graph, [...graph.outputs.slice(0, 1), ...graph.outputs.slice(1 + 3 * p)]);
  const gradient = ancestors(graph, graph.outputs.slice(1, 1 + p));
  const curvature = ancestors(graph, graph.outputs.slice(1 + p, 1 + 2 * p));
  const directed = new Uint8Array(graph.nodes.length);
  for (const id of graph.inputs.slice(p, 2 * p)) directed[id] = 1;
  graph.nodes.forEach((node, id) => {
    if (node.operands.some((operand) => directed[operand])) directed[id] = 1;
  });
  return (id) => {
    if (directed[id]) return curvature[id] ? STAGES.direction : STAGES.secondOrder;
    if (value[id]) return STAGES.value;
    if (gradient[id]) return STAGES.gradient;
    return curvature[id] ? STAGES.curvature : STAGES.third;
  };
}

function ancestors(graph: Graph, outputs: readonly number[]): Uint8Array {
  const needed = new Uint8Array(graph.nodes.length);
  for (const id of outputs) needed[id] = 1;
  for (let id = graph.nodes.length - 1; id >= 0; id--)
    if (needed[id]) for (const operand of graph.nodes[id].operands) needed[operand] = 1;
  return needed;
}
