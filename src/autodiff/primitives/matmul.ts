/** Batches of matrix products, whose transposes are products again. */
import { valueError } from "../../base/index.ts";
import type { PrimitiveParams } from "../graph/graph.ts";
import { formatShape, type Shape, sameShape, sizeOf } from "../graph/shape.ts";
import { add, matmul } from "../tensor/operations.ts";
import type { Kernel, Layout, PrimitiveRule } from "./rule.ts";

/** The lengths of a batch of products: C is m by n, sums have k terms. */
export interface ProductSizes {
  readonly batch: number;
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

/** The lengths that two operands of these shapes have. */
export function productSizes(params: PrimitiveParams["matmul"], [a, b]: readonly Shape[]): ProductSizes {
  const rank = a.length;
  return {
    batch: sizeOf(a.slice(0, -2)),
    m: params.transposeA ? a[rank - 1] : a[rank - 2],
    k: params.transposeA ? a[rank - 2] : a[rank - 1],
    n: params.transposeB ? b[rank - 2] : b[rank - 1],
  };
}

/**
 * Bilinear: d(AB) = dA·B + A·dB. With C = op(A)op(B), the transpose in A is op⁻¹(ct·op(B)ᵀ) and in B op⁻¹(op(A)ᵀ·ct);
 * the flags make each of them one product again, without a transpose in memory.
 */
export const matmulRule: PrimitiveRule<"matmul"> = {
  access: "contiguous",
  shape(params, [a, b]) {
    const { transposeA, transposeB } = params;
    const rank = a.length;
    const inner = rank >= 2 && b.length >= 2 ? b[transposeB ? b.length - 1 : b.length - 2] : -1;
    const { m, n, k } = rank >= 2 && b.length >= 2 ? productSizes(params, [a, b]) : { m: 0, n: 0, k: 0 };
    if (inner !== k || !sameShape(a.slice(0, -2), b.slice(0, -2)))
      throw valueError(
        "matmul",
        "equal batch axes and equal inner lengths",
        `${formatShape(a)}${transposeA ? "ᵀ" : ""} times ${formatShape(b)}${transposeB ? "ᵀ" : ""}`,
      );
    return [...a.slice(0, -2), m, n];
  },
  jvp({ params, primals: [a, b], tangents: [da, db] }) {
    const left = da?.trace.emit("matmul", [da, b], params);
    const right = db?.trace.emit("matmul", [a, db], params);
    return left && right ? add(left, right) : (left ?? right);
  },
  transpose({ params: { transposeA, transposeB }, operands: [a, b], linear, cotangent }) {
    const toA = () =>
      transposeA
        ? matmul(b, cotangent, { transposeA: transposeB, transposeB: true })
        : matmul(cotangent, b, { transposeB: !transposeB });
    const toB = () =>
      transposeB
        ? matmul(cotangent, a, { transposeA: true, transposeB: transposeA })
        : matmul(a, cotangent, { transposeA: !transposeA });
    return [linear[0] ? toA() : undefined, linear[1] ? toB() : undefined];
  },
  kernel: productKernel,
  cost(params, shapes) {
    const { batch, m, n, k } = productSizes(params, shapes);
    return { flops: 2 * batch * m * n * k, products: 1 };
  },
};

/**
 * Every entry of the result is a sum over k in blocks of `BLOCK`: each block's terms are added in order from 0, and the
 * blocks' sums in order from 0. This is the definition for all backends. Blocks bound the rounding error by about
 * (BLOCK + k/BLOCK)·ε instead of k·ε, and they are what a kernel with packed panels does anyway.
 */
export const BLOCK = 64;

function productKernel(params: PrimitiveParams["matmul"], operands: readonly Layout[]): Kernel {
  const { transposeA, transposeB } = params;
  const shapes = operands.map((operand) => operand.shape);
  const { batch, m, n, k } = productSizes(params, shapes);
  return (memory, at) => {
    for (let s = 0; s < batch; s++)
      for (let i = 0; i < m; i++)
        for (let j = 0; j < n; j++) {
          let total = 0;
          for (let block = 0; block < k; block += BLOCK) {
            let sum = 0;
            for (let l = block; l < Math.min(k, block + BLOCK); l++) {
              const a = memory[at[1] + s * m * k + (transposeA ? l * m + i : i * k + l)];
              const b = memory[at[2] + s * k * n + (transposeB ? j * k + l : l * n + j)];
              sum += a * b;
            }
            total += sum;
          }
          memory[at[0] + (s * m + i) * n + j] = total;
        }
  };
}
