import { sizeOf } from "../graph/shape.ts";
import { buildPlan } from "../plan/build.ts";
import type { Instruction, Location, Plan } from "../plan/plan.ts";
import { contiguous } from "../primitives/rule.ts";
import type { LossDefinition } from "./loss.ts";
import { type JointGraph, STAGE_COUNT, STAGES, traceJoint } from "./stages.ts";

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

/** Traces and plans the joint evaluation of one chunk of examples. */
export function planJoint(
  definition: LossDefinition,
  chunk: number,
): { readonly joint: JointGraph; readonly plan: Plan<Instruction>; readonly traceSeconds: number } {
  const start = performance.now();
  const batch = Object.fromEntries(
    Object.entries(definition.examples ?? {}).map(([name, { shape }]) => [name, [chunk, ...shape]]),
  );
  const joint = traceJoint(definition.parameters, batch, definition.loss);
  const traceSeconds = (performance.now() - start) / 1000;
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
      ...run(graph.outputs.slice(0, 1), REGION.value),
      ...run(graph.outputs.slice(1, 1 + p), REGION.gradient),
      ...run(graph.outputs.slice(1 + p, 1 + 2 * p), REGION.product),
      ...run(graph.outputs.slice(1 + 2 * p, 1 + 3 * p), REGION.third),
      ...run(graph.outputs.slice(1 + 3 * p), REGION.value, 1),
    ],
    // A gradient that the loss computes on its way is written with the gradient all the same: its place is shared.
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
  return { joint, plan, traceSeconds };
}
