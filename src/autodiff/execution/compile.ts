import { kindError, valueError } from "../../base/index.ts";
import type { Backend } from "../backends/backend.ts";
import { jsBackend } from "../backends/js/js.ts";
import type { Graph } from "../graph/graph.ts";
import { formatShape, sizeOf } from "../graph/shape.ts";
import { buildPlan } from "../plan/build.ts";
import { consecutive, type Plan } from "../plan/plan.ts";
import { Tensor } from "../tensor/tensor.ts";
import type { Tree } from "../tensor/tree.ts";
import { isShape, type ShapeTree, trace } from "../transforms/trace.ts";
import { Program } from "./program.ts";

/** Numbers in place of tensors: a number for a scalar, an array (row-major) for anything else, in arrays and records. */
export type NumberTree =
  | number
  | Float64Array
  | readonly NumberTree[]
  | { readonly [key: string]: NumberTree };

/** What a compiled function returns in place of its tensors. */
export type Numbers<Y> = Y extends Tensor ? Float64Array : { readonly [K in keyof Y]: Numbers<Y[K]> };

/** A traced function, planned once, with what it gives for arguments of the shapes that it was compiled for. */
export interface CompiledFunction<Y extends Tree> {
  /**
   * Evaluates. Arguments are trees like the shapes; a leaf is a Float64Array (row-major), an array of numbers, or a
   * number for a scalar. Returns fresh arrays. Throws when a leaf has the wrong number of entries.
   */
  (...inputs: readonly NumberTree[]): Numbers<Y>;
  readonly graph: Graph;
  /** What runs, fused where the backend runs groups. */
  readonly plan: Plan;
  /**
   * Evaluates on flat leaves without allocating: reads `inputs`, overwrites `outputs`. Throws when one of them has the
   * wrong number of entries.
   */
  run(inputs: readonly Float64Array[], outputs: readonly Float64Array[]): void;
}

const REGIONS = { inputs: 0, outputs: 1, scratch: 2, constants: 3 };

/**
 * Traces, plans and binds a function once for fixed shapes, e.g.
 * `compile((w: Tensor) => sum(square(w)), [[3]])(Float64Array.of(1, 2, 3))`.
 */
export function compile<A extends readonly Tree[], Y extends Tree>(
  f: (...inputs: A) => Y,
  shapes: { readonly [K in keyof A]: ShapeTree },
  options: { readonly backend?: Backend } = {},
): CompiledFunction<Y> {
  const { graph, result } = trace<A, Y>(f, ...shapes);
  const sizes = (ids: readonly number[]): number[] => ids.map((id) => sizeOf(graph.nodes[id].shape));
  const inputSizes = sizes(graph.inputs);
  const outputSizes = sizes(graph.outputs);
  const plan = buildPlan({
    graph,
    segmentOf: () => 0,
    segmentCount: 1,
    inputs: consecutive(inputSizes, REGIONS.inputs),
    outputs: consecutive(outputSizes, REGIONS.outputs),
    residualRegion: () => REGIONS.scratch,
    scratchRegion: REGIONS.scratch,
    constantsRegion: REGIONS.constants,
    regions: 4,
  });
  const bases = cumulative(plan.regionSizes);
  const program = new Program({
    plan,
    backend: options.backend ?? jsBackend,
    entries: bases[4],
    constantsBase: bases[REGIONS.constants],
  });
  for (let region = 0; region < 3; region++) program.bases[region] = bases[region];

  const run = (inputs: readonly Float64Array[], outputs: readonly Float64Array[]): void => {
    checkSizes("inputs", inputs, inputSizes);
    checkSizes("outputs", outputs, outputSizes);
    let at = bases[REGIONS.inputs];
    for (let i = 0; i < inputSizes.length; i++) {
      program.memory.set(inputs[i], at);
      at += inputSizes[i];
    }
    program.runSegment(0);
    at = bases[REGIONS.outputs];
    for (const output of outputs)
      for (let i = 0; i < output.length; i++, at++) output[i] = program.memory[at];
  };
  const call = (...inputs: readonly NumberTree[]): Numbers<Y> => {
    const leaves = shapes.flatMap((shape, i) => numbersOf(shape, inputs[i], `argument ${i}`));
    const outputs = outputSizes.map((size) => new Float64Array(size));
    run(leaves, outputs);
    return numberTree(result, outputs);
  };
  return Object.assign(call, { graph, plan: program.plan, run });
}

function checkSizes(what: string, arrays: readonly Float64Array[], sizes: readonly number[]): void {
  for (let i = 0; i < sizes.length; i++)
    if (arrays[i]?.length !== sizes[i])
      throw valueError(`run, ${what}`, `${sizes[i]} entries in array ${i}`, String(arrays[i]?.length));
}

function cumulative(sizes: readonly number[]): number[] {
  const starts = [0];
  for (const size of sizes) starts.push(starts[starts.length - 1] + size);
  return starts;
}

/** The leaves of an argument as flat arrays, checked against its tree of shapes. */
function numbersOf(shape: ShapeTree, value: NumberTree | undefined, where: string): Float64Array[] {
  if (isShape(shape)) {
    const size = sizeOf(shape);
    const flat =
      value instanceof Float64Array
        ? value
        : typeof value === "number"
          ? Float64Array.of(value)
          : Array.isArray(value) && value.every((entry) => typeof entry === "number")
            ? Float64Array.from(value as number[])
            : undefined;
    if (!flat) throw kindError("compiled function", `numbers for ${where}`, typeof value);
    if (flat.length !== size)
      throw valueError(
        "compiled function",
        `${size} numbers for ${where} of shape ${formatShape(shape)}`,
        `${flat.length}`,
      );
    return [flat];
  }
  return Object.entries(shape as Record<string, ShapeTree>).flatMap(([key, part]) =>
    numbersOf(part, (value as Record<string, NumberTree> | undefined)?.[key], `${where}.${key}`),
  );
}

function numberTree<Y extends Tree>(tree: Y, outputs: readonly Float64Array[]): Numbers<Y> {
  let next = 0;
  const build = (part: Tree): unknown => {
    if (part instanceof Tensor) return outputs[next++];
    if (Array.isArray(part)) return part.map(build);
    return Object.fromEntries(
      Object.entries(part as Record<string, Tree>).map(([key, value]) => [key, build(value)]),
    );
  };
  return build(tree) as Numbers<Y>;
}
