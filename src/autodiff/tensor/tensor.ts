/**
 * Tensors and the traces that they belong to. A function of tensors is run once, on tensors without numbers; its trace is what
 * happened, node by node, and becomes a graph.
 */
import { kindError, valueError } from "../../base/index.ts";
import type { Graph, Node, PrimitiveName, PrimitiveNode, PrimitiveParams } from "../graph/graph.ts";
import { ancestors } from "../graph/reach.ts";
import { checkShape, formatShape, type Shape, sizeOf } from "../graph/shape.ts";

/** What a trace must know of the primitives; injected so that rules may be written with tensor operations. */
export interface TraceRules {
  /** The shape rule of a node, from its operands' shapes. */
  shape(op: PrimitiveName, params: PrimitiveParams[PrimitiveName], shapes: readonly Shape[]): Shape;
  /** An equal node that already exists or is simpler to make, or undefined. */
  rewrite(trace: Trace, node: PrimitiveNode): Tensor | undefined;
}

/** The value of one node while a function is being traced. It has a shape but no numbers yet. */
export class Tensor {
  readonly trace: Trace;
  readonly id: number;
  readonly shape: Shape;

  constructor(trace: Trace, id: number, shape: Shape) {
    this.trace = trace;
    this.id = id;
    this.shape = shape;
  }
}

/** Literals are shared by identity: two uses of one array are one node, two equal arrays are two. */
const literalKeys = new WeakMap<Float64Array, number>();
let nextLiteralKey = 0;
function literalKey(data: Float64Array): number {
  let key = literalKeys.get(data);
  if (key === undefined) {
    key = nextLiteralKey++;
    literalKeys.set(data, key);
  }
  return key;
}

/** Equal for equal nodes. Most nodes have no parameters; theirs are not spelled out, which halves the cost of a key. */
function nodeKey(op: PrimitiveName, operands: readonly number[], params: object): string {
  for (const _ in params) return `${op}|${operands.join()}|${JSON.stringify(params)}`;
  return operands.length === 2 ? `${op}|${operands[0]},${operands[1]}` : `${op}|${operands.join()}`;
}

/**
 * A growing list of nodes. Emitting a node that exists returns the existing one, so common subexpressions
 * are shared as they arise, across all derivatives emitted into one trace.
 */
export class Trace {
  readonly nodes: Node[] = [];
  private readonly tensors: Tensor[] = [];
  private readonly known = new Map<string, number>();
  private readonly rules: TraceRules;

  constructor(rules: TraceRules) {
    this.rules = rules;
  }

  /** A new input node, never shared with another. */
  input(name: string, shape: Shape): Tensor {
    checkShape(`input ${name}`, shape);
    this.nodes.push({ op: "input", params: { name }, operands: [], shape: [...shape] });
    return this.tensor(this.nodes.length - 1);
  }

  /** One number, repeated to a shape. */
  constant(value: number, shape: Shape = []): Tensor {
    checkShape("constant", shape);
    const key = `constant|${Object.is(value, -0) ? "-0" : value}|${shape.join()}`;
    return this.share(key, { op: "constant", params: { value }, operands: [], shape: [...shape] });
  }

  /** An array of numbers, row-major. `data` is kept by reference and must not change afterwards. */
  literal(data: Float64Array, shape: Shape): Tensor {
    checkShape("literal", shape);
    if (data.length !== sizeOf(shape))
      throw valueError(
        "literal",
        `${sizeOf(shape)} numbers for shape ${formatShape(shape)}`,
        `${data.length}`,
      );
    return this.share(`literal|${literalKey(data)}|${shape.join()}`, {
      op: "literal",
      params: { data },
      operands: [],
      shape: [...shape],
    });
  }

  /** The tensor of an operation on tensors of this trace: simplified, shared with an equal earlier one, shape-checked. */
  emit<K extends PrimitiveName>(op: K, operands: readonly Tensor[], params: PrimitiveParams[K]): Tensor {
    for (const operand of operands)
      if (operand.trace !== this)
        throw kindError(
          op,
          "tensors of one traced function",
          "a tensor kept from another trace",
          "pass it as an argument",
        );
    const ids = operands.map((operand) => operand.id);
    const key = nodeKey(op, ids, params);
    const known = this.known.get(key);
    if (known !== undefined) return this.tensor(known);
    const shape = this.rules.shape(
      op,
      params,
      operands.map((operand) => operand.shape),
    );
    const node = { op, params, operands: ids, shape } as unknown as PrimitiveNode;
    return this.rules.rewrite(this, node) ?? this.share(key, node);
  }

  tensor(id: number): Tensor {
    this.tensors[id] ??= new Tensor(this, id, this.nodes[id].shape);
    return this.tensors[id];
  }

  /** The part of the trace that `outputs` need, as an immutable graph with these inputs in this order. */
  graph(inputs: readonly Tensor[], outputs: readonly Tensor[]): Graph {
    if ([...inputs, ...outputs].some((tensor) => tensor.trace !== this))
      throw kindError(
        "trace",
        "tensors of one traced function",
        "a tensor kept from another trace",
        "pass it as an argument",
      );
    const needed = ancestors(
      this.nodes,
      outputs.map((output) => output.id),
    );
    for (const input of inputs) needed[input.id] = 1;
    const position = new Int32Array(this.nodes.length).fill(-1);
    const nodes: Node[] = [];
    const declared = new Set(inputs.map((input) => input.id));
    this.nodes.forEach((node, id) => {
      if (!needed[id]) return;
      if (node.op === "input" && !declared.has(id))
        throw kindError(
          "trace",
          "a function of its declared inputs alone",
          `an undeclared input "${node.params.name}"`,
        );
      position[id] = nodes.length;
      nodes.push({ ...node, operands: node.operands.map((operand) => position[operand]) } as Node);
    });
    return {
      nodes,
      inputs: inputs.map((input) => position[input.id]),
      outputs: outputs.map((output) => position[output.id]),
    };
  }

  private share(key: string, node: Node): Tensor {
    let id = this.known.get(key);
    if (id === undefined) {
      id = this.nodes.length;
      this.nodes.push(node);
      this.known.set(key, id);
    }
    return this.tensor(id);
  }
}
