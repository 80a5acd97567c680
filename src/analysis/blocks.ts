import { type Shapes, sizeOf } from "../autodiff/index.ts";

/** Into what blocks the weights are cut: one per layer, one per parameter, or none but all of them. */
export const BLOCK_KINDS = ["none", "layers", "parameters"] as const;
/** See `BLOCK_KINDS`. */
export type BlockKind = (typeof BLOCK_KINDS)[number];

/** Weights `from` … `to` − 1. */
export interface WeightRange {
  readonly from: number;
  readonly to: number;
}

/** Some of the weights, whose rows and columns make a principal block of a matrix. */
export interface Block {
  /** A parameter's or layer's name; `ALL_WEIGHTS` for the whole. */
  readonly name: string;
  /** In order, apart from one another. */
  readonly ranges: readonly WeightRange[];
  /** The number of weights. */
  readonly size: number;
}

/** What the block of all weights is called. */
export const ALL_WEIGHTS = "all weights";

/** A parameter's layer: its name up to the last dot, `0` for `0.weight`; the whole name where there is none. */
const layerOf = (parameter: string): string => parameter.replace(/\.[^.]*$/, "");

/** The blocks that named parameters, one after the other in the vector of weights, are cut into: all of them first. */
export function blocksOf(parameters: Shapes, kind: BlockKind): Block[] {
  const ranges = new Map<string, WeightRange[]>();
  let total = 0;
  for (const [name, shape] of Object.entries(parameters)) {
    const block = kind === "layers" ? layerOf(name) : name;
    const range = { from: total, to: total + sizeOf(shape) };
    ranges.set(block, [...(ranges.get(block) ?? []), range]);
    total = range.to;
  }
  const whole: Block = { name: ALL_WEIGHTS, ranges: [{ from: 0, to: total }], size: total };
  if (kind === "none") return [whole];
  return [
    whole,
    ...[...ranges].map(([name, own]) => ({
      name,
      ranges: own,
      size: own.reduce((sum, { from, to }) => sum + to - from, 0),
    })),
  ];
}
