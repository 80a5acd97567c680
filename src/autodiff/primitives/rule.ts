/**
 * What a primitive is: shape, derivative, transpose, value and cost together. To add one, give it a name in
 * graph/graph.ts and a rule here; the compiler then asks for what is missing.
 */
import type { NodeOf, PrimitiveName, PrimitiveParams } from "../graph/graph.ts";
import { type Shape, sizeOf, stridesOf } from "../graph/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** How an operand lies in memory: entry (i₀, i₁, …) is at offset + Σ iₐ·strides[a]. */
export interface Layout {
  readonly shape: Shape;
  readonly strides: readonly number[];
}

/** A layout inside another array, `offset` entries after its start. */
export interface View {
  readonly layout: Layout;
  readonly offset: number;
}

/**
 * A primitive's value on the js backend, prepared for fixed layouts: reads its operands at `at[1]`, `at[2]`, …
 * of `memory` and overwrites its result, contiguous, at `at[0]`. Allocates nothing.
 */
export type Kernel = (memory: Float64Array, at: Int32Array) => void;

/** The arithmetic of one kernel call, for cost counters. */
export interface Cost {
  /** Floating-point operations; a transcendental function counts as one. */
  readonly flops: number;
  /** Matrix products. */
  readonly products: number;
}

/** All that the engine knows of one primitive, in one place. */
export interface PrimitiveRule<K extends PrimitiveName> {
  /**
   * `elementwise`: result entry i reads operand entries i only, so operands may be strided views and the result may
   * overwrite an operand. `strided`: operands may be strided views. `contiguous`: neither.
   */
  readonly access: "elementwise" | "strided" | "contiguous";
  /** The result's shape; throws an error that names the operation and the shapes. */
  shape(params: PrimitiveParams[K], shapes: readonly Shape[]): Shape;
  /** The tangent of the result: linear in the tangents that are not undefined; undefined when structurally zero. */
  jvp(call: JvpCall<K>): Tensor | undefined;
  /** Cotangents for the operands marked linear; absent for primitives that are never linear. */
  transpose?(call: TransposeCall<K>): (Tensor | undefined)[];
  /** The definition of the value, on plain loops. */
  kernel(params: PrimitiveParams[K], operands: readonly Layout[], shape: Shape): Kernel;
  /** For primitives that only rename entries: how the result lies in the operand's memory, if strides can say it. */
  view?(params: PrimitiveParams[K], operand: Layout, shape: Shape): View | undefined;
  /** Defaults to one flop per result entry, or none for primitives that only move entries. */
  cost?(params: PrimitiveParams[K], operands: readonly Shape[], shape: Shape): Cost;
}

/** What a tangent rule is given: operands, result, and a tangent for each operand (undefined: it does not move). */
export interface JvpCall<K extends PrimitiveName> {
  readonly params: PrimitiveParams[K];
  readonly primals: readonly Tensor[];
  readonly result: Tensor;
  readonly tangents: readonly (Tensor | undefined)[];
}

/** What a transpose rule is given. */
export interface TransposeCall<K extends PrimitiveName> {
  readonly params: PrimitiveParams[K];
  /** The operands; those marked linear have a shape but must not be used as values. */
  readonly operands: readonly Tensor[];
  readonly linear: readonly boolean[];
  readonly cotangent: Tensor;
}

/** One rule per primitive. */
export type RuleTable = { readonly [K in PrimitiveName]: PrimitiveRule<K> };
export type { NodeOf };

/** The layout of an array of its own, row-major. */
export function contiguous(shape: Shape): Layout {
  return { shape, strides: stridesOf(shape) };
}

/** Whether a layout is row-major without gaps; false for arrays without entries. */
export function isContiguous(layout: Layout): boolean {
  let expected = 1;
  for (let axis = layout.shape.length - 1; axis >= 0; axis--) {
    if (layout.shape[axis] !== 1 && layout.strides[axis] !== expected) return false;
    expected *= layout.shape[axis];
  }
  return sizeOf(layout.shape) > 0;
}
