/** Lowers matrix products to those of `wasm/dense`: small ones, or packed. */
import {
  type Arithmetic,
  type Call,
  fillCalls,
  type GemmSizes,
  gemmCall,
  smallProductCall,
} from "../../../wasm/index.ts";
import { type Shape, sizeOf } from "../../graph/shape.ts";
import type { Layout } from "../../primitives/rule.ts";

/** A product of contiguous operands; an empty sum is zeros. */
export function lowerMatmul(
  params: { readonly transposeA: boolean; readonly transposeB: boolean },
  [a, b]: readonly Layout[],
  shape: Shape,
  arithmetic: Arithmetic,
): Call[] {
  const rank = shape.length;
  const [m, n] = shape.slice(-2);
  const k = a.shape[params.transposeA ? rank - 2 : rank - 1];
  const size = sizeOf(shape);
  if (k === 0 || size === 0) return fillCalls(0, size);
  const rowA = 8 * a.shape[rank - 1];
  const [rowStep, innerStep] = params.transposeA ? [8, rowA] : [rowA, 8];
  const sizes: GemmSizes = {
    ...{ batch: sizeOf(shape.slice(0, -2)), m, n, k, rowStep, innerStep },
    ...{ contiguousColumns: params.transposeB ? 1 : 0, runStep: 8 * b.shape[rank - 1] },
  };
  return [smallProductCall(sizes, arithmetic) ?? gemmCall(sizes, arithmetic)];
}
