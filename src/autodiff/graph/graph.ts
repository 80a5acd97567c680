/**
 * Graphs: functions of tensors as data. A node is one operation on earlier nodes; every transform of this layer makes a graph
 * from graphs, prints as text (`print.ts`) and can be checked (`verify.ts`). The names of all primitives stand here, once.
 */
import type { Shape } from "./shape.ts";

type None = Readonly<Record<string, never>>;

/** The elementwise primitives of one operand. */
export const UNARY = [
  ...([
    "negate",
    "exp",
    "log",
    "sin",
    "cos",
    "tanh",
    "sechSquared",
    "erf",
    "erfc",
    "sqrt",
    "sigmoid",
    "softplus",
  ] as const),
  ...(["absolute", "sign", "stopGradient"] as const),
] as const;
/** The elementwise primitives of two operands. */
export const BINARY = [
  ...(["add", "subtract", "multiply", "divide", "power", "less", "lessEqual", "equal"] as const),
] as const;

/** A name of `UNARY`. */
export type UnaryName = (typeof UNARY)[number];
/** A name of `BINARY`. */
export type BinaryName = (typeof BINARY)[number];
/** Primitives whose i-th result entry depends on the i-th entries of their operands alone. */
export type ElementwiseName = UnaryName | BinaryName | "select";

/** Every primitive with its static parameters. A rule or lowering table is typed as one entry per name. */
export interface PrimitiveParams extends Readonly<Record<ElementwiseName, None>> {
  reshape: { readonly shape: Shape };
  transpose: { readonly permutation: readonly number[] };
  /** Input axis i becomes output axis `axes[i]`; the other output axes repeat the input. */
  broadcast: { readonly shape: Shape; readonly axes: readonly number[] };
  slice: {
    readonly starts: readonly number[];
    readonly sizes: readonly number[];
    readonly steps: readonly number[];
  };
  /** Zeros: `low` before, `high` after, `interior` between neighbours, per axis. */
  pad: {
    readonly low: readonly number[];
    readonly high: readonly number[];
    readonly interior: readonly number[];
  };
  concatenate: { readonly axis: number };
  sum: { readonly axes: readonly number[] };
  max: { readonly axes: readonly number[] };
  /** op(A)·op(B) on the last two axes; all earlier axes are equal batch axes. */
  matmul: { readonly transposeA: boolean; readonly transposeB: boolean };
  /** Rows of a table [rows, …width] at indices of any shape → [...indices, …width]. */
  gather: None;
  /** The transpose of gather: adds updates [...indices, …width] into a zero table [rows, …width]. */
  scatterAdd: { readonly rows: number };
  /**
   * One of the three arrays of a convolution, contracted from the other two (in the order input, kernel, output);
   * `size` holds the spatial lengths of the wanted one.
   */
  convolution: {
    readonly wanted: ConvolutionRole;
    readonly stride: readonly [number, number];
    readonly padding: readonly [number, number];
    readonly size: readonly [number, number];
  };
  /** h_t = a_t∘h_{t−1} + b_t along an axis, from 0; reversed: h_t = a_{t+1}∘h_{t+1} + b_t. */
  recurrence: { readonly axis: number; readonly reversed: boolean };
}

/** The arrays of a convolution. */
export type ConvolutionRole = "input" | "kernel" | "output";

/** The names of the primitives. */
export type PrimitiveName = keyof PrimitiveParams;

/** What has no operands: an input of the graph, one number repeated, or an array of numbers. */
export interface SourceParams {
  input: { readonly name: string };
  constant: { readonly value: number };
  literal: { readonly data: Float64Array };
}

/** The names of nodes without operands. */
export type SourceName = keyof SourceParams;
type AllParams = PrimitiveParams & SourceParams;

/** One operation of a graph. `operands` are earlier positions in the graph's list of nodes. */
export type NodeOf<K extends keyof AllParams> = {
  readonly op: K;
  readonly params: AllParams[K];
  readonly operands: readonly number[];
  readonly shape: Shape;
};
/** An application of a primitive. */
export type PrimitiveNode = { [K in PrimitiveName]: NodeOf<K> }[PrimitiveName];
/** A node without operands. */
export type SourceNode = { [K in SourceName]: NodeOf<K> }[SourceName];
/** One node of a graph. */
export type Node = PrimitiveNode | SourceNode;

/** A traced function as data: nodes in topological order, and which of them are its inputs and outputs. */
export interface Graph {
  readonly nodes: readonly Node[];
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
}

/** Whether a node has no operands: an input, a constant or a literal. */
export function isSource(node: Node): node is SourceNode {
  return node.op === "input" || node.op === "constant" || node.op === "literal";
}
