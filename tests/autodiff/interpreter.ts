import type { Graph, Shape } from "../../src/autodiff/index.ts";
import {
  cos,
  erf,
  erfc,
  exp,
  log,
  pow,
  sechSquared,
  sigmoid,
  sin,
  softplus,
  tanh,
} from "../../src/base/index.ts";

type Node = Graph["nodes"][number];
type Index = readonly number[];

const sizeOf = (shape: Shape): number => shape.reduce((size, n) => size * n, 1);
const last = <T>(list: readonly T[]): T => list[list.length - 1];

/** An array that is addressed by index tuples and freshly allocated. */
class Values {
  readonly shape: Shape;
  readonly data: Float64Array;

  constructor(shape: Shape, at: (index: Index) => number) {
    this.shape = shape;
    this.data = new Float64Array(sizeOf(shape));
    this.data.forEach((_, i) => {
      this.data[i] = at(indexOf(shape, i));
    });
  }

  at(index: Index): number {
    return this.data[flatIndex(this.shape, index)];
  }
}

/** The i-th index tuple of a shape, row-major. */
function indexOf(shape: Shape, i: number): number[] {
  const index = shape.map(() => 0);
  let left = i;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    index[axis] = left % shape[axis];
    left = Math.floor(left / shape[axis]);
  }
  return index;
}

function flatIndex(shape: Shape, index: Index): number {
  return shape.reduce((flat, n, axis) => flat * n + index[axis], 0);
}

function* indices(shape: Shape): Generator<number[]> {
  for (let i = 0; i < sizeOf(shape); i++) yield indexOf(shape, i);
}

const UNARY: Readonly<Record<string, (x: number) => number>> = {
  negate: (x) => -x,
  exp,
  log,
  sin,
  cos,
  tanh,
  sechSquared,
  erf,
  erfc,
  sqrt: Math.sqrt,
  sigmoid,
  softplus,
  absolute: Math.abs,
  sign: Math.sign,
  stopGradient: (x) => x,
};

const BINARY: Readonly<Record<string, (a: number, b: number) => number>> = {
  add: (a, b) => a + b,
  subtract: (a, b) => a - b,
  multiply: (a, b) => a * b,
  divide: (a, b) => a / b,
  power: pow,
  less: (a, b) => Number(a < b),
  lessEqual: (a, b) => Number(a <= b),
  equal: (a, b) => Number(a === b),
};

/** The entries that a reduction puts into one entry of its result, in row-major order. */
function* group(x: Values, axes: readonly number[], index: Index): Generator<number> {
  const kept = x.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  for (const inner of indices(axes.map((axis) => x.shape[axis])))
    yield x.at(
      x.shape.map((_, axis) => (axes.includes(axis) ? inner[axes.indexOf(axis)] : index[kept.indexOf(axis)])),
    );
}

/** In four lanes by the position's residue: the defined order of summation. */
function fourLanes(terms: Iterable<number>): number {
  const lanes = [0, 0, 0, 0];
  let position = 0;
  for (const term of terms) lanes[position++ % 4] += term;
  return lanes[0] + lanes[1] + (lanes[2] + lanes[3]);
}

function largest(terms: Iterable<number>): number {
  let result = -Infinity;
  for (const term of terms) if (Number.isNaN(term) || term > result) result = term;
  return result;
}

const isRow = (index: number, rows: number): boolean => Number.isInteger(index) && index >= 0 && index < rows;

/** The blocks of 64 terms in which matrix products are summed: each block from 0, then the blocks' sums from 0. */
function blocked(count: number, term: (l: number) => number): number {
  let sum = 0;
  for (let start = 0; start < count; start += 64) {
    let block = 0;
    for (let l = start; l < Math.min(count, start + 64); l++) block += term(l);
    sum += block;
  }
  return sum;
}

type ConvolutionParams = Extract<Node, { op: "convolution" }>["params"];

/** Σ over all index tuples whose input entry q = p·stride + k − padding is the one asked for, in row-major order. */
function convolve(
  { wanted, stride, padding }: ConvolutionParams,
  [first, second]: Values[],
  index: Index,
): number {
  let sum = 0;
  const [, , y, x] = index;
  if (wanted === "output") {
    const [n, o] = index;
    for (const [c, ky, kx] of indices([first.shape[1], second.shape[2], second.shape[3]])) {
      const [qy, qx] = [y * stride[0] + ky - padding[0], x * stride[1] + kx - padding[1]];
      if (qy >= 0 && qx >= 0 && qy < first.shape[2] && qx < first.shape[3])
        sum += first.at([n, c, qy, qx]) * second.at([o, c, ky, kx]);
    }
  } else if (wanted === "input") {
    const [n, c] = index;
    for (const [o, ky, kx] of indices([first.shape[0], first.shape[2], first.shape[3]])) {
      const [py, px] = [(y + padding[0] - ky) / stride[0], (x + padding[1] - kx) / stride[1]];
      if (isRow(py, second.shape[2]) && isRow(px, second.shape[3]))
        sum += first.at([o, c, ky, kx]) * second.at([n, o, py, px]);
    }
  } else {
    const [o, c] = index;
    for (const [n, py, px] of indices([first.shape[0], second.shape[2], second.shape[3]])) {
      const [qy, qx] = [py * stride[0] + y - padding[0], px * stride[1] + x - padding[1]];
      if (qy >= 0 && qx >= 0 && qy < first.shape[2] && qx < first.shape[3])
        sum += first.at([n, c, qy, qx]) * second.at([n, o, py, px]);
    }
  }
  return sum;
}

function recur(axis: number, reversed: boolean, [a, b]: Values[]): Values {
  const result = new Values(b.shape, () => 0);
  const order = [...indices(b.shape)];
  if (reversed) order.reverse();
  for (const index of order) {
    const before = index.map((i, j) => (j === axis ? i + (reversed ? 1 : -1) : i));
    const first = before[axis] < 0 || before[axis] >= b.shape[axis];
    result.data[flatIndex(b.shape, index)] = first
      ? b.at(index)
      : (reversed ? a.at(before) : a.at(index)) * result.at(before) + b.at(index);
  }
  return result;
}

/** The value of one node from its operands, by the definition of its primitive. */
function evaluate(node: Node, x: Values[]): Values {
  const make = (at: (index: Index) => number): Values => new Values(node.shape, at);
  switch (node.op) {
    case "input":
      throw new Error("an input has no definition");
    case "constant":
      return make(() => node.params.value);
    case "literal":
      return make((index) => node.params.data[flatIndex(node.shape, index)]);
    case "select":
      return make((index) => (x[0].at(index) !== 0 ? x[1].at(index) : x[2].at(index)));
    case "reshape":
      return make((index) => x[0].data[flatIndex(node.shape, index)]);
    case "transpose":
      return make((index) =>
        x[0].at(x[0].shape.map((_, axis) => index[node.params.permutation.indexOf(axis)])),
      );
    case "broadcast":
      return make((index) => x[0].at(node.params.axes.map((axis) => index[axis])));
    case "slice": {
      const { starts, steps } = node.params;
      return make((index) => x[0].at(index.map((i, axis) => starts[axis] + i * steps[axis])));
    }
    case "pad": {
      const { low, interior } = node.params;
      return make((index) => {
        const from = index.map((i, axis) => (i - low[axis]) / (interior[axis] + 1));
        return from.every((i, axis) => isRow(i, x[0].shape[axis])) ? x[0].at(from) : 0;
      });
    }
    case "concatenate": {
      const { axis } = node.params;
      return make((index) => {
        let at = index[axis];
        const part = x.findIndex(({ shape }) => {
          if (at < shape[axis]) return true;
          at -= shape[axis];
          return false;
        });
        return x[part].at(index.map((i, j) => (j === axis ? at : i)));
      });
    }
    case "sum":
      return make((index) => fourLanes(group(x[0], node.params.axes, index)));
    case "max":
      return make((index) => largest(group(x[0], node.params.axes, index)));
    case "matmul": {
      const { transposeA, transposeB } = node.params;
      const count = transposeA ? x[0].shape[x[0].shape.length - 2] : last(x[0].shape);
      return make((index) => {
        const batch = index.slice(0, -2);
        const [i, j] = index.slice(-2);
        return blocked(
          count,
          (l) =>
            x[0].at([...batch, ...(transposeA ? [l, i] : [i, l])]) *
            x[1].at([...batch, ...(transposeB ? [j, l] : [l, j])]),
        );
      });
    }
    case "gather": {
      const rank = x[1].shape.length;
      return make((index) => {
        const row = x[1].at(index.slice(0, rank));
        return isRow(row, x[0].shape[0]) ? x[0].at([row, ...index.slice(rank)]) : Number.NaN;
      });
    }
    case "scatterAdd": {
      const result = make(() => 0);
      const rank = x[1].shape.length;
      for (const index of indices(x[0].shape)) {
        const row = x[1].at(index.slice(0, rank));
        if (isRow(row, node.params.rows))
          result.data[flatIndex(node.shape, [row, ...index.slice(rank)])] += x[0].at(index);
      }
      return result;
    }
    case "convolution":
      return make((index) => convolve(node.params, x, index));
    case "recurrence":
      return recur(node.params.axis, node.params.reversed, x);
    default:
      return make((index) =>
        x.length === 1 ? UNARY[node.op](x[0].at(index)) : BINARY[node.op](x[0].at(index), x[1].at(index)),
      );
  }
}

/** The outputs of a graph, node by node into fresh arrays: the definition that plans are checked against. */
export function interpret(graph: Graph, inputs: readonly Float64Array[]): Float64Array[] {
  const values: Values[] = [];
  graph.nodes.forEach((node, id) => {
    const input = graph.inputs.indexOf(id);
    values.push(
      input >= 0
        ? new Values(node.shape, (index) => inputs[input][flatIndex(node.shape, index)])
        : evaluate(
            node,
            node.operands.map((operand) => values[operand]),
          ),
    );
  });
  return graph.outputs.map((id) => values[id].data);
}
