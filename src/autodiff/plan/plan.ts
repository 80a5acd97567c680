/**
 * Plans: a graph made ready to run. Every value has a fixed offset in a region; regions are the named buffers of a program
 * (weights, scratch, constants, …), whose addresses are set only when it runs. A plan is plain data: `build.ts` makes it,
 * `fuse.ts` turns it into one with fewer passes over memory, `print.ts` shows it, `verify.ts` checks it, a backend runs it.
 */
import type { Graph, PrimitiveName, PrimitiveParams } from "../graph/graph.ts";
import { type Shape, sizeOf } from "../graph/shape.ts";
import type { Cost, Layout } from "../primitives/rule.ts";

/** `offset` entries after the start of a region. */
export interface Location {
  readonly region: number;
  readonly offset: number;
}

/** An array in memory, perhaps a strided view of a larger one. */
export interface StridedView extends Location {
  readonly layout: Layout;
}

/** One kernel call: reads its operands, overwrites its contiguous result. */
export interface Instruction<K extends PrimitiveName = PrimitiveName> {
  /** The node it computes, or copies. */
  readonly node: number;
  readonly op: K;
  readonly params: PrimitiveParams[K];
  readonly operands: readonly StridedView[];
  /** The node whose buffer each operand lies in. */
  readonly owners: readonly number[];
  readonly result: Location;
  readonly shape: Shape;
  readonly cost: Cost;
}

/** One operation of a group; operands are numbers of values: first the group's inputs, then its steps in order. */
export interface GroupStep {
  readonly node: number;
  readonly op: PrimitiveName;
  readonly operands: readonly number[];
}

/** What a group stores: a value, or its sum over axes. */
export interface GroupOutput {
  readonly node: number;
  readonly value: number;
  readonly result: Location;
  readonly axes?: readonly number[];
}

/**
 * Elementwise instructions over one shape, done entry by entry in one pass, and sums of their values over the same axes
 * (a fused reduction). What only the group itself reads is never stored.
 */
export interface Group {
  readonly shape: Shape;
  readonly inputs: readonly StridedView[];
  /** The node whose buffer each input lies in. */
  readonly owners: readonly number[];
  readonly steps: readonly GroupStep[];
  /** Whole values first, then sums. */
  readonly outputs: readonly GroupOutput[];
  readonly cost: Cost;
}

/** What a segment of a plan consists of. */
export type Item = Instruction | Group;

/** Whether an item is a group. */
export const isGroup = (item: Item): item is Group => "steps" in item;

/**
 * A graph made ready to run: items in segments, every buffer at a fixed offset of a region.
 * @typeParam I `Instruction` for a plan before fusion
 */
export interface Plan<I extends Item = Item> {
  readonly graph: Graph;
  /** Where the caller puts each graph input, contiguous. */
  readonly inputs: readonly Location[];
  readonly segments: readonly (readonly I[])[];
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

/** Arrays one after another from the start of a region on, of these many entries each. */
export function consecutive(sizes: readonly number[], region: number, start = 0): Location[] {
  let offset = start;
  return sizes.map((size) => {
    const location = { region, offset };
    offset += size;
    return location;
  });
}

/** The locations whose addresses an item's kernel is given, in order: results, then what it reads. */
export function arraysOf(item: Item): readonly Location[] {
  return isGroup(item)
    ? [...item.outputs.map(({ result }) => result), ...item.inputs]
    : [item.result, ...item.operands];
}

/** The entry of an array that lies furthest, counted in its region; strides are not negative. */
export function lastEntry({ offset, layout: { shape, strides } }: StridedView): number {
  return shape.reduce((at, length, axis) => at + (length - 1) * strides[axis], offset);
}

/** Whether some of `size` entries from `result` on may be entries of the array. False where either is empty. */
export function overlaps(result: Location, size: number, array: StridedView): boolean {
  if (array.region !== result.region || size === 0 || sizeOf(array.layout.shape) === 0) return false;
  return array.offset < result.offset + size && result.offset <= lastEntry(array);
}

/** The arithmetic of items together. */
export function totalCost(items: readonly { readonly cost: Cost }[]): Cost {
  let flops = 0;
  let products = 0;
  for (const { cost } of items) {
    flops += cost.flops;
    products += cost.products;
  }
  return { flops, products };
}

/** Bytes that an item's kernel reads and writes: every entry of its operands and results once. */
export function bytesOf(item: Item): number {
  const read = (isGroup(item) ? item.inputs : item.operands).reduce(
    (total, { layout: { shape, strides } }) =>
      total + shape.reduce((size, length, axis) => size * (strides[axis] === 0 ? 1 : length), 1),
    0,
  );
  const results = isGroup(item) ? item.outputs.length : 1;
  return 8 * (read + results * sizeOf(item.shape));
}
