/** Loops over strided arrays: the fewest that visit every index, with a run of entries innermost. */
import { type Shape, stridesOf } from "../graph/shape.ts";
import type { Kernel, Layout } from "./rule.ts";

/** Nested loops over several arrays at once, outermost first; `strides[l][j]` is how far array j moves per turn of loop l. */
export interface LoopNest {
  readonly lengths: readonly number[];
  readonly strides: readonly (readonly number[])[];
}

/**
 * The fewest loops that visit every index of `shape` for all these stride lists: axes of length 1 go, and an axis
 * joins the one inside it when every array's stride allows it. Always at least one loop.
 */
export function coalesce(shape: Shape, strides: readonly (readonly number[])[]): LoopNest {
  const lengths: number[] = [];
  const steps: number[][] = [];
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] === 1) continue;
    const step = strides.map((list) => list[axis]);
    const outer = lengths.length - 1;
    if (outer >= 0 && step.every((stride, j) => stride === steps[outer][j] * lengths[outer]))
      lengths[outer] *= shape[axis];
    else {
      lengths.push(shape[axis]);
      steps.push(step);
    }
  }
  if (lengths.length === 0) {
    lengths.push(shape.includes(0) ? 0 : 1);
    steps.push(strides.map(() => 1));
  }
  return { lengths: lengths.reverse(), strides: steps.reverse() };
}

/** A run of n entries: result at `o` (stride 1), operands at a, b, c with their strides. */
export type Span1 = (m: Float64Array, o: number, n: number, a: number, as: number) => void;
/** As `Span1`, of two operands. */
export type Span2 = (
  m: Float64Array,
  o: number,
  n: number,
  a: number,
  as: number,
  b: number,
  bs: number,
) => void;
/** As `Span1`, of three operands. */
export type Span3 = (
  m: Float64Array,
  o: number,
  n: number,
  a: number,
  as: number,
  b: number,
  bs: number,
  c: number,
  cs: number,
) => void;

/** Walks the outer loops of an elementwise kernel and calls `span` for each innermost run. */
function nestKernel(
  shape: Shape,
  operands: readonly Layout[],
  run: (memory: Float64Array, cursor: Int32Array, n: number, inner: readonly number[]) => void,
): Kernel {
  const nest = coalesce(shape, [stridesOf(shape), ...operands.map((operand) => operand.strides)]);
  const depth = nest.lengths.length - 1;
  const n = nest.lengths[depth];
  const inner = nest.strides[depth];
  const arrays = operands.length + 1;
  const cursor = new Int32Array(arrays);
  if (n === 0 || nest.lengths.includes(0)) return () => {};
  if (depth === 0)
    return (memory, at) => {
      for (let j = 0; j < arrays; j++) cursor[j] = at[j];
      run(memory, cursor, n, inner);
    };
  const index = new Int32Array(depth);
  return (memory, at) => {
    for (let j = 0; j < arrays; j++) cursor[j] = at[j];
    index.fill(0);
    for (;;) {
      run(memory, cursor, n, inner);
      let loop = depth - 1;
      for (; loop >= 0; loop--) {
        const stride = nest.strides[loop];
        if (++index[loop] < nest.lengths[loop]) {
          for (let j = 0; j < arrays; j++) cursor[j] += stride[j];
          break;
        }
        for (let j = 0; j < arrays; j++) cursor[j] -= stride[j] * (nest.lengths[loop] - 1);
        index[loop] = 0;
      }
      if (loop < 0) return;
    }
  };
}

/** The kernel of a unary elementwise operation: a span for every innermost run over these layouts. */
export function kernel1(span: Span1, shape: Shape, operands: readonly Layout[]): Kernel {
  return nestKernel(shape, operands, (m, at, n, s) => span(m, at[0], n, at[1], s[1]));
}

/** As `kernel1`, of two operands. */
export function kernel2(span: Span2, shape: Shape, operands: readonly Layout[]): Kernel {
  return nestKernel(shape, operands, (m, at, n, s) => span(m, at[0], n, at[1], s[1], at[2], s[2]));
}

/** As `kernel1`, of three operands. */
export function kernel3(span: Span3, shape: Shape, operands: readonly Layout[]): Kernel {
  return nestKernel(shape, operands, (m, at, n, s) =>
    span(m, at[0], n, at[1], s[1], at[2], s[2], at[3], s[3]),
  );
}

/** Result entry i is operand entry i. */
export const copySpan: Span1 = (m, o, n, a, as) => {
  for (let i = 0; i < n; i++, a += as) m[o + i] = m[a];
};
