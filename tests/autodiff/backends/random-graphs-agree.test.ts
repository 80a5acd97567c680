import fc from "fast-check";
import { expect, test } from "vitest";
import { Program } from "../../../src/autodiff/execution/program.ts";
import { type Backend, jsBackend, sizeOf } from "../../../src/autodiff/index.ts";
import { buildPlan } from "../../../src/autodiff/plan/build.ts";
import { consecutive, type Instruction, isGroup, type Plan } from "../../../src/autodiff/plan/plan.ts";
import { Random } from "../../../src/base/index.ts";
import { type BuiltGraph, build, randomGraphs } from "../random-graphs.ts";
import { SEED } from "../registry.ts";
import { firstDifference, wasm } from "./bits.ts";

const SEGMENTS = 3;
const REGION = { inputs: 0, outputs: 1, scratch: 2, constants: 3, kept: 4 };

function planOf({ graph }: BuiltGraph, seed: number): Plan<Instruction> {
  const random = new Random(seed, "segments");
  const segments: number[] = [];
  for (const { operands } of graph.nodes) {
    const earliest = Math.max(0, ...operands.map((operand) => segments[operand]));
    segments.push(random.integer(10) === 0 ? Math.min(earliest + 1, SEGMENTS - 1) : earliest);
  }
  const sizes = (ids: readonly number[]): number[] => ids.map((id) => sizeOf(graph.nodes[id].shape));
  return buildPlan({
    graph,
    segmentOf: (id) => segments[id],
    segmentCount: SEGMENTS,
    inputs: consecutive(sizes(graph.inputs), REGION.inputs),
    outputs: consecutive(sizes(graph.outputs), REGION.outputs),
    residualRegion: () => REGION.kept,
    scratchRegion: REGION.scratch,
    constantsRegion: REGION.constants,
    regions: 5,
  });
}

/** The outputs region after all segments ran, twice, in memory that starts as NaN. */
function run(
  plan: Plan<Instruction>,
  inputs: readonly Float64Array[],
  backend: Backend,
): { readonly outputs: Float64Array; readonly groups: number } {
  let end = 0;
  const bases = plan.regionSizes.map((size) => {
    end += size;
    return end - size;
  });
  const program = new Program({ plan, backend, entries: end, constantsBase: bases[REGION.constants] });
  program.bases.set(bases);
  for (const region of [REGION.outputs, REGION.scratch, REGION.kept])
    program.memory.fill(Number.NaN, bases[region], bases[region] + plan.regionSizes[region]);
  let at = bases[REGION.inputs];
  for (const input of inputs) {
    program.memory.set(input, at);
    at += input.length;
  }
  for (let round = 0; round < 2; round++)
    for (let segment = 0; segment < SEGMENTS; segment++) program.runSegment(segment);
  const start = bases[REGION.outputs];
  return {
    outputs: program.memory.slice(start, start + plan.regionSizes[REGION.outputs]),
    groups: program.plan.segments.flat().filter(isGroup).length,
  };
}

test("random graphs in segments, with elementwise instructions fused, give the js backend's bits", () => {
  let groups = 0;
  fc.assert(
    fc.property(randomGraphs, (drawn) => {
      const built = build(drawn);
      const plan = planOf(built, drawn.seed);
      const expected = run(plan, built.inputs, jsBackend);
      const fused = run(plan, built.inputs, wasm);
      groups += fused.groups;
      expect(expected.groups).toBe(0);
      expect(firstDifference(expected.outputs, fused.outputs)).toBeUndefined();
    }),
    { seed: SEED, numRuns: 300 },
  );
  expect(groups).toBeGreaterThan(100);
});
