/** Matrix products in register tiles, with the bits of the definition in primitives/matmul.ts. */
import type { PrimitiveParams } from "../../graph/graph.ts";
import { BLOCK, productSizes } from "../../primitives/matmul.ts";
import type { Kernel, Layout } from "../../primitives/rule.ts";

/** A batch of products, a block of inner indices at a time. */
export function tiledProducts(params: PrimitiveParams["matmul"], operands: readonly Layout[]): Kernel {
  const { batch, m, n, k } = productSizes(
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
