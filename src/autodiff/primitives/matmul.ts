import { valueError } from "../../base/index.ts";
import { formatShape, type Shape, sameShape, sizeOf } from "../graph/shape.ts";
import { add, matmul } from "../tensor/operations.ts";
import type { Kernel, Layout, PrimitiveRule } from "./rule.ts";

interface Sizes {
  readonly batch: number;
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

function sizes(params: { transposeA: boolean; transposeB: boolean }, [a, b]: readonly Shape[]): Sizes {
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
    const { m, n, k } = rank >= 2 && b.length >= 2 ? sizes(params, [a, b]) : { m: 0, n: 0, k: 0 };
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
  kernel: (params, operands) => productKernel(params, operands),
  cost(params, shapes) {
    const { batch, m, n, k } = sizes(params, shapes);
    return { flops: 2 * batch * m * n * k, products: 1 };
  },
};

/**
 * Every entry of the result is a sum over k in blocks of `BLOCK`: each block's terms are added in order from 0, and the
 * blocks' sums in order from 0. This is the definition for all backends. Blocks bound the rounding error by about
 * (BLOCK + k/BLOCK)·ε instead of k·ε, and they are what a kernel with packed panels does anyway.
 */
export const BLOCK = 64;

function productKernel(
  params: { transposeA: boolean; transposeB: boolean },
  operands: readonly Layout[],
): Kernel {
  const { batch, m, n, k } = sizes(
    params,
    operands.map((operand) => operand.shape),
  );
  const rowA = params.transposeA ? 1 : k;
  const innerA = params.transposeA ? m : 1;
  const innerB = params.transposeB ? 1 : n;
  const columnB = params.transposeB ? k : 1;
  return (memory, at) => {
    for (let j = 0; j < batch; j++) {
      const c = at[0] + j * m * n;
      memory.fill(0, c, c + m * n);
      for (let l = 0; l < k; l += BLOCK) {
        const a = at[1] + j * m * k + l * innerA;
        const b = at[2] + j * k * n + l * innerB;
        addProduct(memory, c, a, b, m, n, Math.min(BLOCK, k - l), rowA, innerA, innerB, columnB);
      }
    }
  };
}

/**
 * C[i, j] += Σ_l A[i·rowA + l·innerA]·B[l·innerB + j·columnB] for l < k, in tiles of 2×4 accumulators (eight of them
 * and their operands stay in the sixteen registers of a common core).
 */
function addProduct(
  memory: Float64Array,
  c: number,
  a: number,
  b: number,
  m: number,
  n: number,
  k: number,
  rowA: number,
  innerA: number,
  innerB: number,
  columnB: number,
): void {
  const mTiled = m - (m % 2);
  const nTiled = n - (n % 4);
  for (let i = 0; i < mTiled; i += 2) {
    for (let j = 0; j < nTiled; j += 4) {
      let c00 = 0;
      let c01 = 0;
      let c02 = 0;
      let c03 = 0;
      let c10 = 0;
      let c11 = 0;
      let c12 = 0;
      let c13 = 0;
      let p = a + i * rowA;
      let q = b + j * columnB;
      for (let l = 0; l < k; l++) {
        const a0 = memory[p];
        const a1 = memory[p + rowA];
        const b0 = memory[q];
        const b1 = memory[q + columnB];
        const b2 = memory[q + 2 * columnB];
        const b3 = memory[q + 3 * columnB];
        c00 += a0 * b0;
        c01 += a0 * b1;
        c02 += a0 * b2;
        c03 += a0 * b3;
        c10 += a1 * b0;
        c11 += a1 * b1;
        c12 += a1 * b2;
        c13 += a1 * b3;
        p += innerA;
        q += innerB;
      }
      const o = c + i * n + j;
      memory[o] += c00;
      memory[o + 1] += c01;
      memory[o + 2] += c02;
      memory[o + 3] += c03;
      memory[o + n] += c10;
      memory[o + n + 1] += c11;
      memory[o + n + 2] += c12;
      memory[o + n + 3] += c13;
    }
  }
  for (let i = 0; i < m; i++)
    for (let j = i < mTiled ? nTiled : 0; j < n; j++) {
      let total = 0;
      let p = a + i * rowA;
      let q = b + j * columnB;
      for (let l = 0; l < k; l++) {
        total += memory[p] * memory[q];
        p += innerA;
        q += innerB;
      }
      memory[c + i * n + j] += total;
    }
}
