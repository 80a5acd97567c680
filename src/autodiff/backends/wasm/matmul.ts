import type { Layout } from "../../primitives/rule.ts";
import { type Shape, sizeOf } from "../../shape.ts";
import type { Call } from "./call.ts";
import { fillCalls } from "./fill.ts";
import { gemmModule } from "./gemm.ts";
import { COLUMNS, ROWS } from "./tile.ts";

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
  const alongA = params.transposeA ? 0 : 1;
  const alongB = params.transposeB ? 1 : 0;
  const stepA = 8 * a.shape[rank - 1];
  const stepB = 8 * b.shape[rank - 1];
  // Tiles are wide and low; a narrow result is made as Cᵀ = op(B)ᵀ·op(A)ᵀ where that wastes less of them.
  const flipped = padded(n, m) < padded(m, n);
  const words = flipped
    ? [batch, n, m, k, alongB, alongA, stepB, stepA, 8, 8 * n]
    : [batch, m, n, k, alongA, alongB, stepA, stepB, 8 * n, 8];
  const arrays = (flipped ? [0, 2, 1] : [0, 1, 2]).map((at) => ({ at, offset: 0 }));
  return [{ key: "matmul", write: gemmModule, arrays, words }];
}

/** Entries of a result that is filled up to whole tiles. */
function padded(rows: number, columns: number): number {
  return ROWS * Math.ceil(rows / ROWS) * COLUMNS * Math.ceil(columns / COLUMNS);
}
