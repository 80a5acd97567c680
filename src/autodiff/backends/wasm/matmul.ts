import { type Call, fillCalls, gemmModule } from "../../../wasm/index.ts";
import { type Shape, sizeOf } from "../../graph/shape.ts";
import type { Layout } from "../../primitives/rule.ts";

/** A product of contiguous operands; an empty sum is zeros. */
export function lowerMatmul(
  params: { readonly transposeA: boolean; readonly transposeB: boolean },
  [a, b]: readonly Layout[],
  shape: Shape,
): Call[] {
  const rank = shape.length;
  const [m, n] = shape.slice(-2);
  const k = a.shape[params.transposeA ? rank - 2 : rank - 1];
  const size = sizeOf(shape);
  if (k === 0 || size === 0) return fillCalls(0, size);
  const batch = sizeOf(shape.slice(0, -2));
  const rowA = 8 * a.shape[rank - 1];
  const words = [
    ...[batch, m, n, k],
    ...(params.transposeA ? [8, rowA] : [rowA, 8]),
    ...[params.transposeB ? 1 : 0, 8 * b.shape[rank - 1]],
  ];
  const arrays = [0, 1, 2].map((at) => ({ at, offset: 0 }));
  return [{ key: "matmul", write: gemmModule, arrays, words }];
}
