import { sizeOf } from "../graph/shape.ts";
import { buildPlan } from "../plan/build.ts";
import { consecutive, type Instruction, type Location, type Plan } from "../plan/plan.ts";
import { contiguous } from "../primitives/rule.ts";
import type { ChunkLoss } from "./loss.ts";
import { type DerivativeKind, type JointGraph, STAGE_COUNT, STAGES, traceJoint } from "./stages.ts";

/** The parts of the memory of a joint evaluation. The last three are wherever an addition is wanted. */
export const REGION = {
  weights: 0,
  direction: 1,
  batch: 2,
  /** The loss, then the network's outputs. */
  value: 3,
  gradient: 4,
  product: 5,
  third: 6,
  scratch: 7,
  constants: 8,
  primal: 9,
  tangent: 10,
  sum: 11,
  left: 12,
  right: 13,
} as const;
export const REGION_COUNT = 14;

/** Segments after the stages: sum = left + right, of as many entries as there are weights, or first-order tangents. */
export const ADDITIONS = { weights: STAGE_COUNT, tangents: STAGE_COUNT + 1 } as const;

/** The instructions of the segments `ADDITIONS`. */
export function additions(dimension: number, tangents: number): Instruction[][] {
  return [dimension, tangents].map((size) => {
    const operands = [REGION.left, REGION.right].map((region) => ({
      region,
      offset: 0,
      layout: contiguous([size]),
    }));
    const result = { region: REGION.sum, offset: 0 };
    const cost = { flops: size, products: 0 };
    return [{ node: -1, op: "add", params: {}, operands, owners: [], result, shape: [size], cost }];
  });
}

/** Traces and plans the joint evaluation of one chunk of `count` examples. */
export function planJoint(
  loss: ChunkLoss,
  count: number,
  kind: DerivativeKind,
): { readonly joint: JointGraph; readonly plan: Plan<Instruction>; readonly traceSeconds: number } {
  const start = performance.now();
  const joint = traceJoint(loss, count, kind);
  const traceSeconds = (performance.now() - start) / 1000;
  const { graph, counts } = joint;
  const row = (ids: readonly number[], region: number, start = 0): Location[] =>
    consecutive(
      ids.map((id) => sizeOf(graph.nodes[id].shape)),
      region,
      start,
    );
  const { parameters } = counts;
  const firstArray = parameters + counts.directions;
  const firstProduct = 1 + counts.gradient;
  const firstThird = firstProduct + counts.product;
  const firstOutput = firstThird + counts.third;
  const plan = buildPlan({
    graph,
    segmentOf: joint.stageOf,
    segmentCount: STAGE_COUNT,
    inputs: [
      ...row(graph.inputs.slice(0, parameters), REGION.weights),
      ...row(graph.inputs.slice(parameters, firstArray), REGION.direction),
      ...row(graph.inputs.slice(firstArray), REGION.batch),
    ],
    outputs: [
      ...row(graph.outputs.slice(0, 1), REGION.value),
      ...row(graph.outputs.slice(1, firstProduct), REGION.gradient),
      ...row(graph.outputs.slice(firstProduct, firstThird), REGION.product),
      ...row(graph.outputs.slice(firstThird, firstOutput), REGION.third),
      ...row(graph.outputs.slice(firstOutput), REGION.value, 1),
    ],
    // A gradient that the loss computes on its way is written with the gradient all the same: its place is shared.
    outputSegments: graph.outputs.map((_, i) => {
      if (i === 0 || i >= firstOutput) return STAGES.value;
      if (i < firstProduct) return STAGES.gradient;
      return i < firstThird ? STAGES.direction : STAGES.secondOrder;
    }),
    residualRegion: (stage) => (stage >= STAGES.direction ? REGION.tangent : REGION.primal),
    scratchRegion: REGION.scratch,
    constantsRegion: REGION.constants,
    regions: REGION_COUNT,
  });
  return { joint, plan, traceSeconds };
}
