import type { Graph, PrimitiveName, PrimitiveNode, PrimitiveParams } from "../graph/graph.ts";
import { formatShape, type Shape } from "../graph/shape.ts";
import type { Cost, Layout } from "../primitives/rule.ts";

/** A place in a plan's memory: `offset` entries after the start of a region, whose address is set when the plan runs. */
export interface Location {
  readonly region: number;
  readonly offset: number;
}

/** An array in memory, perhaps a strided view of a larger one. */
export interface Placed extends Location {
  readonly layout: Layout;
}

/** One kernel call: reads its operands, overwrites its contiguous result. */
export interface Instruction<K extends PrimitiveName = PrimitiveName> {
  /** The node it computes, or copies. */
  readonly node: number;
  readonly op: K;
  readonly params: PrimitiveParams[K];
  readonly operands: readonly Placed[];
  /** The node whose buffer each operand lies in. */
  readonly owners: readonly number[];
  readonly result: Location;
  readonly shape: Shape;
  readonly cost: Cost;
}

/**
 * A graph made ready to run: instructions in segments, every buffer at a fixed offset of a region. Plain data; a
 * backend turns instructions into kernels.
 */
export interface Plan {
  readonly graph: Graph;
  readonly segments: readonly (readonly Instruction[])[];
  /** Entries in each region. */
  readonly regionSizes: readonly number[];
  /** What the constants region must hold. */
  readonly constants: Float64Array;
  readonly constantsRegion: number;
}

/** What the planner must be told. Regions are numbered by the caller from 0 to `regions` − 1. */
export interface PlanRequest {
  readonly graph: Graph;
  /** When each node runs; never before its operands. Segments run in order, each as often as the caller likes. */
  readonly segmentOf: (node: number) => number;
  readonly segmentCount: number;
  /** Where the caller puts each graph input, contiguous. */
  readonly inputs: readonly Location[];
  /** Where each graph output is to be written, contiguous. */
  readonly outputs: readonly Location[];
  /**
   * The segment that writes each output, not before the one of its node; that one by default. Matters for an output
   * whose node also serves an earlier segment: its place is not overwritten before the segment that it belongs to.
   */
  readonly outputSegments?: readonly number[];
  /** The region that keeps a segment's values for later segments. */
  readonly residualRegion: (segment: number) => number;
  readonly scratchRegion: number;
  readonly constantsRegion: number;
  readonly regions: number;
}

export function totalCost(instructions: readonly Instruction[]): Cost {
  let flops = 0;
  let products = 0;
  for (const { cost } of instructions) {
    flops += cost.flops;
    products += cost.products;
  }
  return { flops, products };
}

/** The plan as text: an instruction a line, with where it reads and writes. */
export function printPlan(plan: Plan): string {
  const place = (location: Location): string => `r${location.region}+${location.offset}`;
  const lines = plan.segments.flatMap((instructions, segment) => [
    `segment ${segment}: ${instructions.length} instructions, ${totalCost(instructions).products} products, ${totalCost(instructions).flops} flops`,
    ...instructions.map(
      ({ node, op, operands, result, shape }) =>
        `  ${place(result)} = ${op}(${operands.map(place).join(", ")}) : ${formatShape(shape)}  %${node}`,
    ),
  ]);
  return [`regions: ${plan.regionSizes.join(", ")} entries`, ...lines].join("\n");
}

export function isPrimitive(node: { readonly op: string }): node is PrimitiveNode {
  return node.op !== "input" && node.op !== "constant" && node.op !== "literal";
}
