import { valueError } from "../base/index.ts";
import type { LossDefinition } from "./loss.ts";
import { buildPlan } from "./plan/build.ts";
import type { Location, Plan } from "./plan/plan.ts";
import { sizeOf } from "./shape.ts";
import { type JointGraph, STAGE_COUNT, STAGES, traceJoint } from "./stages.ts";

/** The parts of the memory of a joint evaluation. */
export const REGION = {
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

/** Plans the joint evaluation for the chunk size asked for, or for the largest that keeps a chunk's arrays small. */
export function planJoint(
  definition: LossDefinition,
  examples: number,
  options: { readonly chunk?: number },
): { readonly chunk: number; readonly joint: JointGraph; readonly plan: Plan } {
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
