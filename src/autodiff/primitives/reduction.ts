/** Sum and maximum over axes. */
import { valueError } from "../../base/index.ts";
import { formatShape, normalizeAxes, type Shape, sizeOf } from "../graph/shape.ts";
import { divide, equal, less, reshape, select, sum } from "../tensor/operations.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { coalesce } from "./loops.ts";
import type { Kernel, Layout, PrimitiveRule } from "./rule.ts";

type ReductionParams = { readonly axes: readonly number[] };

const reducedShape =
  (op: string) =>
  ({ axes }: ReductionParams, [operand]: readonly Shape[]): Shape => {
    if (normalizeAxes(op, axes, operand.length).length === 0)
      throw valueError(op, `at least one axis of ${formatShape(operand)}`, "none");
    return operand.filter((_, axis) => !axes.includes(axis));
  };

/** y, one entry per group, repeated to the shape of x. */
function spread(y: Tensor, shape: Shape, axes: readonly number[]): Tensor {
  const kept = shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  return y.trace.emit("broadcast", [y], { shape, axes: kept });
}

/** Offsets of all index tuples of some axes of a layout, row-major. */
function offsetsOf(layout: Layout, axes: readonly number[]): Int32Array {
  const nest = coalesce(
    axes.map((axis) => layout.shape[axis]),
    [axes.map((axis) => layout.strides[axis])],
  );
  let offsets = [0];
  nest.lengths.forEach((length, loop) => {
    const stride = nest.strides[loop][0];
    offsets = offsets.flatMap((base) => Array.from({ length }, (_, i) => base + i * stride));
  });
  return Int32Array.from(offsets);
}

/**
 * Loops of a reduction: for each kept index the reduced entries, split by the r-th entry's residue r mod 4 into four
 * lanes. This order, (lane 0 + lane 1) + (lane 2 + lane 3), defines the sum for every layout and backend: it is what
 * two SIMD registers give, whichever axis lies along memory.
 */
function reductionKernel(
  { axes }: ReductionParams,
  [operand]: readonly Layout[],
  reduce: (memory: Float64Array, start: number, offsets: Int32Array) => number,
): Kernel {
  const kept = operand.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  const starts = offsetsOf(operand, kept);
  const offsets = offsetsOf(operand, axes);
  const count = sizeOf(kept.map((axis) => operand.shape[axis]));
  return (memory, at) => {
    for (let i = 0; i < count; i++) memory[at[0] + i] = reduce(memory, at[1] + starts[i], offsets);
  };
}

/** Sum in four lanes. An empty sum is 0. */
function laneSum(m: Float64Array, start: number, offsets: Int32Array): number {
  const n = offsets.length;
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  let r = 0;
  for (; r + 3 < n; r += 4) {
    s0 += m[start + offsets[r]];
    s1 += m[start + offsets[r + 1]];
    s2 += m[start + offsets[r + 2]];
    s3 += m[start + offsets[r + 3]];
  }
  if (r < n) s0 += m[start + offsets[r]];
  if (r + 1 < n) s1 += m[start + offsets[r + 1]];
  if (r + 2 < n) s2 += m[start + offsets[r + 2]];
  return s0 + s1 + (s2 + s3);
}

/** Largest entry; NaN if any entry is NaN; −∞ for none. */
function largest(m: Float64Array, start: number, offsets: Int32Array): number {
  let result = -Infinity;
  for (let r = 0; r < offsets.length; r++) {
    const x = m[start + offsets[r]];
    if (Number.isNaN(x)) return x;
    if (x > result) result = x;
  }
  return result;
}

/** Linear; its transpose repeats. */
export const sumRule: PrimitiveRule<"sum"> = {
  access: "strided",
  shape: reducedShape("sum"),
  jvp: ({ params, tangents: [dx] }) => dx && sum(dx, { axes: params.axes }),
  transpose: ({ params, operands: [x], cotangent }) => [spread(cotangent, x.shape, params.axes)],
  kernel: (params, operands) => reductionKernel(params, operands, laneSum),
  cost: (_, [operand]) => ({ flops: sizeOf(operand), products: 0 }),
};

/**
 * d max(x) = the tangent at the largest entry; where k entries tie, the mean of their tangents. NaN where the result is,
 * in reverse mode too: then no entry is below it, so that every one counts, and their number is replaced by NaN.
 */
export const maxRule: PrimitiveRule<"max"> = {
  access: "strided",
  shape: reducedShape("max"),
  jvp({ params: { axes }, primals: [x], result, tangents: [dx] }) {
    if (!dx) return undefined;
    const isBelow = less(x, spread(result, x.shape, axes));
    const ties = reshape(sum(select(isBelow, 0, 1), { axes }), result.shape);
    return divide(sum(select(isBelow, 0, dx), { axes }), select(equal(result, result), ties, result));
  },
  kernel: (params, operands) => reductionKernel(params, operands, largest),
  cost: (_, [operand]) => ({ flops: sizeOf(operand), products: 0 }),
};
