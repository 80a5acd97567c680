import { valueError } from "../../base/index.ts";
import { formatShape, type Shape, sizeOf } from "./shape.ts";

type None = Readonly<Record<string, never>>;

/** Every primitive with its static parameters. A rule or lowering table is typed as one entry per name. */
export interface PrimitiveParams {
  negate: None;
  exp: None;
  log: None;
  sin: None;
  cos: None;
  tanh: None;
  erf: None;
  sqrt: None;
  sigmoid: None;
  softplus: None;
  absolute: None;
  sign: None;
  stopGradient: None;
  add: None;
  subtract: None;
  multiply: None;
  divide: None;
  power: None;
  less: None;
  lessEqual: None;
  equal: None;
  select: None;
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

export type ConvolutionRole = "input" | "kernel" | "output";

export type PrimitiveName = keyof PrimitiveParams;

/** The elementwise primitives of one operand, and those of two. */
export type UnaryName =
  | "negate"
  | "exp"
  | "log"
  | "sin"
  | "cos"
  | "tanh"
  | "erf"
  | "sqrt"
  | "sigmoid"
  | "softplus"
  | "absolute"
  | "sign"
  | "stopGradient";
export type BinaryName =
  | "add"
  | "subtract"
  | "multiply"
  | "divide"
  | "power"
  | "less"
  | "lessEqual"
  | "equal";

/** What has no operands: an input of the graph, one number repeated, or an array of numbers. */
export interface SourceParams {
  input: { readonly name: string };
  constant: { readonly value: number };
  literal: { readonly data: Float64Array };
}

export type SourceName = keyof SourceParams;
type AllParams = PrimitiveParams & SourceParams;

/** One operation of a graph. `operands` are earlier positions in the graph's list of nodes. */
export type NodeOf<K extends keyof AllParams> = {
  readonly op: K;
  readonly params: AllParams[K];
  readonly operands: readonly number[];
  readonly shape: Shape;
};
export type PrimitiveNode = { [K in PrimitiveName]: NodeOf<K> }[PrimitiveName];
export type SourceNode = { [K in SourceName]: NodeOf<K> }[SourceName];
export type Node = PrimitiveNode | SourceNode;

/** A traced function as data: nodes in topological order, and which of them are its inputs and outputs. */
export interface Graph {
  readonly nodes: readonly Node[];
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
}

export function isSource(node: Node): node is SourceNode {
  return node.op === "input" || node.op === "constant" || node.op === "literal";
}

function formatParams(node: Node): string {
  if (node.op === "literal") return ` ${sizeOf(node.shape)} numbers`;
  const entries = Object.entries(node.params as Record<string, unknown>);
  return entries.length === 0
    ? ""
    : ` {${entries.map(([key, value]) => `${key}: ${formatParam(value)}`).join(", ")}}`;
}

/** JSON, but for the numbers that JSON cannot write: NaN, infinities and −0. */
function formatParam(value: unknown): string {
  if (typeof value !== "number") return JSON.stringify(value);
  return Object.is(value, -0) ? "-0" : String(value);
}

/** The graph as text, a node a line: `%3 = add %1 %2 : [4, 8]`. */
export function printGraph(graph: Graph): string {
  const lines = graph.nodes.map(
    (node, id) =>
      `%${id} = ${node.op}${node.operands.map((operand) => ` %${operand}`).join("")}${formatParams(node)} : ${formatShape(node.shape)}`,
  );
  return [...lines, `return ${graph.outputs.map((id) => `%${id}`).join(" ")}`].join("\n");
}

/**
 * Checks what every transform must leave true: operands come earlier, inputs are input nodes named once, outputs
 * exist, and each node's shape is what its primitive's shape rule says (`shapeRule` is passed in).
 */
export function verifyGraph(
  graph: Graph,
  shapeRule: (node: PrimitiveNode, shapes: readonly Shape[]) => Shape,
): void {
  const fail = (id: number, what: string): never => {
    throw valueError("verifyGraph", "a well-formed graph", `${what} at %${id}`);
  };
  graph.nodes.forEach((node, id) => {
    for (const operand of node.operands)
      if (!(operand >= 0 && operand < id)) fail(id, `operand %${operand} not before it`);
    if (isSource(node)) {
      if (node.operands.length > 0) fail(id, "a source with operands");
      return;
    }
    const shape = shapeRule(
      node,
      node.operands.map((operand) => graph.nodes[operand].shape),
    );
    if (shape.length !== node.shape.length || shape.some((length, axis) => length !== node.shape[axis]))
      fail(id, `shape ${formatShape(node.shape)} where its rule gives ${formatShape(shape)}`);
  });
  for (const id of graph.inputs)
    if (graph.nodes[id]?.op !== "input") fail(id, "an input that is no input node");
  if (new Set(graph.inputs).size !== graph.inputs.length) fail(graph.inputs[0], "an input named twice");
  for (const id of graph.outputs) if (graph.nodes[id] === undefined) fail(id, "a missing output");
}
