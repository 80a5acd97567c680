/** Simplification: what every trace does to a node before it keeps it. */
import type { Graph, Node, NodeOf, PrimitiveName, PrimitiveNode } from "../graph/graph.ts";
import { type Shape, sameShape } from "../graph/shape.ts";
import { verifyGraphBy } from "../graph/verify.ts";
import { RULES } from "../primitives/registry.ts";
import { contiguous, type PrimitiveRule } from "../primitives/rule.ts";
import {
  add,
  concatenate,
  multiply,
  negate,
  pad,
  reshape,
  subtract,
  transpose,
} from "../tensor/operations.ts";
import { type Tensor, Trace, type TraceRules } from "../tensor/tensor.ts";

/** The value of a constant node, else undefined. */
function constantValue(node: Node): number | undefined {
  return node.op === "constant" ? node.params.value : undefined;
}

/** The one number that an elementwise primitive gives for constant operands, by its own kernel. */
function foldConstant(node: PrimitiveNode, values: readonly number[]): number {
  const rule = RULES[node.op] as PrimitiveRule<PrimitiveName>;
  const memory = Float64Array.from([0, ...values]);
  const scalar = contiguous([]);
  const kernel = rule.kernel(
    node.params,
    values.map(() => scalar),
    [],
  );
  kernel(
    memory,
    Int32Array.from({ length: memory.length }, (_, i) => i),
  );
  return memory[0];
}

/** Constants through elementwise primitives and through those that only move or repeat entries. */
function foldConstants(trace: Trace, node: PrimitiveNode): Tensor | undefined {
  if (node.operands.some((id) => trace.nodes[id].op !== "constant")) return undefined;
  const values = node.operands.map((id) => constantValue(trace.nodes[id]));
  if (RULES[node.op].access === "elementwise")
    return trace.constant(foldConstant(node, values as number[]), node.shape);
  if (node.op === "reshape" || node.op === "transpose" || node.op === "broadcast" || node.op === "slice")
    return trace.constant(values[0] as number, node.shape);
  return undefined;
}

/**
 * Local simplifications, tried on every node before it is emitted. Each keeps the value of every entry to the bit,
 * NaN and infinities included (so 0·x stays), with two exceptions: products with constants are regrouped, which
 * rounds once less: (x·a)·b = x·(ab) for powers of two only; and x + 0 with a structural zero is x, also for x = −0.
 */
function rewrite(trace: Trace, node: PrimitiveNode): Tensor | undefined {
  const folded = foldConstants(trace, node);
  if (folded) return folded;
  const operand = (i: number): Tensor => trace.tensor(node.operands[i]);
  const nodeOf = (i: number): Node => trace.nodes[node.operands[i]];
  switch (node.op) {
    case "negate": {
      const inner = nodeOf(0);
      return inner.op === "negate" ? trace.tensor(inner.operands[0]) : undefined;
    }
    case "multiply": {
      for (const [i, other] of [
        [0, 1],
        [1, 0],
      ]) {
        const value = constantValue(nodeOf(i));
        if (value === 1) return operand(other);
        if (value === -1) return negate(operand(other));
      }
      // The constant goes second, so that x·c and c·x are one node.
      if (constantValue(nodeOf(0)) !== undefined) return swapped(trace, node);
      // Products commute to the bit: one order for both.
      if (constantValue(nodeOf(1)) === undefined && node.operands[0] > node.operands[1])
        return swapped(trace, node);
      return regroupProduct(trace, node);
    }
    case "add": {
      const second = nodeOf(1);
      if (second.op === "negate") return subtract(operand(0), trace.tensor(second.operands[0]));
      const first = nodeOf(0);
      if (first.op === "negate") return subtract(operand(1), trace.tensor(first.operands[0]));
      return node.operands[0] > node.operands[1] ? swapped(trace, node) : joinBlocks(trace, node);
    }
    case "subtract": {
      const second = nodeOf(1);
      return second.op === "negate" ? add(operand(0), trace.tensor(second.operands[0])) : undefined;
    }
    case "divide":
      return constantValue(nodeOf(1)) === 1 ? operand(0) : undefined;
    case "power":
      return constantValue(nodeOf(1)) === 1 ? operand(0) : undefined;
    case "reshape": {
      if (sameShape(node.shape, nodeOf(0).shape)) return operand(0);
      const inner = nodeOf(0);
      return inner.op === "reshape" ? reshape(trace.tensor(inner.operands[0]), node.shape) : undefined;
    }
    case "transpose": {
      const { permutation } = node.params;
      if (permutation.every((axis, i) => axis === i)) return operand(0);
      const inner = nodeOf(0);
      if (inner.op !== "transpose") return undefined;
      return transpose(
        trace.tensor(inner.operands[0]),
        permutation.map((axis) => inner.params.permutation[axis]),
      );
    }
    case "broadcast": {
      if (sameShape(node.shape, nodeOf(0).shape)) return operand(0);
      const inner = nodeOf(0);
      if (inner.op !== "broadcast") return undefined;
      const axes = inner.params.axes.map((axis) => node.params.axes[axis]);
      return trace.emit("broadcast", [trace.tensor(inner.operands[0])], { shape: node.shape, axes });
    }
    case "slice":
      return sameShape(node.shape, nodeOf(0).shape) ? operand(0) : undefined;
    case "pad":
      return sameShape(node.shape, nodeOf(0).shape) ? operand(0) : undefined;
    case "concatenate":
      return node.operands.length === 1 ? operand(0) : flattenParts(trace, node);
    case "stopGradient":
      return nodeOf(0).op === "stopGradient" ? operand(0) : undefined;
    case "matmul":
      return absorbTransposes(trace, node);
    default:
      return undefined;
  }
}

function swapped(trace: Trace, { op, operands: [a, b], params }: NodeOf<"add" | "multiply">): Tensor {
  return trace.emit(op, [trace.tensor(b), trace.tensor(a)], params);
}

/** (x·a)·b → x·(ab) where b is a power of two, so that the product of constants is exact. */
function regroupProduct(trace: Trace, node: NodeOf<"multiply">): Tensor | undefined {
  const value = constantValue(trace.nodes[node.operands[1]]);
  const inner = trace.nodes[node.operands[0]];
  if (value === undefined || inner.op !== "multiply") return undefined;
  const factor = constantValue(trace.nodes[inner.operands[1]]);
  if (factor === undefined) return undefined;
  if (!isPowerOfTwo(value) && !isPowerOfTwo(factor)) return undefined;
  return multiply(trace.tensor(inner.operands[0]), trace.constant(value * factor, node.shape));
}

/**
 * Two blocks side by side in zeros, added: one concatenated block in zeros. The gradient of an array that is read
 * slice by slice is such a sum; added up as written it would cost the whole array for every slice.
 */
function joinBlocks(trace: Trace, node: NodeOf<"add">): Tensor | undefined {
  const [first, second] = node.operands.map((id) => trace.nodes[id]);
  if (first.op !== "pad" || second.op !== "pad") return undefined;
  const lows = [first.params.low, second.params.low];
  const axis = lows[0].findIndex((low, i) => low !== lows[1][i]);
  if (axis < 0) return undefined;
  const blocks = [first, second].map(({ operands: [id] }) => trace.tensor(id));
  const [left, right] = lows[0][axis] < lows[1][axis] ? [0, 1] : [1, 0];
  const touch = lows[left][axis] + blocks[left].shape[axis] === lows[right][axis];
  const alike = blocks[0].shape.every(
    (length, i) => i === axis || (length === blocks[1].shape[i] && lows[0][i] === lows[1][i]),
  );
  const solid = [...first.params.interior, ...second.params.interior].every((gap) => gap === 0);
  if (!touch || !alike || !solid) return undefined;
  const high = [first, second][right].params.high;
  return pad(concatenate([blocks[left], blocks[right]], axis), lows[left], high);
}

/** A concatenation of concatenations along one axis. */
function flattenParts(
  trace: Trace,
  { operands, params: { axis } }: NodeOf<"concatenate">,
): Tensor | undefined {
  let nested = false;
  const parts = operands.flatMap((id) => {
    const inner = trace.nodes[id];
    if (inner.op !== "concatenate" || inner.params.axis !== axis) return [id];
    nested = true;
    return inner.operands;
  });
  if (!nested) return undefined;
  return concatenate(
    parts.map((id) => trace.tensor(id)),
    axis,
  );
}

/** ±2ᵏ with |k| ≤ 40. */
function isPowerOfTwo(x: number): boolean {
  let size = Math.abs(x);
  if (!(size >= 2 ** -40 && size <= 2 ** 40)) return false;
  while (size < 1) size *= 2;
  while (size > 1) size /= 2;
  return size === 1;
}

/** A swap of an operand's last two axes becomes a flag of the product. */
function absorbTransposes(trace: Trace, node: NodeOf<"matmul">): Tensor | undefined {
  const flip = (id: number): number | undefined => {
    const inner = trace.nodes[id];
    if (inner.op !== "transpose") return undefined;
    const { permutation } = inner.params;
    const rank = permutation.length;
    const swapsLast = permutation.every(
      (axis, i) => axis === (i === rank - 1 ? rank - 2 : i === rank - 2 ? rank - 1 : i),
    );
    return swapsLast ? inner.operands[0] : undefined;
  };
  const a = flip(node.operands[0]);
  const b = flip(node.operands[1]);
  if (a === undefined && b === undefined) return undefined;
  return trace.emit("matmul", [trace.tensor(a ?? node.operands[0]), trace.tensor(b ?? node.operands[1])], {
    transposeA: (a !== undefined) !== node.params.transposeA,
    transposeB: (b !== undefined) !== node.params.transposeB,
  });
}

const TRACE_RULES: TraceRules = {
  shape: (op, params, shapes) => (RULES[op] as PrimitiveRule<PrimitiveName>).shape(params, shapes),
  rewrite,
};

/** An empty trace that knows all primitives and simplifies as it grows. */
export function newTrace(): Trace {
  return new Trace(TRACE_RULES);
}

/** An empty trace that shares equal nodes but simplifies nothing: for checking that simplification changes no value. */
export function newPlainTrace(): Trace {
  return new Trace({ shape: TRACE_RULES.shape, rewrite: () => undefined });
}

/** Throws unless the graph is well formed and every shape follows its rule. */
export function verifyGraph(graph: Graph): Graph {
  verifyGraphBy(graph, (node: PrimitiveNode, shapes: readonly Shape[]) =>
    TRACE_RULES.shape(node.op, node.params, shapes),
  );
  return graph;
}

/** Emits the nodes of `graph` into `trace` with `operands` in place of its inputs; returns the outputs. */
export function inline(trace: Trace, graph: Graph, operands: readonly Tensor[]): Tensor[] {
  const tensors = new Array<Tensor>(graph.nodes.length);
  graph.inputs.forEach((id, i) => {
    tensors[id] = operands[i];
  });
  graph.nodes.forEach((node, id) => {
    if (node.op === "input") return;
    if (node.op === "constant") tensors[id] = trace.constant(node.params.value, node.shape);
    else if (node.op === "literal") tensors[id] = trace.literal(node.params.data, node.shape);
    else
      tensors[id] = trace.emit(
        node.op,
        node.operands.map((operand) => tensors[operand]),
        node.params,
      );
  });
  return graph.outputs.map((id) => tensors[id]);
}

/** The same function with common subexpressions merged, constants folded, dead nodes dropped. */
export function simplify(graph: Graph): Graph {
  const trace = newTrace();
  const inputs = graph.inputs.map((id) => {
    const node = graph.nodes[id] as NodeOf<"input">;
    return trace.input(node.params.name, node.shape);
  });
  return verifyGraph(trace.graph(inputs, inline(trace, graph, inputs)));
}
