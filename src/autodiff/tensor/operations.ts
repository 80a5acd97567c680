/**
 * Operations on tensors: what losses, networks and derivative rules are written in. Each checks its operands, broadcasts them
 * where it is elementwise, and appends a node to their trace; nothing is computed. All throw a misuse error that names the
 * operation and the shapes where operands do not fit.
 */
import { kindError, valueError } from "../../base/index.ts";
import type { BinaryName, UnaryName } from "../graph/graph.ts";
import {
  broadcastShapes,
  formatShape,
  normalizeAxes,
  type Shape,
  sameShape,
  sizeOf,
} from "../graph/shape.ts";
import { iota } from "./iota.ts";
import { Tensor, type Trace } from "./tensor.ts";

/** What the operations take: a tensor, or a number that stands for a scalar. */
export type Operand = Tensor | number;

function checkTensors(operation: string, ...operands: readonly Tensor[]): void {
  for (const operand of operands)
    if (!(operand instanceof Tensor)) throw kindError(operation, "a tensor", typeof operand);
}

function traceOf(operation: string, operands: readonly Operand[]): Trace {
  for (const operand of operands) if (operand instanceof Tensor) return operand.trace;
  throw kindError(operation, "at least one tensor among the operands", operands.map(String).join(", "));
}

function lift(trace: Trace, operation: string, operand: Operand): Tensor {
  if (operand instanceof Tensor) return operand;
  if (typeof operand === "number") return trace.constant(operand);
  throw kindError(operation, "tensors or numbers", typeof operand);
}

/** Operands as tensors of one common shape. */
function aligned(operation: string, operands: readonly Operand[]): [Trace, readonly Tensor[]] {
  const trace = traceOf(operation, operands);
  const alike = (operand: Operand): boolean =>
    operand instanceof Tensor && sameShape(operand.shape, (operands[0] as Tensor).shape);
  if (operands[0] instanceof Tensor && operands.every(alike)) return [trace, operands as readonly Tensor[]];
  const tensors = operands.map((operand) => lift(trace, operation, operand));
  const shape = broadcastShapes(
    operation,
    tensors.map((tensor) => tensor.shape),
  );
  return [trace, tensors.map((tensor) => broadcastTo(tensor, shape))];
}

const unary =
  (op: UnaryName) =>
  (x: Tensor): Tensor => {
    checkTensors(op, x);
    return x.trace.emit(op, [x], {});
  };
const binary =
  (op: BinaryName) =>
  (a: Operand, b: Operand): Tensor => {
    const [trace, operands] = aligned(op, [a, b]);
    return trace.emit(op, operands, {});
  };

/** −x. */
export const negate = unary("negate");
/** eˣ. */
export const exp = unary("exp");
/** The natural logarithm: −∞ at 0, NaN below. */
export const log = unary("log");
/** The sine of x radians. */
export const sin = unary("sin");
/** The cosine of x radians. */
export const cos = unary("cos");
/** The hyperbolic tangent. */
export const tanh = unary("tanh");
/** 1/cosh² x, the derivative of tanh, with its digits also where tanh is ±1 but for rounding. */
export const sechSquared = unary("sechSquared");
/** The error function, (2/√π)∫₀ˣ e^{−t²} dt. */
export const erf = unary("erf");
/** 1 − erf(x) = (2/√π)∫ₓ^∞ e^{−t²} dt, with its digits also where erf is 1 but for rounding. */
export const erfc = unary("erfc");
/** √x; NaN below 0. */
export const sqrt = unary("sqrt");
/** 1/(1 + e^{−x}), without overflow. */
export const sigmoid = unary("sigmoid");
/** log(1 + eˣ), without overflow. */
export const softplus = unary("softplus");
/** |x|; its derivative at 0 is 0. */
export const absolute = unary("absolute");
/** `absolute` by numpy's name. */
export const abs = absolute;
/** −1, 0 or 1; its derivative is 0 everywhere. */
export const sign = unary("sign");
/** The same value, a constant for every derivative. */
export const stopGradient = unary("stopGradient");

/** a + b. */
export const add = binary("add");
/** a − b. */
export const subtract = binary("subtract");
/** a·b, entry by entry. */
export const multiply = binary("multiply");
/** a/b, entry by entry. */
export const divide = binary("divide");
/** aᵇ elementwise; the derivative in b is taken only where b depends on what is differentiated. */
export const power = binary("power");
/** 1 where a < b, else 0. */
export const less = binary("less");
/** 1 where a ≤ b, else 0. */
export const lessEqual = binary("lessEqual");
/** 1 where a = b, else 0. */
export const equal = binary("equal");
/** 1 where a > b, else 0. */
export const greater = (a: Operand, b: Operand): Tensor => less(b, a);

/**
 * `whereTrue` where the condition is not 0, else `whereFalse`; all broadcast together. Both are computed. The value, and the
 * derivative in forward mode, never depend on the branch not taken; in reverse mode it is sent a cotangent of 0, and where
 * its derivative is infinite or NaN, 0·∞ makes the gradient NaN. Then replace the operand, not the result: in place of
 * select(c, sqrt(x), 0) write select(c, sqrt(select(c, x, 1)), 0).
 */
export function select(condition: Operand, whereTrue: Operand, whereFalse: Operand): Tensor {
  const [trace, operands] = aligned("select", [condition, whereTrue, whereFalse]);
  return trace.emit("select", operands, {});
}

/** `select` by numpy's name. */
export const where = select;

/** x². */
export const square = (x: Tensor): Tensor => multiply(x, x);

/** A constant of this shape in the trace of `like`. */
export function full(like: Tensor, value: number, shape: Shape): Tensor {
  return like.trace.constant(value, shape);
}

/** An array of numbers as a tensor in the trace of `like`. */
export function array(like: Tensor, data: Float64Array, shape: Shape): Tensor {
  return like.trace.literal(data, shape);
}

/** The entries in the same order under another shape; one length may be −1, which is then worked out. */
export function reshape(x: Tensor, shape: Shape): Tensor {
  checkTensors("reshape", x);
  const known = shape.filter((length) => length !== -1);
  const inferred = sizeOf(x.shape) / sizeOf(known);
  if (known.length < shape.length - 1 || (known.length < shape.length && !Number.isInteger(inferred)))
    throw valueError(
      "reshape",
      `at most one axis left open, with a whole length for the ${sizeOf(x.shape)} entries of ${formatShape(x.shape)}`,
      formatShape(shape),
    );
  const target = shape.map((length) => (length === -1 ? inferred : length));
  return x.trace.emit("reshape", [x], { shape: target });
}

/** Reorders axes: output axis i is input axis `permutation[i]`. Without one, the last two axes swap. */
export function transpose(x: Tensor, permutation?: readonly number[]): Tensor {
  checkTensors("transpose", x);
  const rank = x.shape.length;
  if (!permutation && rank < 2) throw valueError("transpose", "at least two axes", formatShape(x.shape));
  const order = permutation?.map((axis) => (axis < 0 ? axis + rank : axis)) ?? [
    ...Array(rank - 2).keys(),
    rank - 1,
    rank - 2,
  ];
  return x.trace.emit("transpose", [x], { permutation: order });
}

/** Repeats x to a larger shape by the broadcasting rule. */
export function broadcastTo(x: Tensor, shape: Shape): Tensor {
  checkTensors("broadcastTo", x);
  if (sameShape(x.shape, shape)) return x;
  const lead = shape.length - x.shape.length;
  const common = lead < 0 ? undefined : broadcastShapes("broadcastTo", [x.shape, shape]);
  if (!common || !sameShape(common, shape))
    throw valueError("broadcastTo", `a shape that broadcasts to ${formatShape(shape)}`, formatShape(x.shape));
  const kept = x.shape.map((_, axis) => axis).filter((axis) => x.shape[axis] === shape[axis + lead]);
  const squeezed =
    kept.length === x.shape.length
      ? x
      : reshape(
          x,
          kept.map((axis) => x.shape[axis]),
        );
  return x.trace.emit("broadcast", [squeezed], { shape: [...shape], axes: kept.map((axis) => axis + lead) });
}

/** Entries starts[i], starts[i] + steps[i], …, sizes[i] of them, of each axis. */
export function slice(
  x: Tensor,
  starts: readonly number[],
  sizes: readonly number[],
  steps?: readonly number[],
): Tensor {
  checkTensors("slice", x);
  return x.trace.emit("slice", [x], { starts, sizes, steps: steps ?? starts.map(() => 1) });
}

/** One index of an axis; the axis is dropped. */
export function take(x: Tensor, axis: number, index: number): Tensor {
  checkTensors("take", x);
  const [along] = normalizeAxes("take", [axis], x.shape.length);
  const starts = x.shape.map((_, i) => (i === along ? index : 0));
  const sizes = x.shape.map((length, i) => (i === along ? 1 : length));
  return reshape(
    slice(x, starts, sizes),
    x.shape.filter((_, i) => i !== along),
  );
}

/** Zeros before (`low`), after (`high`) and between (`interior`) the entries of each axis. */
export function pad(
  x: Tensor,
  low: readonly number[],
  high: readonly number[],
  interior: readonly number[] = low.map(() => 0),
): Tensor {
  checkTensors("pad", x);
  return x.trace.emit("pad", [x], { low, high, interior });
}

/** Tensors one after another along an existing axis, alike in all others. */
export function concatenate(parts: readonly Tensor[], axis = 0): Tensor {
  if (parts.length === 0) throw valueError("concatenate", "at least one tensor", "none");
  checkTensors("concatenate", ...parts);
  const [along] = normalizeAxes("concatenate", [axis], parts[0].shape.length);
  return parts[0].trace.emit("concatenate", parts, { axis: along });
}

/** Equal tensors side by side along a new axis. */
export function stack(parts: readonly Tensor[], axis = 0): Tensor {
  if (parts.length === 0) throw valueError("stack", "at least one tensor", "none");
  checkTensors("stack", ...parts);
  const [along] = normalizeAxes("stack", [axis], parts[0].shape.length + 1);
  return concatenate(
    parts.map((part) => reshape(part, [...part.shape.slice(0, along), 1, ...part.shape.slice(along)])),
    along,
  );
}

/** Which axes a reduction goes over. */
export interface ReductionOptions {
  /** Axes to reduce; all when absent. */
  readonly axes?: readonly number[];
  /** Keep reduced axes with length 1. */
  readonly keepAxes?: boolean;
}

function reduced(op: "sum" | "max", x: Tensor, options: ReductionOptions): Tensor {
  checkTensors(op, x);
  const axes = normalizeAxes(op, options.axes ?? x.shape.map((_, axis) => axis), x.shape.length);
  const result = axes.length === 0 ? x : x.trace.emit(op, [x], { axes });
  if (!options.keepAxes) return result;
  return reshape(
    result,
    x.shape.map((length, axis) => (axes.includes(axis) ? 1 : length)),
  );
}

/** The sum over axes, in the order of primitives/reduction.ts; 0 over none. */
export const sum = (x: Tensor, options: ReductionOptions = {}): Tensor => reduced("sum", x, options);
/** The largest entry over axes; NaN if any is, −∞ over none. Where k entries tie, each has 1/k of the derivative. */
export const max = (x: Tensor, options: ReductionOptions = {}): Tensor => reduced("max", x, options);

/** The mean over axes. */
export function mean(x: Tensor, options: ReductionOptions = {}): Tensor {
  const total = sum(x, options);
  return multiply(total, sizeOf(total.shape) / sizeOf(x.shape));
}

/** Whether an operand is to be transposed in its last two axes. */
export interface MatmulOptions {
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
}

/**
 * The product of matrices on the last two axes. Earlier axes are batch axes; an operand with two axes alone is
 * shared by the whole batch (the batch then joins the rows of one product). Vectors: `reshape` them first.
 */
export function matmul(a: Tensor, b: Tensor, options: MatmulOptions = {}): Tensor {
  const { transposeA = false, transposeB = false } = options;
  checkTensors("matmul", a, b);
  if (a.shape.length < 2 || b.shape.length < 2)
    throw valueError(
      "matmul",
      "operands with at least two axes",
      `${formatShape(a.shape)} and ${formatShape(b.shape)}`,
    );
  if (a.shape.length > 2 && b.shape.length === 2 && !transposeA) {
    const lead = a.shape.slice(0, -1);
    const rows = matmul(reshape(a, [sizeOf(lead), a.shape[lead.length]]), b, { transposeB });
    return reshape(rows, [...lead, rows.shape[1]]);
  }
  const batch = broadcastShapes("matmul", [a.shape.slice(0, -2), b.shape.slice(0, -2)]);
  const left = broadcastTo(a, [...batch, ...a.shape.slice(-2)]);
  const right = broadcastTo(b, [...batch, ...b.shape.slice(-2)]);
  return a.trace.emit("matmul", [left, right], { transposeA, transposeB });
}

/** Rows of `table` [rows, …width] at whole-number `indices` → [...indices.shape, …width]. */
export function gather(table: Tensor, indices: Tensor): Tensor {
  checkTensors("gather", table, indices);
  return table.trace.emit("gather", [table, indices], {});
}

/** A zero table of `rows` rows to which the rows of `updates` are added at `indices`: the transpose of gather. */
export function scatterAdd(updates: Tensor, indices: Tensor, rows: number): Tensor {
  checkTensors("scatterAdd", updates, indices);
  return updates.trace.emit("scatterAdd", [updates, indices], { rows });
}

/** Stride and padding, alike on both axes. */
export interface ConvolutionOptions {
  /** Input entries from one output entry to the next, on both axes; 1 by default. */
  readonly stride?: number;
  /** Zeros around the input, on both axes: equally many before and after; 0 by default. */
  readonly padding?: number;
}

/**
 * Cross-correlation of input [n, channels, h, w] with kernel [outputs, channels, kh, kw] → [n, outputs, …], PyTorch's
 * conv2d: y[n, o, p] = Σ_{c,k} kernel[o, c, k]·input[n, c, p·stride + k − padding], zeros outside.
 */
export function convolution(input: Tensor, kernel: Tensor, options: ConvolutionOptions = {}): Tensor {
  const { stride = 1, padding = 0 } = options;
  checkTensors("convolution", input, kernel);
  const length = (axis: number): number =>
    Math.floor((input.shape[axis] + 2 * padding - kernel.shape[axis]) / stride) + 1;
  return input.trace.emit("convolution", [input, kernel], {
    wanted: "output",
    stride: [stride, stride],
    padding: [padding, padding],
    size: [length(2), length(3)],
  });
}

/** The axis and the direction of a recurrence. */
export interface RecurrenceOptions {
  readonly axis: number;
  /** Runs from the last index to the first: h_t = a_{t+1}∘h_{t+1} + b_t. */
  readonly reversed?: boolean;
}

/** The linear recurrence h_t = a_t∘h_{t−1} + b_t along one axis, from h = 0 before the first index; a and b alike in shape. */
export function recurrence(a: Tensor, b: Tensor, options: RecurrenceOptions): Tensor {
  checkTensors("recurrence", a, b);
  const [axis] = normalizeAxes("recurrence", [options.axis], b.shape.length);
  return b.trace.emit("recurrence", [a, b], { axis, reversed: options.reversed ?? false });
}

/** A new last axis of length `classes`: 1 at the label, else 0 (all 0 for a label outside 0, …, classes − 1). */
export function oneHot(labels: Tensor, classes: number): Tensor {
  checkTensors("oneHot", labels);
  const numbers = array(labels, iota(classes), [classes]);
  return equal(reshape(labels, [...labels.shape, 1]), numbers);
}

/** log Σ eˣ over one axis, shifted by the maximum so that nothing overflows; the axis is dropped. */
export function logSumExp(x: Tensor, axis = -1): Tensor {
  const axes = [axis];
  const largest = max(x, { axes, keepAxes: true });
  // Where the largest is ±∞ or NaN (then ∞ − ∞ is not 0), nothing is taken off, and exp and log give the limits.
  const shift = stopGradient(select(equal(subtract(largest, largest), 0), largest, 0));
  const total = log(sum(exp(subtract(x, shift)), { axes }));
  return add(total, reshape(shift, total.shape));
}

/**
 * eˣ / Σ eˣ over one axis. The largest entry is taken off with its derivative, which changes nothing but rounding: tangents
 * are then relative to its own, so that a weight near 1 keeps the digits of 1 − y, and each row of derivatives sums to 0.
 */
export function softmax(x: Tensor, axis = -1): Tensor {
  const axes = [axis];
  const weights = exp(subtract(x, max(x, { axes, keepAxes: true })));
  return divide(weights, sum(weights, { axes, keepAxes: true }));
}

/** max(x, 0), with derivative 0 at 0; NaN stays NaN. */
export const relu = (x: Tensor): Tensor => select(lessEqual(x, 0), 0, x);
/** x·σ(x). */
export const silu = (x: Tensor): Tensor => multiply(x, sigmoid(x));
/** x·Φ(x) with the exact normal distribution function Φ. */
export const gelu = (x: Tensor): Tensor => multiply(multiply(x, 0.5), erfc(multiply(x, -Math.SQRT1_2)));
