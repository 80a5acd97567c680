/**
 * The larger and the smaller, and where they are. None is a primitive: values, derivatives of every order and fused
 * kernels are those of comparisons, `select` and `max`.
 */
import { valueError } from "../../base/index.ts";
import { formatShape, normalizeAxes } from "../graph/shape.ts";
import { iota } from "./iota.ts";
import {
  add,
  array,
  equal,
  less,
  max,
  multiply,
  negate,
  type Operand,
  type ReductionOptions,
  reshape,
  select,
  subtract,
} from "./operations.ts";
import type { Tensor } from "./tensor.ts";

/** Either, where neither is less: equal numbers, or NaN. Halves, not a sum halved, which could overflow. */
const halfway = (a: Operand, b: Operand): Tensor => add(half(a), half(b));
const half = (a: Operand): Operand => (typeof a === "number" ? a / 2 : multiply(a, 0.5));

/**
 * The larger of a and b, entry by entry; NaN if either is. Where they tie each has half of the derivative, as in `max`
 * (and numbers below 2⁻¹⁰²¹ that tie may lose their last bit).
 */
export const maximum = (a: Operand, b: Operand): Tensor =>
  select(less(b, a), a, select(less(a, b), b, halfway(a, b)));

/** The smaller of a and b, entry by entry, otherwise as `maximum`. */
export const minimum = (a: Operand, b: Operand): Tensor =>
  select(less(a, b), a, select(less(b, a), b, halfway(a, b)));

/**
 * x where it lies between `low` and `high`, else the bound that it is beyond: min(max(x, low), high), so `high` where the
 * bounds cross. Its derivative is 1 between, 0 beyond and ½ at a bound; NaN stays NaN.
 */
export const clip = (x: Operand, low: Operand, high: Operand): Tensor => minimum(maximum(x, low), high);

/** The smallest entry over axes; NaN if any is, ∞ over none. Where k entries tie, each has 1/k of the derivative. */
export const min = (x: Tensor, options: ReductionOptions = {}): Tensor => negate(max(negate(x), options));

/**
 * Where along an axis the largest entry is, the first where several are: a whole number from 0, the axis dropped. NaN counts
 * as the largest. A constant for every derivative.
 *
 * @param axis the last by default
 * @throws InputValueError where the axis has no entries
 */
export function argmax(x: Tensor, axis = -1): Tensor {
  const [along] = normalizeAxes("argmax", [axis], x.shape.length);
  const length = x.shape[along];
  if (length === 0)
    throw valueError("argmax", "an axis with at least one entry", `axis ${axis} of ${formatShape(x.shape)}`);
  const largest = max(x, { axes: [along], keepAxes: true });
  const isLargest = select(equal(x, x), equal(x, largest), 1);
  const toTheEnd = reshape(
    subtract(length, array(x, iota(length), [length])),
    x.shape.slice(along).map((_, i) => (i === 0 ? length : 1)),
  );
  return subtract(length, max(select(isLargest, toTheEnd, 0), { axes: [along] }));
}

/** Where along an axis the smallest entry is, otherwise as `argmax`. */
export const argmin = (x: Tensor, axis = -1): Tensor => argmax(negate(x), axis);
