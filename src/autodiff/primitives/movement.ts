/**
 * Primitives that only move entries: reshape, transpose, broadcast, slice, pad, concatenate. All are linear. Those that strides
 * can express have a `view`, so that a plan needs no copy.
 */
import { valueError } from "../../base/index.ts";
import {
  checkShape,
  formatShape,
  normalizeAxes,
  type Shape,
  sameShape,
  sizeOf,
  stridesOf,
} from "../graph/shape.ts";
import { concatenate, full, pad, reshape, slice, sum, transpose } from "../tensor/operations.ts";
import { coalesce, copySpan, kernel1 } from "./loops.ts";
import { contiguous, isContiguous, type Kernel, type Layout, type PrimitiveRule } from "./rule.ts";

const free = () => ({ flops: 0, products: 0 });

/** A kernel that copies `view` of its operand, entry by entry, to the contiguous result. */
function copyKernel(layout: Layout, offset: number): Kernel {
  const kernel = kernel1(copySpan, layout.shape, [layout]);
  if (offset === 0) return kernel;
  const shifted = new Int32Array(2);
  return (memory, at) => {
    shifted[0] = at[0];
    shifted[1] = at[1] + offset;
    kernel(memory, shifted);
  };
}

/** Linear: the same entries in the same order. */
export const reshapeRule: PrimitiveRule<"reshape"> = {
  access: "strided",
  shape({ shape }, [operand]) {
    checkShape("reshape", shape);
    if (sizeOf(shape) !== sizeOf(operand))
      throw valueError(
        "reshape",
        `a shape of ${sizeOf(operand)} entries for ${formatShape(operand)}`,
        formatShape(shape),
      );
    return shape;
  },
  jvp: ({ params, tangents: [dx] }) => dx && reshape(dx, params.shape),
  transpose: ({ operands: [x], cotangent }) => [reshape(cotangent, x.shape)],
  kernel: (_, [operand]) => copyKernel(operand, 0),
  view: (_, operand, shape) => {
    if (isContiguous(operand)) return { layout: contiguous(shape), offset: 0 };
    const layout = withUnitAxes(operand, shape);
    return layout && { layout, offset: 0 };
  },
  cost: free,
};

/** A layout in a shape that differs from its own in axes of length 1 only; undefined where more differs. */
function withUnitAxes(layout: Layout, shape: Shape): Layout | undefined {
  const strides = layout.strides.filter((_, axis) => layout.shape[axis] !== 1);
  const lengths = layout.shape.filter((length) => length !== 1);
  if (
    !sameShape(
      lengths,
      shape.filter((length) => length !== 1),
    )
  )
    return undefined;
  let next = 0;
  return { shape, strides: shape.map((length) => (length === 1 ? 0 : strides[next++])) };
}

/** Linear; its transpose is the inverse permutation. */
export const transposeRule: PrimitiveRule<"transpose"> = {
  access: "strided",
  shape({ permutation }, [operand]) {
    if (
      normalizeAxes("transpose", permutation, operand.length).length !== operand.length ||
      permutation.some((axis) => axis < 0)
    )
      throw valueError("transpose", `a permutation of ${operand.length} axes`, JSON.stringify(permutation));
    return permutation.map((axis) => operand[axis]);
  },
  jvp: ({ params, tangents: [dx] }) => dx && transpose(dx, params.permutation),
  transpose: ({ params, cotangent }) => {
    const inverse = params.permutation.map((_, axis) => params.permutation.indexOf(axis));
    return [transpose(cotangent, inverse)];
  },
  kernel: ({ permutation }, [operand]) => copyKernel(permuted(operand, permutation), 0),
  view: ({ permutation }, operand) => ({ layout: permuted(operand, permutation), offset: 0 }),
  cost: free,
};

function permuted(layout: Layout, permutation: readonly number[]): Layout {
  return {
    shape: permutation.map((axis) => layout.shape[axis]),
    strides: permutation.map((axis) => layout.strides[axis]),
  };
}

/** Linear; its transpose sums over the axes along which entries repeat. */
export const broadcastRule: PrimitiveRule<"broadcast"> = {
  access: "strided",
  shape({ shape, axes }, [operand]) {
    checkShape("broadcast", shape);
    const fits =
      axes.length === operand.length &&
      axes.every((axis, i) => shape[axis] === operand[i] && (i === 0 || axis > axes[i - 1]));
    if (!fits)
      throw valueError(
        "broadcast",
        `ascending axes of ${formatShape(shape)} that match ${formatShape(operand)}`,
        JSON.stringify(axes),
      );
    return shape;
  },
  jvp: ({ params, tangents: [dx] }) => dx?.trace.emit("broadcast", [dx], params),
  transpose: ({ params: { shape, axes }, cotangent }) => [
    sum(cotangent, { axes: shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis)) }),
  ],
  kernel: ({ shape, axes }, [operand]) => copyKernel(repeated(operand, shape, axes), 0),
  view: ({ shape, axes }, operand) => ({ layout: repeated(operand, shape, axes), offset: 0 }),
  cost: free,
};

function repeated(layout: Layout, shape: Shape, axes: readonly number[]): Layout {
  const strides = shape.map((_, axis) => (axes.includes(axis) ? layout.strides[axes.indexOf(axis)] : 0));
  return { shape, strides };
}

/** Linear; its transpose pads with zeros. */
export const sliceRule: PrimitiveRule<"slice"> = {
  access: "strided",
  shape({ starts, sizes, steps }, [operand]) {
    const rank = operand.length;
    const fits =
      starts.length === rank &&
      sizes.length === rank &&
      steps.length === rank &&
      operand.every(
        (length, axis) =>
          [starts[axis], sizes[axis], steps[axis]].every(Number.isSafeInteger) &&
          starts[axis] >= 0 &&
          starts[axis] <= length &&
          sizes[axis] >= 0 &&
          steps[axis] >= 1 &&
          (sizes[axis] === 0 || starts[axis] + (sizes[axis] - 1) * steps[axis] < length),
      );
    if (!fits)
      throw valueError(
        "slice",
        `starts, sizes and steps inside ${formatShape(operand)}`,
        `starts ${JSON.stringify(starts)}, sizes ${JSON.stringify(sizes)}, steps ${JSON.stringify(steps)}`,
      );
    return sizes;
  },
  jvp: ({ params, tangents: [dx] }) => dx && slice(dx, params.starts, params.sizes, params.steps),
  transpose: ({ params: { starts, sizes, steps }, operands: [x], cotangent }) => {
    const high = x.shape.map(
      (length, axis) => length - starts[axis] - (sizes[axis] === 0 ? 0 : (sizes[axis] - 1) * steps[axis] + 1),
    );
    return [
      pad(
        cotangent,
        starts,
        high,
        steps.map((step) => step - 1),
      ),
    ];
  },
  kernel: (params, [operand]) => {
    const view = sliced(operand, params.starts, params.sizes, params.steps);
    return copyKernel(view.layout, view.offset);
  },
  view: (params, operand) => sliced(operand, params.starts, params.sizes, params.steps),
  cost: free,
};

function sliced(
  layout: Layout,
  starts: readonly number[],
  sizes: readonly number[],
  steps: readonly number[],
) {
  let offset = 0;
  for (let axis = 0; axis < starts.length; axis++) offset += starts[axis] * layout.strides[axis];
  return {
    layout: { shape: sizes, strides: layout.strides.map((stride, axis) => stride * steps[axis]) },
    offset,
  };
}

/** Linear; its transpose is the slice that takes the operand back out. */
export const padRule: PrimitiveRule<"pad"> = {
  access: "strided",
  shape({ low, high, interior }, [operand]) {
    const rank = operand.length;
    const counts = [...low, ...high, ...interior];
    if (
      counts.length !== 3 * rank ||
      low.length !== rank ||
      high.length !== rank ||
      counts.some((count) => !(Number.isSafeInteger(count) && count >= 0))
    )
      throw valueError(
        "pad",
        `counts ≥ 0 for the ${rank} axes of ${formatShape(operand)}`,
        `low ${JSON.stringify(low)}, high ${JSON.stringify(high)}, interior ${JSON.stringify(interior)}`,
      );
    return operand.map(
      (length, axis) => low[axis] + high[axis] + length + Math.max(0, length - 1) * interior[axis],
    );
  },
  jvp: ({ params, tangents: [dx] }) => dx && pad(dx, params.low, params.high, params.interior),
  transpose: ({ params: { low, interior }, operands: [x], cotangent }) => [
    slice(
      cotangent,
      low,
      x.shape,
      interior.map((count) => count + 1),
    ),
  ],
  kernel({ low, interior }, [operand], shape) {
    const size = sizeOf(shape);
    const place = sliced(
      contiguous(shape),
      low,
      operand.shape,
      interior.map((count) => count + 1),
    );
    const put = scatterCopy(operand, place.layout, place.offset);
    return (memory, at) => {
      memory.fill(0, at[0], at[0] + size);
      put(memory, at[0], at[1]);
    };
  },
  cost: free,
};

/** Copies every entry of an array laid out as `from` to one laid out as `to`, `offset` after its start. */
function scatterCopy(
  from: Layout,
  to: Layout,
  offset: number,
): (memory: Float64Array, o: number, a: number) => void {
  const { lengths, strides } = coalesce(from.shape, [to.strides, from.strides]);
  const depth = lengths.length - 1;
  const [inStep, outStep] = [strides[depth][1], strides[depth][0]];
  const run = lengths[depth];
  const turns = lengths.slice(0, depth);
  const index = new Int32Array(depth);
  const count = sizeOf(turns);
  return (memory, o, a) => {
    let target = o + offset;
    let source = a;
    for (let turn = 0; turn < count; turn++) {
      for (let i = 0; i < run; i++) memory[target + i * outStep] = memory[source + i * inStep];
      for (let loop = depth - 1; loop >= 0; loop--) {
        const [out, step] = strides[loop];
        const again = ++index[loop] < turns[loop];
        target += again ? out : -out * (turns[loop] - 1);
        source += again ? step : -step * (turns[loop] - 1);
        if (again) break;
        index[loop] = 0;
      }
    }
  };
}

/** Linear in all parts together; a part without tangent enters as zeros. */
export const concatenateRule: PrimitiveRule<"concatenate"> = {
  access: "strided",
  shape({ axis }, shapes) {
    const [first] = shapes;
    if (
      shapes.some(
        (shape) =>
          shape.length !== first.length || shape.some((length, i) => i !== axis && length !== first[i]),
      )
    )
      throw valueError(
        "concatenate",
        `shapes that agree on all axes but ${axis}`,
        shapes.map(formatShape).join(" and "),
      );
    const total = shapes.reduce((length, shape) => length + shape[axis], 0);
    return first.map((length, i) => (i === axis ? total : length));
  },
  jvp: ({ params, primals, tangents }) =>
    tangents.every((tangent) => tangent === undefined)
      ? undefined
      : concatenate(
          tangents.map((tangent, j) => tangent ?? full(primals[j], 0, primals[j].shape)),
          params.axis,
        ),
  transpose: ({ params: { axis }, operands, linear, cotangent }) => {
    let start = 0;
    return operands.map((part, j) => {
      const starts = part.shape.map((_, i) => (i === axis ? start : 0));
      start += part.shape[axis];
      return linear[j] ? slice(cotangent, starts, part.shape) : undefined;
    });
  },
  kernel({ axis }, operands, shape) {
    const strides = stridesOf(shape);
    let start = 0;
    const puts = operands.map((operand) => {
      const put = scatterCopy(operand, { shape: operand.shape, strides }, start * strides[axis]);
      start += operand.shape[axis];
      return put;
    });
    return (memory, at) => {
      for (let j = 0; j < puts.length; j++) puts[j](memory, at[0], at[j + 1]);
    };
  },
  cost: free,
};
