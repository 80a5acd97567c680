/** Lowers what only moves entries. Most of it never runs: the planner makes views of it, and copies only for who needs them. */
import { type Call, fillCalls } from "../../../wasm/index.ts";
import type { PrimitiveName, PrimitiveParams } from "../../graph/graph.ts";
import { type Shape, sizeOf, stridesOf } from "../../graph/shape.ts";
import { RULES } from "../../primitives/registry.ts";
import type { Layout, PrimitiveRule, View } from "../../primitives/rule.ts";
import { lowerCopy } from "./elementwise.ts";

/** A primitive that renames entries: its view, copied. A reshape copies entries in the order of its operand's axes. */
export function lowerView<K extends "reshape" | "transpose" | "broadcast" | "slice">(
  op: K,
  params: PrimitiveParams[K],
  operand: Layout,
  shape: Shape,
): Call[] {
  const rule = RULES[op] as PrimitiveRule<PrimitiveName>;
  const own: View = { layout: operand, offset: 0 };
  const { layout, offset } = (op === "reshape" ? undefined : rule.view?.(params, operand, shape)) ?? own;
  const to = { strides: stridesOf(layout.shape), offset: 0 };
  return lowerCopy(layout.shape, { strides: layout.strides, offset }, to);
}

/** Zeros, then the entries where they belong. */
export function lowerPad({ low, interior }: PrimitiveParams["pad"], operand: Layout, shape: Shape): Call[] {
  const strides = stridesOf(shape);
  const to = {
    strides: strides.map((stride, axis) => stride * (interior[axis] + 1)),
    offset: strides.reduce((offset, stride, axis) => offset + stride * low[axis], 0),
  };
  const entries = lowerCopy(operand.shape, { strides: operand.strides, offset: 0 }, to);
  return [...fillCalls(0, sizeOf(shape)), ...entries];
}

/** The parts, one after another along an axis. */
export function lowerConcatenate(
  { axis }: PrimitiveParams["concatenate"],
  operands: readonly Layout[],
  shape: Shape,
): Call[] {
  const strides = stridesOf(shape);
  let start = 0;
  return operands.flatMap((part, operand) => {
    const to = { strides, offset: start * strides[axis] };
    start += part.shape[axis];
    return lowerCopy(part.shape, { strides: part.strides, offset: 0, operand }, to);
  });
}
