import { EPS, InputValueError, kindError, Random } from "../../base/index.ts";
import { compile } from "../execution/compile.ts";
import {
  type ConvolutionRole,
  type Graph,
  isSource,
  type NodeOf,
  type PrimitiveName,
  type PrimitiveNode,
} from "../graph/graph.ts";
import { ancestors } from "../graph/reach.ts";
import { formatShape, type Shape, sizeOf, stridesOf } from "../graph/shape.ts";
import { RULES } from "../primitives/registry.ts";
import { contiguous, type PrimitiveRule } from "../primitives/rule.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { newTrace, verifyGraph } from "../transforms/simplify.ts";
import { type ExampleLoss, traceRows } from "./loss.ts";

/** The numbers of examples that a loss is traced for; the larger is small enough for sets of examples in a byte. */
const FEW = 2;
const MORE = 3;
/** Rows that depend on each other do so by more than half the digits. */
const ALIKE = Math.sqrt(EPS);

/**
 * The shape of one example's rows: [] where the criterion gives one value per example. Throws unless the outputs and the
 * loss of every row depend on their own example alone, and not on how many there are: else a sum over chunks would not be
 * the loss. Found on the graph, for three examples: which of them every entry of every node depends on; and the graph for
 * two must be the same but for lengths, constants included. Cost: three traces of the loss and some operations on each
 * value that it computes for three examples.
 */
export function independentRows(definition: ExampleLoss): Shape {
  const graph = graphOf(definition, MORE);
  checkSets(graph, Object.keys(definition.parameters).length);
  if (!alike(graphOf(definition, FEW), graph)) compareValues(definition);
  return graph.nodes[graph.outputs[1]].shape.slice(1);
}

const arrayShapes = ({ examples }: ExampleLoss, count: number): Shape[] =>
  Object.values(examples).map(({ shape }) => [count, ...shape]);

/** Inputs: parameters, then arrays; outputs: the outputs and the rows. */
function graphOf(definition: ExampleLoss, count: number): Graph {
  const tracing = newTrace();
  const parameters = Object.entries(definition.parameters).map(([name, shape]) => tracing.input(name, shape));
  const arrays = arrayShapes(definition, count).map((shape) => tracing.input("examples", shape));
  const { outputs, rows } = tracedFor(count, () => traceRows(definition, parameters, arrays));
  return verifyGraph(tracing.graph([...parameters, ...arrays], [outputs, rows]));
}

/** What a loss traces to; shapes that do not fit are told together with the number of examples that they did not fit. */
function tracedFor<T>(count: number, traced: () => T): T {
  try {
    return traced();
  } catch (error) {
    if (!(error instanceof InputValueError)) throw error;
    throw new InputValueError(
      `${error.message}; this was tried with ${count} examples: outputs and criterion must take any number of them`,
    );
  }
}

/** For every entry of a tensor, the examples that it depends on, a bit each; undefined where none does on any. */
type Sets = Uint8Array | undefined;

/** Throws, naming the operation, where an entry of the outputs or the rows depends on another example than its own. */
function checkSets(graph: Graph, parameterCount: number): void {
  const sets: Sets[] = [];
  for (const id of graph.inputs.slice(parameterCount)) sets[id] = ownExamples(graph.nodes[id].shape);
  graph.nodes.forEach((node, id) => {
    if (isSource(node)) return;
    const operands = node.operands.map((operand) => sets[operand]);
    if (operands.some((operand) => operand !== undefined)) sets[id] = setsOf(node, operands, graph);
  });
  for (const [output, what] of (["outputs", "criterion"] as const).entries()) {
    const id = graph.outputs[output];
    const found = sets[id];
    const own = ownExamples(graph.nodes[id].shape);
    if (!found || found.every((set, i) => (set & ~own[i]) === 0)) continue;
    throw kindError(
      what,
      "examples that do not depend on one another",
      culprit(graph, sets, id),
      what === "criterion"
        ? "return one value per row and leave mean and sum over examples to the engine, which weighs rows by 1/N"
        : "what mixes examples (a mean over axis 0, a batch norm) has no loss that is a sum over rows",
    );
  }
}

/** The sets of an array of examples. */
function ownExamples(shape: Shape): Uint8Array {
  const width = sizeOf(shape) / shape[0];
  return Uint8Array.from({ length: sizeOf(shape) }, (_, i) => 1 << Math.floor(i / width));
}

/** The first operation on the way to node `last` whose result depends on several examples in one entry. */
function culprit(graph: Graph, sets: readonly Sets[], last: number): string {
  const needed = ancestors(graph.nodes, [last]);
  const mixes = (id: number): boolean =>
    needed[id] === 1 && !!sets[id]?.some((set) => (set & (set - 1)) !== 0);
  const id = graph.nodes.findIndex((_, at) => at <= last && mixes(at));
  if (id < 0) return "rows in another order than the examples";
  const node = graph.nodes[id];
  const operands = node.operands.map((operand) => formatShape(graph.nodes[operand].shape)).join(" and ");
  return `a ${node.op} that mixes ${MORE} of them (${operands} to ${formatShape(node.shape)})`;
}

/** The sets of a node's result from those of its operands, at least one of which depends on examples. */
function setsOf(node: PrimitiveNode, operands: readonly Sets[], graph: Graph): Uint8Array {
  const shapes = node.operands.map((operand) => graph.nodes[operand].shape);
  switch (node.op) {
    case "reshape":
      return operands[0] as Uint8Array;
    case "slice":
    case "pad":
    case "concatenate":
      return moved(node, operands, shapes);
    default:
      return united(
        operands.map((sets, i) => sets && carried(sets, shapes[i], resultAxes(node, shapes, i), node.shape)),
      );
  }
}

/** Entries that an operation moves take their sets with them; its own kernel moves them. */
function moved(node: PrimitiveNode, operands: readonly Sets[], shapes: readonly Shape[]): Uint8Array {
  const rule = RULES[node.op] as PrimitiveRule<PrimitiveName>;
  const kernel = rule.kernel(node.params, shapes.map(contiguous), node.shape);
  const size = sizeOf(node.shape);
  const at = Int32Array.of(0, ...shapes.map(() => 0));
  let end = size;
  shapes.forEach((shape, i) => {
    at[i + 1] = end;
    end += sizeOf(shape);
  });
  const memory = new Float64Array(end);
  operands.forEach((sets, i) => {
    if (sets) memory.set(sets, at[i + 1]);
  });
  kernel(memory, at);
  return Uint8Array.from(memory.subarray(0, size));
}

function united(parts: readonly Sets[]): Uint8Array {
  const [first, ...others] = parts.filter((part) => part !== undefined);
  if (others.length === 0) return first;
  const union = first.slice();
  for (const other of others) for (let i = 0; i < union.length; i++) union[i] |= other[i];
  return union;
}

/** Axes of an operand that the result does not have: all their entries together make an entry of the result. */
const COMBINED = -1;

/** Which axis of the result each axis of operand `which` runs along: entry i of the result needs entries i of it alone. */
function resultAxes(node: PrimitiveNode, shapes: readonly Shape[], which: number): number[] {
  const axes = shapes[which].map((_, axis) => axis);
  const rank = node.shape.length;
  switch (node.op) {
    case "sum":
    case "max": {
      let next = 0;
      return axes.map((axis) => (node.params.axes.includes(axis) ? COMBINED : next++));
    }
    case "broadcast":
      return [...node.params.axes];
    case "transpose":
      return axes.map((axis) => node.params.permutation.indexOf(axis));
    case "matmul": {
      const { transposeA, transposeB } = node.params;
      const contracted = which === 0 ? (transposeA ? rank - 2 : rank - 1) : transposeB ? rank - 1 : rank - 2;
      const own = which === 0 ? rank - 2 : rank - 1;
      return axes.map((axis) => (axis < rank - 2 ? axis : axis === contracted ? COMBINED : own));
    }
    case "gather":
      return which === 1 ? axes : axes.map((axis) => (axis === 0 ? COMBINED : rank - axes.length + axis));
    case "scatterAdd": {
      const width = rank - 1;
      const last = (axis: number): number => axis - (axes.length - width) + 1;
      return axes.map((axis) => (which === 0 && axis >= axes.length - width ? last(axis) : COMBINED));
    }
    case "convolution": {
      // Input [n, channels, …], kernel [outputs, channels, …], output [n, outputs, …]: the axis shared with each role.
      const roles = (["input", "kernel", "output"] as const).filter((role) => role !== node.params.wanted);
      const kept = CONVOLUTION_AXES[node.params.wanted][roles[which]];
      return axes.map((axis) => (axis === kept?.[0] ? kept[1] : COMBINED));
    }
    case "recurrence":
      return axes.map((axis) => (axis === node.params.axis ? COMBINED : axis));
    default:
      return axes;
  }
}

/** For a wanted array of a convolution and another one: an axis of the other, and the wanted one's that it runs along. */
const CONVOLUTION_AXES: Record<
  ConvolutionRole,
  Partial<Record<ConvolutionRole, readonly [number, number]>>
> = {
  output: { input: [0, 0], kernel: [0, 1] },
  input: { kernel: [1, 1], output: [0, 0] },
  kernel: { input: [1, 1], output: [1, 0] },
};

/** Sets of an operand as those of a result: united over combined axes, repeated along axes that the operand has not. */
function carried(sets: Uint8Array, shape: Shape, axes: readonly number[], result: Shape): Uint8Array {
  if (axes.length === result.length && axes.every((axis, i) => axis === i)) return sets;
  const strides = stridesOf(result);
  const has = new Set(axes);
  const from = positions(
    shape,
    axes.map((axis) => (axis === COMBINED ? 0 : strides[axis])),
  );
  const to = positions(
    result,
    strides.map((stride, axis) => (has.has(axis) ? stride : 0)),
  );
  const union = new Uint8Array(sizeOf(result));
  for (let i = 0; i < sets.length; i++) union[from[i]] |= sets[i];
  return Uint8Array.from(to, (at) => union[at]);
}

/** Σ index·stride for every entry of a shape, row-major. */
function positions(shape: Shape, strides: readonly number[]): Int32Array {
  let found = new Int32Array(1);
  shape.forEach((length, axis) => {
    const longer = new Int32Array(found.length * length);
    for (let i = 0, at = 0; i < found.length; i++)
      for (let j = 0; j < length; j++, at++) longer[at] = found[i] + j * strides[axis];
    found = longer;
  });
  return found;
}

/**
 * Whether the graphs for two and three examples are the same but for the lengths of axes. Throws for an array of numbers
 * that grows with them: chunks after the first would get the first chunk's part of it.
 */
function alike(few: Graph, more: Graph): boolean {
  return (
    few.nodes.length === more.nodes.length &&
    few.nodes.every((node, id) => {
      const other = more.nodes[id];
      if (node.op !== other.op || node.operands.join() !== other.operands.join()) return false;
      if (node.op === "constant" && other.op === "constant")
        return Object.is(node.params.value, other.params.value);
      return node.op !== "literal" || other.op !== "literal" || sameNumbers(node, other);
    })
  );
}

function sameNumbers(few: NodeOf<"literal">, more: NodeOf<"literal">): boolean {
  const [a, b] = [few.params.data, more.params.data];
  if (a.length === b.length) return a.every((entry, i) => Object.is(entry, b[i]));
  const width = b.length / MORE;
  const repeats = (data: Float64Array): boolean => data.every((entry, i) => Object.is(entry, b[i % width]));
  if (few.shape[0] !== FEW || more.shape[0] !== MORE || !repeats(a) || !repeats(b))
    throw kindError(
      "loss definition",
      "arrays of numbers that do not grow with the number of examples",
      `one of shape ${formatShape(more.shape)} for ${MORE} examples`,
      "give it in examples",
    );
  return true;
}

/**
 * Where the graphs for two and for three examples differ in more than lengths, their values decide, at random weights:
 * throws unless the first two rows are the same in both.
 */
function compareValues(definition: ExampleLoss): void {
  const random = new Random(0, "row independence");
  const parameters = Object.values(definition.parameters).map((shape) =>
    random.fillNormal(new Float64Array(sizeOf(shape))),
  );
  const [few, more] = [FEW, MORE].map((count) => {
    const shapes = [...Object.values(definition.parameters), ...arrayShapes(definition, count)];
    const split = parameters.length;
    const rows = (...tensors: readonly Tensor[]): Tensor =>
      traceRows(definition, tensors.slice(0, split), tensors.slice(split)).rows;
    const arrays = Object.values(definition.examples).map(({ data, shape }) => {
      const width = sizeOf(shape);
      return Float64Array.from({ length: count * width }, (_, i) => data[i % data.length]);
    });
    return compile(rows, shapes)(...parameters, ...arrays);
  });
  const differs = few.some((value, i) => {
    const gap = Math.abs(value - more[i]);
    return gap > ALIKE * Math.max(Math.abs(value), Math.abs(more[i]));
  });
  if (differs)
    throw kindError(
      "criterion",
      `losses of rows that do not depend on how many examples come together`,
      `others for the first ${FEW} examples when a third one comes with them`,
      "do not use the length of the first axis as a number: the engine weighs rows by 1/N",
    );
}
