import type { Layout } from "../../primitives/rule.ts";
import { type Shape, sizeOf } from "../../shape.ts";
import type { Lowered } from "./call.ts";
import { gemmModule } from "./gemm.ts";

/** A product of contiguous operands; an empty sum is zeros. */
export function lowerMatmul(
  params: { readonly transposeA: boolean; readonly transposeB: boolean },
  [a, b]: readonly Layout[],
  shape: Shape,
): Lowered {
  const rank = shape.length;
  const [m, n] = shape.slice(-2);
  const k = a.shape[params.transposeA ? rank - 2 : rank - 1];
  const size = sizeOf(shape);
  if (size === 0) return { calls: [] };
  if (k === 0) return { zeros: size, calls: [] };
  const batch = sizeOf(shape.slice(0, -2));
  const words = [
    ...[batch, m, n, k],
    ...[params.transposeA ? 0 : 1, params.transposeB ? 1 : 0],
    ...[8 * a.shape[rank - 1], 8 * b.shape[rank - 1]],
  ];
  const arrays = [0, 1, 2].map((at) => ({ at, offset: 0 }));
  return { calls: [{ key: "matmul", write: gemmModule, arrays, words }] };
}
