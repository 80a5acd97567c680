import fc from "fast-check";
import { expect, test } from "vitest";
import { Program } from "../../../src/autodiff/execution/program.ts";
import { compile, jsBackend, sizeOf, type Tensor, transpose } from "../../../src/autodiff/index.ts";
import { buildPlan } from "../../../src/autodiff/plan/build.ts";
import { consecutive } from "../../../src/autodiff/plan/plan.ts";
import { newPlainTrace } from "../../../src/autodiff/transforms/simplify.ts";
import { Random } from "../../../src/base/index.ts";
import { interpret } from "../interpreter.ts";
import { type BuiltGraph, build, randomGraphs } from "../random-graphs.ts";
import { applied, cases, draw, inputsOf, PRIMITIVES, SEED } from "../registry.ts";

test.each(PRIMITIVES)("%s: the kernel gives the definition's bits, through views too", (op) => {
  fc.assert(
    fc.property(cases(op), (drawn) => {
      const run = compile(
        (inputs: Tensor[]) => applied(op, drawn, inputs),
        [drawn.operands.map(({ inputShape }) => inputShape)],
      );
      const inputs = inputsOf(drawn, draw);
      expect(run(inputs)).toEqual(interpret(run.graph, inputs)[0]);
    }),
    { seed: SEED, numRuns: 40 },
  );
});

const REGION = { inputs: 0, outputs: 1, scratch: 2, constants: 3, even: 4, odd: 5 };

/** Plans a graph over segments drawn at random, runs it with all memory but inputs and constants set to NaN. */
function runInSegments({ graph, inputs }: BuiltGraph, seed: number, segmentCount: number): Float64Array[] {
  const random = new Random(seed, "segments");
  const segments: number[] = [];
  graph.nodes.forEach((node) => {
    const earliest = Math.max(0, ...node.operands.map((operand) => segments[operand]));
    const ahead = random.integer(8) === 0 ? random.integer(segmentCount - earliest) : 0;
    segments.push(earliest + ahead);
  });
  const sizes = (ids: readonly number[]): number[] => ids.map((id) => sizeOf(graph.nodes[id].shape));
  const inputLocations = consecutive(sizes(graph.inputs), REGION.inputs);
  const outputLocations = consecutive(sizes(graph.outputs), REGION.outputs);
  const plan = buildPlan({
    graph,
    segmentOf: (id) => segments[id],
    segmentCount,
    inputs: inputLocations,
    outputs: outputLocations,
    outputSegments: graph.outputs.map((id) => segments[id] + random.integer(segmentCount - segments[id])),
    residualRegion: (segment) => (segment % 2 === 0 ? REGION.even : REGION.odd),
    scratchRegion: REGION.scratch,
    constantsRegion: REGION.constants,
    regions: 6,
  });

  let end = 0;
  const bases = plan.regionSizes.map((size) => {
    end += size;
    return end - size;
  });
  const program = new Program({
    plan,
    backend: jsBackend,
    entries: end,
    constantsBase: bases[REGION.constants],
  });
  program.bases.set(bases);
  for (const region of [REGION.outputs, REGION.scratch, REGION.even, REGION.odd])
    program.memory.fill(Number.NaN, bases[region], bases[region] + plan.regionSizes[region]);
  inputs.forEach((input, i) => {
    program.memory.set(input, bases[REGION.inputs] + inputLocations[i].offset);
  });
  // Segments may run again, any earlier one too: each still finds what it reads.
  for (let segment = 0; segment < segmentCount; segment++) {
    program.runSegment(segment);
    program.runSegment(random.integer(segment + 1));
    program.runSegment(random.integer(segment + 1));
  }
  inputs.forEach((input, i) => {
    const start = bases[REGION.inputs] + inputLocations[i].offset;
    expect(program.memory.slice(start, start + input.length), "inputs are only read").toEqual(input);
  });
  return graph.outputs.map((id, i) => {
    const start = bases[REGION.outputs] + outputLocations[i].offset;
    return program.memory.slice(start, start + sizeOf(graph.nodes[id].shape));
  });
}

test.each([1, 2, 5])("random graphs run in %i segments give the interpreter's bits", (segmentCount) => {
  fc.assert(
    fc.property(randomGraphs, (drawn) => {
      const built = build(drawn);
      expect(runInSegments(built, drawn.seed, segmentCount)).toEqual(interpret(built.graph, built.inputs));
    }),
    { seed: SEED, numRuns: 400 },
  );
});

test("a view that turns strided when its source gets a buffer of its own is copied before a product", () => {
  const trace = newPlainTrace();
  const x = trace.input("x", [2, 3]);
  const flipped = transpose(x);
  const product = trace.emit("matmul", [flipped, transpose(flipped)], {
    transposeA: false,
    transposeB: false,
  });
  const inputs = [Float64Array.of(1, 2, 3, 4, 5, 6)];
  const built = { graph: trace.graph([x], [product]), inputs };
  expect(runInSegments(built, SEED, 1)).toEqual([Float64Array.of(17, 22, 27, 22, 29, 36, 27, 36, 45)]);
});
