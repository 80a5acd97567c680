/** Shapes of tensors and what is said of them everywhere: sizes, strides, broadcasting, axes. */
import { sizeOf, valueError } from "../../base/index.ts";

export { sizeOf };

/** The lengths of a tensor's axes, row-major; `[]` is a scalar. */
export type Shape = readonly number[];

/** Row-major strides in entries. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis];
  }
  return strides;
}

/** Whether two shapes have the same axes. */
export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((length, axis) => length === b[axis]);
}

/** `[3, 4]`, or `scalar`. */
export function formatShape(shape: Shape): string {
  return shape.length === 0 ? "scalar" : `[${shape.join(", ")}]`;
}

/** Throws unless every axis length is a whole number ≥ 0. */
export function checkShape(operation: string, shape: Shape): void {
  if (!Array.isArray(shape) || shape.some((length) => !Number.isSafeInteger(length) || length < 0))
    throw valueError(operation, "axis lengths that are whole numbers ≥ 0", JSON.stringify(shape));
}

/**
 * The common shape of operands under the usual broadcasting rule: aligned at the last axis, lengths equal or 1.
 * Throws, naming the operation and the shapes, when there is none.
 */
export function broadcastShapes(operation: string, shapes: readonly Shape[]): Shape {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  const result = new Array<number>(rank).fill(1);
  for (const shape of shapes)
    for (let i = 0; i < shape.length; i++) {
      const axis = rank - shape.length + i;
      if (shape[i] === 1 || shape[i] === result[axis]) continue;
      if (result[axis] !== 1)
        throw valueError(
          operation,
          "shapes that broadcast together (equal lengths or 1, aligned at the last axis)",
          shapes.map(formatShape).join(" and "),
        );
      result[axis] = shape[i];
    }
  return result;
}

/** Axes in ascending order with negative ones counted from the end; throws on one that is out of range or named twice. */
export function normalizeAxes(operation: string, axes: readonly number[], rank: number): number[] {
  const normal = axes.map((axis) => (axis < 0 ? axis + rank : axis));
  if (normal.some((axis) => !Number.isSafeInteger(axis) || axis < 0 || axis >= rank))
    throw valueError(operation, `axes between ${-rank} and ${rank - 1}`, JSON.stringify(axes));
  if (new Set(normal).size !== normal.length)
    throw valueError(operation, "axes that are all different", JSON.stringify(axes));
  return normal.sort((a, b) => a - b);
}
